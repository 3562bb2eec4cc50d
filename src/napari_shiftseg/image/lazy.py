"""Arrays that are read when they are computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.readable import reason

MOST_AT_ONCE = 2**31
"""Bytes that a compressed part of a file may decode to; a file that claims more is a trap."""

_PART = (512, 512)
"""Rows and columns that are read at once of a file without parts of its own."""


class _Stored:
    """An array in a file that says in one line what is wrong with a part that cannot be read."""

    def __init__(self, array: Any, name: str) -> None:
        self._array, self._name = array, name
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, part: Any) -> Any:
        try:
            return self._array[part]
        except MemoryError:
            raise
        except Exception as error:
            # The libraries and their codecs raise many types for damaged files.
            raise ShiftSegError(f"{self._name} cannot be read: {reason(error)}") from None


def from_zarr(array: Any, name: str) -> Any:
    """Wrap a zarr array, chunk by chunk, as a dask array.

    Parameters
    ----------
    array
        Of numbers.
    name
        Of the file, for the message if a part cannot be read.

    Raises
    ------
    ShiftSegError
        If it holds anything else than numbers.
    """
    import dask.array as da

    if getattr(array.dtype, "kind", "") not in "buifc":
        raise ShiftSegError(f"{name} holds {array.dtype}; legal: numbers")
    # Without a name of its own, dask would name the array by its file, and napari's cache
    # would show the former pixels of a file that was replaced.
    return da.from_array(_Stored(array, name), chunks=array.chunks, name=False)


def by_parts(stored: np.memmap, name: str) -> Any:
    """Wrap pixels that lie in a file as they are as a dask array, in this machine's byte order.

    Parameters
    ----------
    stored
        Numbers.
    name
        Of the file.
    """
    import dask.array as da

    parts = (1,) * (stored.ndim - len(_PART)) + _PART[-stored.ndim :]
    array = da.from_array(_Stored(stored, name), chunks=parts, name=False)
    return array.astype(stored.dtype.newbyteorder("="))


def transposable(array: Any) -> Any:
    """Return numpy arrays as they are, and what else slices as a dask array."""
    if isinstance(array, np.ndarray):
        return array
    import dask.array as da

    return da.asarray(array)
