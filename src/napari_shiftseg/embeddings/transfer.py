"""Between the memory of the host and that of a device, without one waiting for the other.

A graphics card computes what it was given while the program goes on. It stands still if the
program waits for each result before it prepares the next one, and a copy can only be made
meanwhile from and to memory whose pages are locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Item = TypeVar("Item")

Arriving = Callable[[], NDArray[np.float32]]
"""A result on its way to the host; a call waits until it is there."""


def computes_alongside(device: torch.device) -> bool:
    """Whether a device computes while the program goes on, and copies meanwhile."""
    return device.type == "cuda"


def to_device(tensor: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Copy a tensor of the host to a device; the program goes on meanwhile if it can."""
    alongside = computes_alongside(device)
    source = tensor.pin_memory() if alongside else tensor
    return source.to(device, dtype or tensor.dtype, non_blocking=alongside)


def to_host(tensor: Tensor) -> Arriving:
    """Begin to copy a tensor to the host as float32, as soon as it is computed."""
    if not computes_alongside(tensor.device):
        done: NDArray[np.float32] = tensor.float().cpu().numpy()
        return lambda: done
    locked = torch.empty(tensor.shape, dtype=torch.float32, pin_memory=True)
    locked.copy_(tensor, non_blocking=True)
    copied = torch.cuda.current_stream(tensor.device).record_event()

    def wait() -> NDArray[np.float32]:
        copied.synchronize()
        arrived: NDArray[np.float32] = locked.numpy()
        return arrived

    return wait


def one_ahead(items: Iterable[Item], device: torch.device) -> Iterator[Item]:
    """Begin each item before the one before it is handed out, where the device computes alongside.

    Elsewhere each is handed out at once: it is there when it has begun.
    """
    if not computes_alongside(device):
        yield from items
        return
    before: list[Item] = []
    for item in items:
        yield from before
        before = [item]
    yield from before
