"""One object, from one pixel of it: mean shift that starts where a person clicked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label as connected_components

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.edit import Pixels
from napari_shiftseg.settings import Clustering

_REACH = 32
"""Pixels from the seed to each side of the first window."""

_MAX_STEPS = 300
_TOLERANCE = 1e-3
"""A step shorter than this part of the bandwidth is rest."""


def segment_at(
    embedding: NDArray[Any],
    foreground: NDArray[Any] | None,
    seed: Sequence[int],
    settings: Clustering,
) -> Pixels:
    """Segment the object that holds a pixel.

    The mean of all foreground pixels within one bandwidth is followed from the seed's
    embedding until it rests, or until the seed would be farther from it. The object is what
    lies within one bandwidth of there and is connected to the seed. Only a window around the
    seed is looked at. It grows until the object lies inside of it, so that the time depends on
    the object and not on the image.

    Parameters
    ----------
    embedding
        ``(E, *spatial)``.
    foreground
        ``(*spatial)`` probability; None if every pixel may belong to an object.
    seed
        The pixel, one number per spatial axis.
    settings
        Bandwidth and threshold. Without ``split_components`` the object is all that lies
        within one bandwidth, and the window is the whole image.

    Returns
    -------
    Pixels
        The object's places, as ``numpy.nonzero`` gives them.

    Raises
    ------
    ShiftSegError
        If the seed is not in the image or belongs to no object.
    """
    size = embedding.shape[1:]
    if len(seed) != len(size) or not all(0 <= p < n for p, n in zip(seed, size, strict=True)):
        raise ShiftSegError(f"the pixel {tuple(seed)} is not in the image of {size} pixels")
    for window in _windows(seed, size, whole=not settings.split_components):
        start = [side.start for side in window]
        mask = _object(
            embedding[:, *window],
            None if foreground is None else foreground[window],
            tuple(p - low for p, low in zip(seed, start, strict=True)),
            settings,
        )
        if not _is_cut(mask, start, size):
            break
    if foreground is None and 2 * mask.sum() > np.prod(size):
        raise ShiftSegError("this pixel belongs to what fills most of the image: the background")
    return tuple(place + low for place, low in zip(np.nonzero(mask), start, strict=True))


def _windows(
    seed: Sequence[int], size: Sequence[int], *, whole: bool
) -> Iterator[tuple[slice, ...]]:
    """Yield windows around the seed, each twice as large; the last is the whole image."""
    reach = max(size) if whole else _REACH
    while True:
        yield tuple(slice(max(0, p - reach), p + reach + 1) for p in seed)
        if reach >= max(size):
            return
        reach *= 2


def _object(
    embedding: NDArray[Any],
    foreground: NDArray[Any] | None,
    seed: tuple[int, ...],
    settings: Clustering,
) -> NDArray[np.bool_]:
    """Segment the object in one window."""
    shape = embedding.shape[1:]
    chosen = (
        np.ones(shape, bool) if foreground is None else foreground >= settings.foreground_threshold
    )
    if not chosen[seed]:
        raise ShiftSegError("this pixel is background: click inside of an object")
    vectors = embedding[:, chosen].astype(np.float32)
    mode = _mode(vectors, np.moveaxis(embedding, 0, -1)[seed], settings.bandwidth)
    mask = np.zeros(shape, bool)
    mask[chosen] = _within(vectors, mode, settings.bandwidth)
    if settings.split_components:
        parts = connected_components(mask, connectivity=1)
        mask = parts == parts[seed]
    return mask


def _mode(vectors: NDArray[np.float32], start: NDArray[Any], bandwidth: float) -> NDArray[Any]:
    """Follow the mean of ``(E, n)`` vectors within one bandwidth until it rests, or would be lost.

    Who clicks at a pixel means the object that it is in, even if a larger one is near.
    """
    position = start.astype(np.float64)
    for _ in range(_MAX_STEPS):
        mean = vectors[:, _within(vectors, position, bandwidth)].mean(axis=1, dtype=np.float64)
        if not _within(start.astype(np.float32)[:, None], mean, bandwidth).all():
            break
        step = float(np.linalg.norm(mean - position))
        position = mean
        if step <= _TOLERANCE * bandwidth:
            break
    return position


def _within(
    vectors: NDArray[np.float32], position: NDArray[Any], bandwidth: float
) -> NDArray[np.bool_]:
    difference = vectors - position.astype(np.float32)[:, None]
    within: NDArray[np.bool_] = np.einsum("en,en->n", difference, difference) <= bandwidth**2
    return within


def _is_cut(mask: NDArray[np.bool_], start: Sequence[int], size: Sequence[int]) -> bool:
    """Tell whether the object touches a border of the window that is not the image's."""
    for axis, (low, full) in enumerate(zip(start, size, strict=True)):
        length = mask.shape[axis]
        at_low = low > 0 and mask.take(0, axis).any()
        at_high = low + length < full and mask.take(length - 1, axis).any()
        if at_low or at_high:
            return True
    return False
