"""Second pass: give the pixels of a block to modes, and number its connected parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.predict import foreground_of
from napari_shiftseg.labels.bins import assign
from napari_shiftseg.labels.cluster import connected_parts
from napari_shiftseg.tiles.tile import Region, size_of

LABELLED, MODES = "labelled", "modes"


@dataclass(frozen=True)
class Parts:
    """The connected parts of one block, each of one mode; part ``i`` has the number ``i + 1``.

    Parameters
    ----------
    mode, size : (n,) int64
        Mode and pixels of each part.
    first : (n,) int64
        Place of its first pixel in the frame, in raster order.
    low, high : tuple of ndarray
        Per axis the parts at the first and at the last pixel of the block, 0 for none.
    """

    mode: NDArray[np.int64]
    size: NDArray[np.int64]
    first: NDArray[np.int64]
    low: tuple[NDArray[Any], ...]
    high: tuple[NDArray[Any], ...]


def label_block(job: Job, number: int) -> None:
    """Find the connected parts of a block, and keep what joining them needs."""
    frame, region = job.place(number)
    with job.folder.load(MODES, frame) as kept:
        modes = kept["modes"]
    chosen, vectors = foreground_of(job, number)
    by_mode = np.zeros(chosen.shape, np.int64)
    by_mode[chosen] = 1 + assign(vectors, modes, job.order.clustering.bandwidth)
    pixels, parts = parts_in(by_mode, region, job.size)
    faces = {f"low{axis}": face for axis, face in enumerate(parts.low)}
    faces |= {f"high{axis}": face for axis, face in enumerate(parts.high)}
    job.folder.save(
        LABELLED,
        number,
        pixels=pixels.astype(np.min_scalar_type(len(parts.size))),
        mode=parts.mode,
        size=parts.size,
        first=parts.first,
        **faces,
    )


def parts_in(
    by_mode: NDArray[np.int64], region: Region, frame_size: tuple[int, ...]
) -> tuple[NDArray[Any], Parts]:
    """Find the connected parts of a block.

    Parameters
    ----------
    by_mode
        The mode of each pixel, counted from 1; 0 is background.
    region
        Where the block lies in what is wanted of its frame.
    frame_size
        Pixels of that per axis.

    Returns
    -------
    pixels
        The part of each pixel, numbered from 1.
    parts : Parts
        What joining them needs.
    """
    pixels = connected_parts(by_mode)
    values, first, size = np.unique(pixels, return_index=True, return_counts=True)
    first, size = first[values > 0], size[values > 0]
    axes = range(pixels.ndim)
    parts = Parts(
        mode=by_mode.ravel()[first] - 1,
        size=size,
        first=_in_frame(first, region, frame_size),
        low=tuple(pixels.take(0, axis) for axis in axes),
        high=tuple(pixels.take(-1, axis) for axis in axes),
    )
    return pixels, parts


def parts_of(job: Job, number: int) -> Parts:
    """Return what is kept of a block's parts; the pixels are not read."""
    axes = range(len(job.grid.block))
    with job.folder.load(LABELLED, number) as kept:
        return Parts(
            kept["mode"],
            kept["size"],
            kept["first"],
            tuple(kept[f"low{axis}"] for axis in axes),
            tuple(kept[f"high{axis}"] for axis in axes),
        )


def _in_frame(
    places: NDArray[np.int64], region: Region, size: tuple[int, ...]
) -> NDArray[np.int64]:
    """Turn places in a block into places in its frame, both in raster order."""
    block = size_of(region)
    moved = tuple(
        at + part.start for at, part in zip(np.unravel_index(places, block), region, strict=True)
    )
    return np.asarray(np.ravel_multi_index(moved, size), np.int64)
