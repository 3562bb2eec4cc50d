"""Why a file cannot be read, in one line, whichever library finds it out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from napari_shiftseg.errors import ShiftSegError

_LONGEST = 300
"""Characters of a reason."""


@contextlib.contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a message.

    Parameters
    ----------
    path
        The file or folder.
    kind
        What it should be, as ``"a TIFF file"``.

    Raises
    ------
    ShiftSegError
        If there is no such file, it may not be read, or it is damaged.
    """
    if not _is_there(path):
        raise ShiftSegError(f"no such file: {path}")
    if not (path.is_file() or path.is_dir()):
        raise ShiftSegError(f"{path} is not a file, but a pipe or a device")
    with undamaged(path, kind):
        yield


@contextlib.contextmanager
def undamaged(name: object, kind: str) -> Iterator[None]:
    """Do as :func:`readable`, for what need not be a file of its own.

    Parameters
    ----------
    name
        Of what is read, for people.
    kind
        What it should be.

    Raises
    ------
    ShiftSegError
        If it may not be read, or it is damaged.
    """
    try:
        yield
    except ShiftSegError:
        raise
    except PermissionError:
        raise ShiftSegError(f"{name} may not be read") from None
    except Exception as error:
        # The libraries and their codecs raise many types for damaged files; each means the
        # same to the user.
        raise ShiftSegError(f"{name} is not {kind} that can be read: {reason(error)}") from None


def _is_there(path: Path) -> bool:
    """Tell whether a name leads to anything; one that is too long does not."""
    try:
        return path.exists()
    except PermissionError:
        raise ShiftSegError(f"{path} may not be read") from None
    except OSError:
        return False


def reason(error: BaseException) -> str:
    """Say why in one line that is not too long: the libraries quote whole files."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
