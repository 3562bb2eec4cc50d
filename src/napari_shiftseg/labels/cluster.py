"""From a stitched prediction to an instance label image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label as connected_components

from napari_shiftseg.labels.meanshift import BinSummary, assign, mean_shift_modes
from napari_shiftseg.settings import Clustering


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
    chosen = (
        np.ones(shape, bool) if foreground is None else foreground >= settings.foreground_threshold
    )
    vectors = embedding[:, chosen].T
    modes = mean_shift_modes(
        BinSummary.of(vectors, settings.bandwidth),
        settings.bandwidth,
        min_count=settings.min_size,
    )
    labels = np.zeros(shape, np.int64)
    labels[chosen] = 1 + assign(vectors, modes, settings.bandwidth)
    if foreground is None and len(modes):
        labels[labels == np.bincount(labels.ravel()).argmax()] = 0
    return clean_up(labels, settings)


def clean_up(labels: NDArray[Any], settings: Clustering) -> NDArray[np.int32]:
    """Split distant parts, drop small objects and number the rest in raster order."""
    if settings.split_components:
        labels = connected_components(labels, connectivity=1, background=0)
    sizes = np.bincount(labels.ravel())
    small = sizes < settings.min_size
    small[0] = True
    kept = np.where(small[labels], 0, labels)
    return _numbered_in_raster_order(kept)


def _numbered_in_raster_order(labels: NDArray[Any]) -> NDArray[np.int32]:
    values, first = np.unique(labels, return_index=True)
    order = values[np.argsort(first)]
    number = np.zeros(int(values.max(initial=0)) + 1, np.int32)
    order = order[order > 0]
    number[order] = np.arange(1, len(order) + 1)
    numbered: NDArray[np.int32] = number[labels]
    return numbered
