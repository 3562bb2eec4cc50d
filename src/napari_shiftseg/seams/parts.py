"""Labels that are no names of objects, because each tile counted its objects from 1."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_shiftseg.seams.numbered import names_of, numbered

_FILLED = 0.25
"""Share of its bounding box below which a label may be several objects."""

_ALONE = 0.75
"""Share of parts that are the only one of their label in a tile, where each counts from 1."""

_LOOKED_AT = 2**23
"""Pixels of labels that are looked at; of larger ones every second, third ... along each axis."""

_TILES = 256
"""Tiles that are looked at."""

_MOST_AXES = 3


def may_be_reused(labels: NDArray[Any]) -> bool:
    """Tell whether most labels, if each were one object, would span an image and fill little of it.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background.
    """
    if labels.ndim > _MOST_AXES:
        return False
    step = max(1, round((labels.size / _LOOKED_AT) ** (1 / labels.ndim)))
    names, numbers = numbered(labels[(slice(None, None, step),) * labels.ndim])
    if len(names) < 2:
        return False
    pixels = np.bincount(numbers.reshape(-1))[1:]
    scattered = 0
    for count, box in zip(pixels, find_objects(numbers), strict=True):
        edges = [part.stop - part.start for part in box]
        spans = any(2 * edge > size for edge, size in zip(edges, numbers.shape, strict=True))
        scattered += spans and count < _FILLED * np.prod(edges)
    return 2 * scattered > len(pixels)


def count_from_1(
    labels: NDArray[Any], parts: NDArray[Any], tile: tuple[int, ...], offset: tuple[int, ...]
) -> bool:
    """Tell whether in each tile a label names one part, and in most of them another one.

    Parameters
    ----------
    labels, parts
        ``(*spatial)``: labels, and their connected parts.
    tile, offset
        Of the grid, in pixels per axis; 0 for an axis without lines.
    """
    lines = [
        list(pairwise([0, *range(o or t, n, t), n] if t else [0, n]))
        for t, o, n in zip(tile, offset, labels.shape, strict=True)
    ]
    tiles = list(product(*lines))
    names: set[int] = set()
    used = found = 0
    for spans in tiles[:: -(-len(tiles) // _TILES)]:
        box = tuple(slice(*span) for span in spans)
        here = names_of(labels[box]).tolist()
        names.update(here)
        used += len(here)
        found += len(names_of(parts[box]))
    return used >= _ALONE * found and used > len(names)


def separate_parts(labels: Any, frames: int = 0) -> NDArray[Any]:
    """Give each connected part of a label a label of its own.

    Parameters
    ----------
    labels
        ``([*frames], *spatial)`` integers with up to 3 spatial axes, 0 is background.
    frames
        How many of the first axes are no space: in each frame labels begin at 1.

    Returns
    -------
    ndarray
        Of the same type, or of a larger one that holds them.
    """
    labels = np.asarray(labels)
    found = {index: _parts(labels[index]) for index in np.ndindex(labels.shape[:frames])}
    most = max((int(parts.max(initial=0)) for parts in found.values()), default=0)
    kind = np.promote_types(labels.dtype, np.min_scalar_type(most))
    if not frames:
        return found[()].astype(kind, copy=False)
    separate = np.zeros(labels.shape, kind)
    for index, parts in found.items():
        separate[index] = parts
    return separate


def _parts(labels: NDArray[Any]) -> NDArray[Any]:
    """Give the parts of one frame numbers; pixels that touch at a corner belong together."""
    shape = labels.shape if labels.ndim > 1 else (1, *labels.shape)
    numbers = numbered(labels)[1].reshape(shape)
    parts = cc3d.connected_components(numbers, connectivity=8 if len(shape) == 2 else 26)
    return np.asarray(parts).reshape(labels.shape)
