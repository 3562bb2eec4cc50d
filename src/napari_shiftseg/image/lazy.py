"""Arrays that are read when they are computed."""

from __future__ import annotations

from typing import Any

import numpy as np


def from_zarr(array: Any) -> Any:
    """Wrap a zarr array, chunk by chunk, as a dask array."""
    import dask.array as da

    # Without a name of its own, dask would name the array by its file, and napari's cache
    # would show the former pixels of a file that was replaced.
    return da.from_array(array, chunks=array.chunks, name=False)


def transposable(array: Any) -> Any:
    """Return numpy arrays as they are, and what else slices as a dask array."""
    if isinstance(array, np.ndarray):
        return array
    import dask.array as da

    return da.asarray(array)
