"""Files that appear whole or not at all: written beside their name, then moved there."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from napari_shiftseg.errors import ShiftSegError

_TRIES, _PAUSE = 20, 0.05
"""How often, and how many seconds apart, a folder is tried to be removed."""


@contextlib.contextmanager
def file_beside(path: Path) -> Iterator[Path]:
    """Give a name to write a file to; an existing file is replaced at the end.

    Raises
    ------
    ShiftSegError
        If the folder is missing, or writing fails for a reason outside of the program.
    """
    with _beside(path) as partial:
        yield partial
        os.replace(partial, path)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Give a name to make a folder at; an existing folder is replaced at the end.

    Raises
    ------
    ShiftSegError
        As :func:`file_beside`.
    """
    with _beside(path) as partial:
        yield partial
        if path.exists():
            _exchange(path, partial)
        else:
            os.replace(partial, path)


def _exchange(path: Path, partial: Path) -> None:
    """Put a folder into the place of another, which comes back if that fails."""
    former = path.with_name(f".{path.name}.former")
    _remove(former)
    os.replace(path, former)
    try:
        os.replace(partial, path)
    except OSError:
        os.replace(former, path)
        raise
    shutil.rmtree(former, ignore_errors=True)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    if not path.parent.is_dir():
        raise ShiftSegError(f"no such folder: {path.parent}")
    partial = path.with_name(f".{path.name}.part")
    try:
        _remove(partial)
        yield partial
    except OSError as error:
        raise ShiftSegError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        _remove_at_last(partial)


def _remove_at_last(path: Path) -> None:
    """Remove what is left of a failure, even while threads of Zarr still write into it."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            _remove(path)
        if not path.exists():
            return
        time.sleep(_PAUSE)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step; raises as :func:`file_beside`."""
    with file_beside(path) as partial:
        partial.write_text(text, encoding="utf-8")
