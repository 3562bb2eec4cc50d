"""How much memory there is, and how much of it is taken unasked."""

from __future__ import annotations

import os
from math import ceil

_SHARE = 0.5
"""Part of the free memory that a run takes unasked."""


def free_memory() -> int:
    """Return the bytes that processes can still take on this machine.

    Where the system does not say, half of the memory that the machine has; 4 GB at worst.
    """
    try:
        import psutil
    except ImportError:
        return _free_by_system()
    return int(psutil.virtual_memory().available)


def default_memory() -> int:
    """Return the bytes that a run may take where nobody names them."""
    return int(_SHARE * free_memory())


def _free_by_system() -> int:
    try:
        pages, size = os.sysconf("SC_AVPHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 10**9
    return pages * size


def in_bytes(count: int) -> str:
    """Write an amount of memory for people, rounded up: as much is enough."""
    size, unit = next(
        (10**n, u) for n, u in ((9, "GB"), (6, "MB"), (3, "kB")) if count >= 10**n or n == 3
    )
    return f"{ceil(10 * count / size) / 10:g} {unit}"
