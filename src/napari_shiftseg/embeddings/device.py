"""Where a network runs, and in what memory."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError

Laid = TypeVar("Laid", bound=Tensor | nn.Module)


def available_devices() -> list[str]:
    """Names of the devices that torch can use here, the fastest first."""
    names = ["cuda"] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def choose_device(name: str | None = None) -> torch.device:
    """Return the named device, or the fastest one.

    Raises
    ------
    ShiftSegError
        If this machine has no such device.
    """
    devices = available_devices()
    if name is None:
        return torch.device(devices[0])
    name = str(name)
    try:
        if name.partition(":")[0] in devices:
            return torch.device(name)
    except RuntimeError:  # of a number that is none
        pass
    raise ShiftSegError(f"there is no device {name!r} here; legal: {', '.join(devices)}")


ONEDNN = all(
    hasattr(torch.ops.mkldnn, name)
    for name in (
        "_convolution_pointwise",
        "_convolution_transpose_pointwise",
        "_reorder_convolution_weight",
        "_is_mkldnn_bf16_supported",
    )
)
"""Whether torch carries oneDNN, which computes on processors."""


def emulates_bfloat16(device: torch.device) -> bool:
    """Tell whether a device would compute in bfloat16 by converting, far slower than float32."""
    return device.type == "cpu" and not (
        ONEDNN and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )


EMULATED = "bfloat16 takes longer than float32 on this processor, which does not compute in it."
"""What to say where :func:`emulates_bfloat16`."""


_NO_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "could not create a memory",
    "alloc_failed",
)
"""What the allocators of devices say, in small letters."""


def out_of_memory(error: BaseException) -> bool:
    """Whether a device failed for lack of memory, and not for another reason."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in message for words in _NO_MEMORY)


_KEPT = 32 * 2**20 - 8192
"""About the largest block in bytes that glibc learns to keep: its DEFAULT_MMAP_THRESHOLD_MAX,
less what it adds to a block."""


@cache
def keep_freed_memory() -> None:
    """Have the C library keep the memory of features that are freed, for those that follow.

    glibc returns large blocks to the system at once, which fills each new one with zeros, page
    by page: a tenth of the time of a tile. It stops doing so for blocks up to the size of the
    largest one that it has seen freed. So it is shown one, which nothing is written to; it then
    keeps at most twice as much. Other C libraries take no notice.
    """
    torch.empty(_KEPT, dtype=torch.uint8)


def fast_layout(value: Laid) -> Laid:
    """Store channels last, which convolutions of planes and volumes run faster on.

    Parameters
    ----------
    value
        ``(B, C, *spatial)``, or a network whose weights are to be laid out for it.
    """
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    dims = {w.ndim for w in value.parameters()} if isinstance(value, nn.Module) else {value.ndim}
    for ndim in dims & formats.keys():
        value = value.to(memory_format=formats[ndim])  # type: ignore[assignment, call-overload]
    return value
