"""Anything that holds pixels as what slices like a numpy array."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError, first_line


def as_array(pixels: Any) -> Any:
    """Return arrays as they are (numpy, dask, zarr), and lists and tensors as numpy arrays.

    Parameters
    ----------
    pixels
        With a shape and a type of numpy's, or what numpy can make an array of.

    Raises
    ------
    ShiftSegError
        If numpy can make none of it, or pixels are masked.
    """
    if np.ma.is_masked(pixels):
        raise ShiftSegError("some pixels are masked; legal: all filled, as by .filled(0)")
    try:
        np.dtype(pixels.dtype)
    except (AttributeError, TypeError):  # none, or a type of another library, as torch's
        return _copied(pixels)
    return pixels if hasattr(pixels, "shape") else np.asarray(pixels)


def hash_of(arrays: Iterable[NDArray[Any]]) -> str:
    """Return what tells these arrays, in this order, from any others: in hexadecimal."""
    found = sha256()
    for array in arrays:
        found.update(f"{array.shape} {array.dtype}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _copied(pixels: Any) -> np.ndarray:
    try:
        if hasattr(pixels, "detach"):  # a tensor, maybe on a device, or of no type of numpy's
            pixels = pixels.detach().cpu()
            pixels = pixels.float() if "bfloat16" in str(pixels.dtype) else pixels
        return np.asarray(pixels)
    # The first two are numpy's; torch raises the others for tensors without memory of their own.
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise ShiftSegError(
            f"no array of numbers can be made of this {type(pixels).__name__}: {first_line(error)}"
        ) from error
