"""How much memory there is, and how much of it is taken unasked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path

_NAMES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""What control groups of version 2 and 1 call limit, use, and files that are cached."""

_SHARE = 0.5
"""Part of the free memory that a run takes unasked."""


def free_memory() -> int:
    """Return the bytes that processes can still take on this machine.

    Where the system does not say, half of the memory that the machine has; 4 GB at worst.
    """
    try:
        import psutil
    except ImportError:
        free = _free_by_system()
    else:
        free = int(psutil.virtual_memory().available)
    return max(0, min([free, *_left_in_groups()]))


def _left_in_groups(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> Iterator[int]:
    """Yield the bytes that containers and batch systems still allow, by Linux's control groups."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        names = _NAMES[1] if controllers else _NAMES[0]
        top = root / "memory" if controllers else root
        group = top / path.strip("/")
        for folder in (group, *group.parents):
            yield from _left_in(folder, *names)
            if folder == top:
                break


def _left_in(folder: Path, limit: str, used: str, cache: str) -> Iterator[int]:
    try:
        allowed = int((folder / limit).read_text(encoding="utf-8"))
        taken = int((folder / used).read_text(encoding="utf-8"))
        lines = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
        cached = dict(line.split() for line in lines).get(cache, 0)
    except (OSError, ValueError):  # none, or no limit
        return
    # What files are cached makes way.
    yield allowed - taken + int(cached)


def default_memory() -> int:
    """Return the bytes that a run may take where nobody names them."""
    return int(_SHARE * free_memory())


def _free_by_system() -> int:
    try:
        pages, size = os.sysconf("SC_AVPHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 10**9
    return pages * size


def lacking(needed: int) -> str:
    """Say what memory a step in this process lacks; "" if there is enough.

    Parameters
    ----------
    needed
        In bytes.
    """
    allowed = default_memory()
    if needed <= allowed:
        return ""
    return f"{in_bytes(needed)} of memory, {in_bytes(allowed)} can be had (half of what is free)"


def in_bytes(count: int) -> str:
    """Write an amount of memory for people, rounded up: as much is enough."""
    size, unit = next(
        (10**n, u) for n, u in ((9, "GB"), (6, "MB"), (3, "kB")) if count >= 10**n or n == 3
    )
    digits = 10 if count < 10 * size else 1
    return f"{ceil(digits * count / size) / digits:g} {unit}"
