"""One at a time: a run that writes an output keeps others from writing the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from napari_shiftseg.errors import ShiftSegError

_held: set[Path] = set()
"""What this process writes: its parts may lock again what all of it has locked."""


@contextlib.contextmanager
def alone_with(output: Path, lock: Path) -> Iterator[None]:
    """Be the only process that writes an output.

    Parameters
    ----------
    output
        What is written.
    lock
        File that is there meanwhile. The system lets go of it when a process ends, however that
        comes about; where it knows no locks, as on some file servers, nobody is kept away.

    Raises
    ------
    ShiftSegError
        If another process writes it now.
    """
    if lock in _held:
        yield
        return
    held = FileLock(lock, thread_local=False)
    # Where no lock can be made, writing the output will tell why, if it cannot be written.
    with contextlib.suppress(OSError, NotImplementedError):
        try:
            held.acquire(blocking=False)
        except Timeout:
            if lock.exists():
                raise ShiftSegError(
                    f"{output} is being written by another run; wait for its end, or name another "
                    "output"
                ) from None
    if not held.is_locked:
        yield
        return
    _held.add(lock)
    try:
        yield
    finally:
        _held.discard(lock)
        with contextlib.suppress(OSError):
            lock.unlink()  # while it is held: who waits for it sees that it is another file
        held.release()
