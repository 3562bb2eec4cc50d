"""Mean shift with a flat kernel on a summary of the embeddings.

Embeddings are rounded to a fine integer lattice and counted in bins. Sums of integers do
not depend on their order, so neither do the modes: not on tiles, not on workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

_LATTICE = 4096
"""Lattice steps per bandwidth: far below anything that matters, far above rounding."""

_BINS = 8
"""Bins per bandwidth: pixels within an eighth of the bandwidth move together."""

_SHIFT = (_LATTICE // _BINS).bit_length() - 1
"""Bits of the lattice below a bin: both numbers are powers of two."""

_DENSE = 2**23
"""Pairs of positions and bins up to which matrix products beat a tree."""

_PAIRS = 2**19
"""Pairs that are compared at a time: they stay in the caches."""

_SAMPLE, _TREE_COST = 64, 60
"""Seeds that are asked for their neighbours; what a neighbour by the tree costs in pairs."""

_CHUNK = 2**14
"""Positions asked of the tree at a time: what bounds the memory of their neighbours."""

_MARGIN = 3 * _BINS
"""Bins on either side of a slab at first: seeds seldom climb farther than two bandwidths."""

_MAX_STEPS = 300
_TOLERANCE = 1e-3

Resting = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Where seeds have come to rest, ``(n, E)``, and how many pixels are near, ``(n,)``."""


@dataclass(frozen=True)
class BinSummary:
    """Occupied bins of the embedding space; summaries of parts can be added up.

    Parameters
    ----------
    key : (B, E) int64
        Bin coordinates, sorted lexicographically.
    count : (B,) int64
        Pixels in the bin.
    total : (B, E) int64
        Sum of their embeddings in lattice steps.
    """

    key: NDArray[np.int64]
    count: NDArray[np.int64]
    total: NDArray[np.int64]

    @classmethod
    def of(cls, embeddings: NDArray[Any], bandwidth: float) -> BinSummary:
        """Summarise ``(N, E)`` embeddings."""
        lattice = np.rint(embeddings.astype(np.float64) * (_LATTICE / bandwidth)).astype(np.int64)
        return _grouped(lattice >> _SHIFT, np.ones(len(lattice), np.int64), lattice)

    @classmethod
    def empty(cls, dims: int) -> BinSummary:
        """Summarise no embeddings of this length."""
        nothing = np.zeros((0, dims), np.int64)
        return cls(nothing, np.zeros(0, np.int64), nothing)

    def __add__(self, other: BinSummary) -> BinSummary:
        return _grouped(
            np.concatenate([self.key, other.key]),
            np.concatenate([self.count, other.count]),
            np.concatenate([self.total, other.total]),
        )

    @classmethod
    def merged(cls, parts: Iterable[BinSummary], dims: int) -> BinSummary:
        """Add up any number of summaries; each is sorted into others of its own size."""
        stack = [cls.empty(dims)]
        for part in parts:
            stack.append(part)
            while len(stack) > 1 and len(stack[-1].count) * 2 > len(stack[-2].count):
                stack[-2:] = [stack[-2] + stack[-1]]
        while len(stack) > 1:
            stack[-2:] = [stack[-2] + stack[-1]]
        return stack[0]

    def between(self, low: int, high: int) -> BinSummary:
        """Return the bins with a first coordinate from ``low`` on and below ``high``."""
        start, stop = np.searchsorted(self.key[:, 0], (low, high))
        return BinSummary(self.key[start:stop], self.count[start:stop], self.total[start:stop])

    def coarse(self) -> BinSummary:
        """Merge bins to the edge length of one bandwidth."""
        return _grouped(self.key // _BINS, self.count, self.total)


class _Bins:
    """The mean of each occupied bin, and what sums up those near a position."""

    def __init__(self, summary: BinSummary, start: NDArray[np.float64]) -> None:
        self.centre = summary.total / summary.count[:, None]
        self.half_squares = (self.centre**2).sum(1) / 2
        self.sums = np.column_stack([summary.count, summary.total]).astype(np.float64)
        self._start = start

    @cached_property
    def tree(self) -> KDTree:
        """Built when it is first asked; few bins do without."""
        return KDTree(self.centre)

    @cached_property
    def crowded(self) -> bool:
        """Whether so many bins are near a seed that comparing all costs less than a tree."""
        some = self._start[:: max(1, len(self._start) // _SAMPLE)]
        near = self.tree.query_ball_point(some, _LATTICE, return_length=True)
        return bool(near.mean() * _TREE_COST > len(self.centre))


def mean_shift_modes(
    summary: BinSummary, bandwidth: float, *, min_count: int = 1
) -> NDArray[np.float64]:
    """Find the modes of a density with a flat kernel.

    Parameters
    ----------
    summary
        The embeddings.
    bandwidth
        Radius of the kernel, as given to :meth:`BinSummary.of`.
    min_count
        Modes with fewer pixels within the kernel are dropped.

    Returns
    -------
    (M, E) float64
        Modes in units of the embedding, the one with most pixels first. Of two modes
        within one bandwidth the one with more pixels stays, as in scikit-learn.
    """
    if len(summary.count) == 0:
        return np.zeros((0, summary.key.shape[1]))
    seeds = summary.coarse()
    found = _climb(summary, seeds.total / seeds.count[:, None])
    return _modes([found], bandwidth, min_count)


def mean_shift_modes_by_slabs(
    slabs: Slabs, bandwidth: float, *, min_count: int = 1
) -> NDArray[np.float64]:
    """Find the modes of more bins than fit into memory, slab by slab of the first dimension.

    A seed sees what lies within one bandwidth of it. So it climbs with the bins of its slab
    and of a margin, which grows until no seed of the slab comes near to its end: the modes
    are exactly those of :func:`mean_shift_modes`.

    Parameters
    ----------
    slabs
        The bins, to be asked for part by part.
    bandwidth, min_count
        As of :func:`mean_shift_modes`.
    """
    edges = slabs.edges
    found = [_climb_in_slab(slabs, low, high) for low, high in pairwise(edges)]
    if not found:
        return np.zeros((0, slabs.dims))
    return _modes(found, bandwidth, min_count)


class Slabs:
    """Summaries that are kept elsewhere, asked for by a range of their first bin coordinate.

    Parameters
    ----------
    between
        Returns the bins with a first coordinate from ``low`` on and below ``high``.
    coordinates, counts : (n,) int64
        First coordinates, in rising order, and how many bins there are at each.
    dims
        Length of the embeddings.
    most
        Bins of a slab, at most about.
    """

    def __init__(
        self,
        between: Callable[[int, int], BinSummary],
        coordinates: NDArray[np.int64],
        counts: NDArray[np.int64],
        dims: int,
        most: int = 2**18,
    ) -> None:
        self.between, self.dims = between, dims
        self.edges: list[int] = []
        if len(coordinates) == 0:
            return
        # Seeds are bins of one bandwidth, which no edge may cut.
        coarse, first = np.unique(coordinates // _BINS, return_index=True)
        sizes = np.add.reduceat(counts, first)
        filled = np.cumsum(sizes) - sizes
        start = np.unique(filled // most, return_index=True)[1]
        self.edges = [*(coarse[start] * _BINS).tolist(), int(coarse[-1] + 1) * _BINS]


def _climb_in_slab(slabs: Slabs, low: int, high: int) -> Resting:
    """Move the seeds between two first coordinates until they rest."""
    margin = _MARGIN
    while True:
        bottom, top = max(low - margin, slabs.edges[0]), min(high + margin, slabs.edges[-1])
        summary = slabs.between(bottom, top)
        seeds = summary.between(low, high).coarse()
        sees_all = (
            -np.inf if bottom == slabs.edges[0] else (bottom + _BINS) * (_LATTICE // _BINS),
            np.inf if top == slabs.edges[-1] else (top - _BINS) * (_LATTICE // _BINS),
        )
        try:
            return _climb(summary, seeds.total / seeds.count[:, None], sees_all)
        except _OutOfSight:
            margin *= 2


class _OutOfSight(Exception):
    """A seed has come to where it does not see all that is near it."""


def _modes(found: list[Resting], bandwidth: float, min_count: int) -> NDArray[np.float64]:
    position = np.concatenate([p for p, _ in found])
    count = np.concatenate([c for _, c in found])
    enough = count >= min_count
    return _strongest(position[enough], count[enough]) * (bandwidth / _LATTICE)


def assign(
    embeddings: NDArray[Any], modes: NDArray[np.float64], bandwidth: float
) -> NDArray[np.int64]:
    """Give each of ``(N, E)`` embeddings the index of its nearest mode."""
    if len(modes) == 0 or len(embeddings) == 0:
        return np.full(len(embeddings), -1, np.int64)
    step = bandwidth / _LATTICE
    lattice = np.rint(embeddings.astype(np.float64) / step) * step
    nearest: NDArray[np.int64] = KDTree(modes).query(lattice, workers=-1)[1].astype(np.int64)
    return nearest


def _climb(
    summary: BinSummary,
    start: NDArray[np.float64],
    sees_all: tuple[float, float] = (-np.inf, np.inf),
) -> Resting:
    """Move each seed to the mean of the pixels around it until it rests.

    Seeds that see the same pixels have the same mean and go on as one: what makes it fast
    where many seeds climb one mode. ``sees_all`` is the range of first lattice coordinates
    in which the summary holds all that is near; outside of it _OutOfSight is raised.
    """
    bins = _Bins(summary, start)
    resting: list[Resting] = []
    position = start
    for step in range(_MAX_STEPS):
        first = position[:, 0]
        if len(first) and (first.min() < sees_all[0] or first.max() >= sees_all[1]):
            raise _OutOfSight
        mean, count = _kernel_mean(bins, position)
        moving = np.linalg.norm(mean - position, axis=1) > _TOLERANCE * _LATTICE
        if step == _MAX_STEPS - 1:
            moving[:] = False
        resting.append((mean[~moving], count[~moving]))
        position = np.unique(mean[moving], axis=0)
        if len(position) == 0:
            break
    return np.concatenate([p for p, _ in resting]), np.concatenate([c for _, c in resting])


def _kernel_mean(
    bins: _Bins, position: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the pixels within one bandwidth of each position, and how many they are.

    All sums are of integers below 2^53, so both ways of adding give the same.
    """
    few = len(position) * len(bins.centre) <= _DENSE
    way, size = _dense_sums, max(1, _PAIRS // len(bins.centre))
    if not few and not bins.crowded:
        way, size = _sparse_sums, _CHUNK
    parts = [position[start : start + size] for start in range(0, len(position), size)]
    sums = np.concatenate([way(bins, part) for part in parts])
    count, found = sums[:, 0], sums[:, 0] > 0
    mean = position.copy()
    mean[found] = sums[found, 1:] / count[found, None]
    return mean, count.astype(np.int64)


def _dense_sums(bins: _Bins, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare every position with every bin: two matrix products, ``(n, 1 + E)``."""
    product = position @ bins.centre.T
    product -= bins.half_squares
    near = product >= ((position**2).sum(1)[:, None] - _LATTICE**2) / 2
    return np.asarray(near.astype(np.float64) @ bins.sums)


def _sparse_sums(bins: _Bins, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ask the tree for the bins around each position: ``(n, 1 + E)``."""
    near = bins.tree.query_ball_point(position, _LATTICE, workers=-1, return_sorted=False)
    sizes = np.fromiter(map(len, near), np.int64, len(near))
    sums = np.zeros((len(position), bins.sums.shape[1]))
    found = sizes > 0
    if found.any():
        members = np.concatenate(near[found]).astype(np.int64)
        offsets = np.cumsum(sizes[found]) - sizes[found]
        sums[found] = np.add.reduceat(bins.sums[members], offsets, axis=0)
    return sums


def _strongest(position: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Keep the modes that no stronger mode has within one bandwidth."""
    order = np.lexsort((*position.T, -count))
    position = position[order]
    keep = np.ones(len(position), bool)
    near = KDTree(position).query_ball_point(position, _LATTICE) if len(position) else []
    for index, others in enumerate(near):
        if keep[index]:
            keep[[other for other in others if other > index]] = False
    return position[keep]


def _grouped(
    key: NDArray[np.int64], count: NDArray[np.int64], total: NDArray[np.int64]
) -> BinSummary:
    """Add up the rows that share a key."""
    if len(key) == 0:
        return BinSummary(key, count, total)
    code = _code(key)
    order = np.argsort(code, kind="stable") if code is not None else np.lexsort(key.T[::-1])
    # Of numbers one comparison tells neighbours apart, of rows as many as there are columns.
    sorted_key = key[order] if code is None else code[order][:, None]
    first = np.flatnonzero(np.concatenate([[True], (sorted_key[1:] != sorted_key[:-1]).any(1)]))
    return BinSummary(
        key[order[first]],
        np.add.reduceat(count[order], first),
        np.add.reduceat(total[order], first, axis=0),
    )


def _code(key: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Give ``(n, E)`` keys numbers in their lexicographic order; None if 63 bits are too few."""
    low = key.min(axis=0)
    spans = [int(span) for span in key.max(axis=0) - low + 1]
    if prod(spans) >= 2**63:
        return None
    code = np.zeros(len(key), np.int64)
    for column, span in enumerate(spans):
        code *= span
        code += key[:, column] - low[column]
    return code
