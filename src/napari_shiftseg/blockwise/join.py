"""From the parts of all blocks to objects: what meets at a border of two blocks is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_shiftseg.blockwise.blocks import BlockGrid
from napari_shiftseg.blockwise.label import Parts
from napari_shiftseg.settings import Clustering


@dataclass(frozen=True)
class Numbering:
    """Which object each part of each block belongs to.

    Parameters
    ----------
    of_block
        Per block ``(1 + parts,)`` uint32: the object of each part, 0 where there is none.
    objects
        How many objects there are.
    """

    of_block: tuple[NDArray[np.uint32], ...]
    objects: int


def join(
    blocks: Sequence[Parts], grid: BlockGrid, settings: Clustering, *, foreground: bool
) -> Numbering:
    """Join the parts of one frame's blocks to objects.

    Parameters
    ----------
    blocks
        In the order of the grid.
    grid
        How they lie.
    settings
        Least size, and whether the parts of one mode are objects of their own.
    foreground
        Whether background was left out; else the mode with most pixels is background.

    Returns
    -------
    Numbering
        Objects are numbered from 1 in raster order of their first pixel: the same labels
        as of one block that holds the whole frame.
    """
    offsets = np.concatenate([[0], np.cumsum([len(parts.size) for parts in blocks])])
    mode = np.concatenate([parts.mode for parts in blocks])
    size = np.concatenate([parts.size for parts in blocks])
    first = np.concatenate([parts.first for parts in blocks])
    if settings.split_components:
        group = _touching(blocks, grid, offsets, mode)
    else:
        group = np.unique(mode, return_inverse=True)[1]
    if not foreground and len(mode):
        size[mode == np.bincount(mode, size).argmax()] = 0
    number = _numbers(group, size, first, settings.min_size)
    per_block = np.split(number.astype(np.uint32), offsets[1:-1])
    return Numbering(
        tuple(np.concatenate([np.zeros(1, np.uint32), numbers]) for numbers in per_block),
        int(number.max(initial=0)),
    )


def _touching(
    blocks: Sequence[Parts], grid: BlockGrid, offsets: NDArray[np.int64], mode: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Group the parts of one mode that touch across the borders of blocks."""
    pairs = [np.zeros((0, 2), np.int64)]
    for axis, before, behind in grid.faces():
        last, next_ = blocks[before].high[axis].ravel(), blocks[behind].low[axis].ravel()
        both = (last > 0) & (next_ > 0)
        touching = np.stack([last[both], next_[both]], axis=1).astype(np.int64) - 1
        touching += np.array([offsets[before], offsets[behind]])
        touching = np.unique(touching, axis=0)
        pairs.append(touching[mode[touching[:, 0]] == mode[touching[:, 1]]])
    row, column = np.concatenate(pairs).T
    graph = coo_array((np.ones(len(row), bool), (row, column)), shape=(len(mode), len(mode)))
    group: NDArray[np.int64] = connected_components(graph, directed=False)[1]
    return group


def _numbers(
    group: NDArray[np.int64], size: NDArray[np.int64], first: NDArray[np.int64], min_size: int
) -> NDArray[np.int64]:
    """Count the groups that are large enough, by their first pixel; 0 for the others."""
    count = int(group.max(initial=-1)) + 1
    pixels = np.bincount(group, size, minlength=count)
    begin = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(begin, group, first)
    order = np.argsort(begin, kind="stable")
    order = order[pixels[order] >= max(min_size, 1)]
    number = np.zeros(count, np.int64)
    number[order] = np.arange(1, len(order) + 1)
    return number[group]
