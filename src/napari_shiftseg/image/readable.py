"""Why a file cannot be read, in one line, whichever library finds it out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from napari_shiftseg.errors import ShiftSegError


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
    if not path.exists():
        raise ShiftSegError(f"no such file: {path}")
    try:
        yield
    except ShiftSegError:
        raise
    except PermissionError:
        raise ShiftSegError(f"{path} may not be read") from None
    except Exception as error:
        # The libraries and their codecs raise many types for damaged files; each means the
        # same to the user.
        raise ShiftSegError(f"{path} is not {kind} that can be read: {error}") from None
