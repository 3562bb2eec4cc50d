"""NumPy's own files in, as scripts save labels; nothing is written as one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image import opened
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.lazy import by_parts
from napari_shiftseg.image.opened import OpenedImage
from napari_shiftseg.image.readable import readable

_KIND = "a NumPy file"
_SPACE = "yx"
_UNKNOWN = "q"
"""The letter of an axis of unknown kind."""


def open_npy(path: str | Path) -> tuple[OpenedImage]:
    """Open an array that ``numpy.save`` wrote; its last axes are y and x, others unknown.

    Arrays of ``LAZY_BYTES`` or more become dask arrays if dask is installed.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple of OpenedImage
        One.

    Raises
    ------
    ShiftSegError
        If the file is missing, is no NumPy file, is cut off, or holds anything else than
        numbers: Python objects in it are pickled, and to load them could run code.
    """
    path = Path(path)
    with readable(path, _KIND):
        if path.is_dir():
            raise ShiftSegError(f"{path} is a folder, not {_KIND}")
        stored = _mapped(path)
    if stored.dtype.kind not in "buifc" or stored.ndim == 0:
        holds = stored.dtype if stored.ndim else "one number"
        raise ShiftSegError(f"{path} holds {holds}; legal: an array of numbers")
    axes = (_UNKNOWN * (stored.ndim - 2) + _SPACE)[-stored.ndim :]
    lazy = stored.nbytes >= opened.LAZY_BYTES and find_spec("dask") is not None
    native = stored.dtype.newbyteorder("=")  # which torch asks for
    pixels = by_parts(stored, path) if lazy else np.array(stored, native)
    return (OpenedImage(path.stem, (pixels,), Calibration.of(axes)),)


def _mapped(path: Path) -> Any:
    try:
        return open_memmap(path, mode="r")
    except ValueError as error:
        if "Python objects" not in str(error):
            raise
        raise ShiftSegError(
            f"{path} holds Python objects, as Cellpose's _seg.npy does: to load them could run "
            "code; legal: an array of numbers, or masks that are saved as TIFF or PNG"
        ) from None
