"""Files that appear whole or not at all: written beside their name, then moved there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from napari_shiftseg.alone import alone_with
from napari_shiftseg.errors import ShiftSegError

_LONGEST_NAME = 255
"""Bytes of a file's name, on every file system that is in use."""


def is_file(path: Path) -> bool:
    """Tell whether there is such a file; where one may not look, or cannot, there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def refuse_to_replace(source: str | Path, *outputs: str | Path | None) -> None:
    """See that no output is or holds what is read, not even through a link or on request.

    Parameters
    ----------
    source
        A file or folder that is read; all that there is in a folder is.
    outputs
        What will be written; None is nothing.

    Raises
    ------
    ShiftSegError
        If one is.
    """
    read = os.path.realpath(source)
    for output in outputs:
        if output is None:
            continue
        written = os.path.realpath(output)
        within = written.startswith(read + os.sep) and os.path.exists(written)
        if written == read or within or read.startswith(written + os.sep):
            raise ShiftSegError(
                f"{output} is or holds what is read, and would replace it; name another file"
            )


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other processes from writing a file or folder; raises as :func:`file_beside`."""
    target = _followed(path).absolute()
    _refuse_missing(target.parent)
    with alone_with(path, target.with_name(short_name(f".{target.name}.lock"))):
        yield


@contextlib.contextmanager
def file_beside(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """Give a name to write a file to; an existing file is replaced at the end.

    Of a link, what it leads to is replaced.

    Parameters
    ----------
    path
        The file.
    shared
        Whether others may write the same at this moment.

    Raises
    ------
    ShiftSegError
        If the folder is missing, another process is writing the file, or writing fails for a
        reason outside of the program.
    """
    target = _followed(path)
    name = f"{target.name}.{uuid4().hex}" if shared else target.name
    with contextlib.nullcontext() if shared else alone(path), _beside(target, name) as partial:
        # Some libraries make files that nobody else may read.
        mode = _usual_mode(target, partial)
        yield partial
        _flush(partial)
        partial.chmod(mode)
        os.replace(partial, target)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Give a name to make a folder at; an existing folder is replaced at the end.

    Raises
    ------
    ShiftSegError
        As :func:`file_beside`.
    """
    target = _followed(path)
    with alone(path), _beside(target) as partial:
        yield partial
        if target.exists():
            _exchange(target, partial)
        else:
            os.replace(partial, target)


def refuse_closed(*paths: Path | None) -> None:
    """Find out before any work is done that a file cannot be written where it is to be.

    Raises
    ------
    ShiftSegError
        As :func:`file_beside`.
    """
    for path in paths:
        if path is not None:
            with alone(path), _beside(_followed(path)) as partial:
                partial.touch()


def make_folder(path: Path) -> None:
    """Make a folder that may be there already; the one that holds it must be.

    Raises
    ------
    ShiftSegError
        If there is none to hold it, or it cannot be made.
    """
    _refuse_missing(path.parent)
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise ShiftSegError(f"{path} cannot be made: {error.strerror}") from None


@contextlib.contextmanager
def folder_for(path: Path) -> Iterator[None]:
    """Make a folder as :func:`make_folder`; if nothing came to be in it, it goes again."""
    was_there = path.is_dir()
    make_folder(path)
    try:
        yield
    finally:
        if not was_there:
            with contextlib.suppress(OSError):  # something is in it
                path.rmdir()


def refuse_no_name(path: Path) -> None:
    """Raise ShiftSegError if no file can have this name, or it may not be looked at."""
    try:
        path.stat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ShiftSegError(f"{path} cannot be the name of a file: {why}") from None


def _refuse_missing(folder: Path) -> None:
    if not folder.is_dir():
        raise ShiftSegError(f"no such folder: {folder}")


def _followed(path: Path) -> Path:
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError) as error:
        # A circle is an OSError or, by Python's version, a RuntimeError.
        if isinstance(error, OSError) and error.errno != errno.ELOOP:
            raise ShiftSegError(f"{path} cannot be written: {error.strerror}") from None
        raise ShiftSegError(f"{path} is a link that leads back to itself") from None


def _usual_mode(path: Path, partial: Path) -> int:
    """Return the permissions of a file that is there, or else of any new one beside it."""
    if path.is_file():
        return path.stat().st_mode & 0o777
    partial.touch()
    mode = partial.stat().st_mode & 0o777
    partial.unlink()
    return mode


def _flush(path: Path) -> None:
    """Have the disk take a file before its name says that it is complete.

    Some file systems find out only now that there is no space left.
    """
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _exchange(path: Path, partial: Path) -> None:
    """Put a folder into the place of another, which comes back if that fails."""
    former = _former(path)
    os.replace(path, former)
    try:
        os.replace(partial, path)
    except BaseException:
        os.replace(former, path)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _restore(path: Path) -> None:
    """Put back a folder that a killed process was about to replace, or remove its rest."""
    former = _former(path)
    if former.exists() and not path.exists():
        os.replace(former, path)
    _remove(former)


def _former(path: Path) -> Path:
    return path.with_name(short_name(f".{path.name}.former"))


@contextlib.contextmanager
def _beside(path: Path, name: str = "") -> Iterator[Path]:
    """Give a name beside a path, made of its own or of another name."""
    _refuse_missing(path.parent)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ShiftSegError(f"{path} is a device, which is not replaced; name a file")
    partial = path.with_name(short_name(f".{name or path.name}.part"))
    try:
        _remove(partial)
        _restore(path)
        yield partial
    except OSError as error:
        raise ShiftSegError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            _remove(partial)


def short_name(name: str) -> str:
    """Return the name of a file that goes with another; a hash before its end if it is too long."""
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    stem, suffix = os.path.splitext(name)
    dot = "." if name.startswith(".") else ""
    return f"{dot}{hashlib.sha256(os.fsencode(stem)).hexdigest()}{suffix}"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step; raises as :func:`file_beside`."""
    with file_beside(path) as partial:
        partial.write_text(text, encoding="utf-8")
