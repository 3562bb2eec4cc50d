"""One at a time: a run that writes an output keeps others from writing the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from threading import get_ident

from filelock import FileLock, Timeout

from napari_shiftseg.errors import ShiftSegError

_held: dict[Path, int] = {}
"""What threads of this process write: each may lock again what it has locked."""


@contextlib.contextmanager
def alone_with(output: Path, lock: Path) -> Iterator[None]:
    """Be the only thread of all processes that writes an output.

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
        If another thread or process writes it now.
    """
    if _held.get(lock) == get_ident():
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
    _held[lock] = get_ident()
    try:
        yield
    finally:
        _held.pop(lock, None)
        with contextlib.suppress(OSError):
            lock.unlink()  # while it is held: who waits for it sees that it is another file
        held.release()
