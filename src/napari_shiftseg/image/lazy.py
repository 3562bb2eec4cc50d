"""Arrays that are read when they are computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.readable import reason

MOST_AT_ONCE = 2**31
"""Bytes that a compressed part of a file may decode to; a file that claims more is a trap."""

_EDGE, _PART_BYTES = 512, 2**20
"""Pixels along an axis, and bytes, that are read at once of a file without parts of its own."""


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


class _Mapped:
    """Pixels that lie in a file as they are: mapped part by part, as long as it is that file.

    A file that is written anew while it is mapped would end the process.
    """

    def __init__(self, stored: np.memmap, path: Path) -> None:
        self._path, self._stamp, self._offset = path, _stamp(path), stored.offset
        self._order: Literal["C", "F"] = "C" if stored.flags.c_contiguous else "F"
        self.shape, self.dtype, self.ndim = stored.shape, stored.dtype, stored.ndim

    def __getitem__(self, part: Any) -> Any:
        if _stamp(self._path) != self._stamp:
            raise ValueError("it was written anew since it was opened; open it again")
        stored: np.memmap = np.memmap(
            self._path, self.dtype, "r", self._offset, self.shape, self._order
        )
        return np.array(stored[part])


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def by_parts(stored: np.memmap, path: Path) -> Any:
    """Wrap pixels that lie in a file as they are as a dask array, in this machine's byte order.

    Parameters
    ----------
    stored
        Numbers.
    path
        The file.
    """
    import dask.array as da

    source = _Stored(_Mapped(stored, path), str(path))
    array = da.from_array(source, chunks=_parts(stored), name=False)
    return array.astype(stored.dtype.newbyteorder("="))


def _parts(stored: np.memmap) -> tuple[int, ...]:
    """Choose parts of an array: short axes whole, long ones by an edge, the last ones first."""
    room, parts = _PART_BYTES // stored.dtype.itemsize, []
    for size in reversed(stored.shape):
        parts.append(max(1, min(size, _EDGE, room)))
        room //= parts[-1]
    return tuple(reversed(parts))


def transposable(array: Any) -> Any:
    """Return numpy arrays as they are, and what else slices as a dask array."""
    if isinstance(array, np.ndarray):
        return array
    import dask.array as da

    return da.asarray(array)
