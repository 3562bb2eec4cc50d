"""From a stitched prediction to an instance label image."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.labels.bins import Binned, BinSummary
from napari_shiftseg.labels.meanshift import mean_shift_modes
from napari_shiftseg.settings import Clustering

_SLAB = 2**22
"""Pixels that are clustered at a time: what bounds the memory of large images."""


def cluster(
    embedding: NDArray[Any], foreground: NDArray[Any] | None, settings: Clustering
) -> NDArray[np.int32]:
    """Cluster the foreground's embeddings into objects.

    Parameters
    ----------
    embedding
        ``(E, *spatial)``.
    foreground
        ``(*spatial)`` probability; None clusters every pixel and calls the largest
        cluster background.
    settings
        Bandwidth, threshold and clean-up.

    Returns
    -------
    (*spatial) int32
        0 is background; objects are numbered from 1 in raster order of their first pixel.
    """
    shape = embedding.shape[1:]
    binned = [
        Binned.of(part[:, chosen].T, settings.bandwidth)
        for _, part, chosen in _slabs(embedding, foreground, settings)
    ]
    summary = BinSummary.merged((part.summary for part in binned), len(embedding))
    modes = mean_shift_modes(summary, settings.bandwidth, min_count=settings.min_size)
    labels = np.zeros(shape, np.int32)
    slabs = _slabs(embedding, foreground, settings)
    for bins, (rows, part, chosen) in zip(binned, slabs, strict=True):
        labels[rows][chosen] = 1 + bins.assign(part[:, chosen].T, modes)
    if foreground is None and len(modes):
        labels[labels == np.bincount(labels.ravel()).argmax()] = 0
    return clean_up(labels, settings)


def clean_up(labels: NDArray[Any], settings: Clustering) -> NDArray[np.int32]:
    """Split distant parts, drop small objects and number the rest in raster order."""
    if settings.split_components:
        labels = connected_parts(labels)
    sizes = np.bincount(labels.ravel())
    kept = sizes >= max(settings.min_size, 1)
    kept[0] = False
    order = np.flatnonzero(kept)
    if not settings.split_components:
        # Components are found in raster order; clusters are not.
        values, first = np.unique(labels, return_index=True)
        order = values[np.argsort(first)]
        order = order[kept[order]]
    number = np.zeros(len(sizes), np.int32)
    number[order] = np.arange(1, len(order) + 1)
    numbered: NDArray[np.int32] = number[labels]
    return numbered


def connected_parts(labels: NDArray[Any]) -> NDArray[Any]:
    """Find the connected components of each label, numbered in raster order; faces connect."""
    flat = np.ascontiguousarray(labels).squeeze()
    flat = flat.reshape((1,) * (2 - flat.ndim) + flat.shape)
    found = cc3d.connected_components(flat, connectivity=4 if flat.ndim == 2 else 6)
    return np.asarray(found).reshape(labels.shape)


def _slabs(
    embedding: NDArray[Any], foreground: NDArray[Any] | None, settings: Clustering
) -> Iterator[tuple[slice, NDArray[Any], NDArray[np.bool_]]]:
    """Cut the first axis into parts of a bounded number of pixels: rows, embedding, chosen."""
    shape = embedding.shape[1:]
    step = max(1, _SLAB // max(1, prod(shape[1:])))
    for start in range(0, shape[0], step):
        rows = slice(start, start + step)
        part = embedding[:, rows]
        inside = None if foreground is None else foreground[rows]
        yield rows, part, pixels_to_cluster(inside, part.shape[1:], settings)


def pixels_to_cluster(
    foreground: NDArray[Any] | None, shape: tuple[int, ...], settings: Clustering
) -> NDArray[np.bool_]:
    """Return ``shape`` bool, the pixels that may belong to an object: all without foreground."""
    if foreground is None:
        return np.ones(shape, bool)
    above: NDArray[np.bool_] = foreground >= settings.foreground_threshold
    return above
