"""Where a network runs."""

from __future__ import annotations

import torch

from napari_shiftseg.errors import ShiftSegError


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
    if name.partition(":")[0] not in devices:
        raise ShiftSegError(f"there is no device {name!r} here; legal: {', '.join(devices)}")
    return torch.device(name)
