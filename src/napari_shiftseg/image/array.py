"""Anything that holds pixels as what slices like a numpy array."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_array(pixels: Any) -> Any:
    """Return arrays as they are (numpy, dask, zarr), and lists and tensors as numpy arrays.

    Parameters
    ----------
    pixels
        With a shape and a type of numpy's, or what numpy can make an array of.
    """
    try:
        np.dtype(pixels.dtype)
    except (AttributeError, TypeError):  # none, or a type of another library, as torch's
        return np.asarray(pixels)
    return pixels if hasattr(pixels, "shape") else np.asarray(pixels)
