"""Mean shift with a flat kernel on a summary of the embeddings.

Embeddings are rounded to a fine integer lattice and counted in bins. Sums of integers do
not depend on their order, so neither do the modes: not on tiles, not on workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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

_PAIRS = 2**20
"""Pairs that are compared at a time, which bounds their memory."""

_SAMPLE, _TREE_COST = 64, 60
"""Seeds that are asked for their neighbours; what a neighbour by the tree costs in pairs."""

_CHUNK = 2**14
"""Positions asked of the tree at a time: what bounds the memory of their neighbours."""

_TABLE = 4
"""Possible bins per pixel up to which a table of them beats sorting."""

_MARGIN = 3 * _BINS
"""Bins on either side of a slab at first: seeds seldom climb farther than two bandwidths."""

_PART = 2**19
"""Embeddings that are binned at a time: binning takes many times their memory."""

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
        starts = range(0, len(embeddings), _PART)
        parts = (Binned.of(embeddings[at : at + _PART], bandwidth).summary for at in starts)
        return cls.merged(parts, embeddings.shape[1])

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
        )[0]

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
        return _grouped(self.key // _BINS, self.count, self.total)[0]


@dataclass(frozen=True)
class Binned:
    """The bins of embeddings, and which one each lies in.

    Parameters
    ----------
    summary
        The bins.
    bin_of : (N,) int32
        Which bin each embedding lies in.
    bandwidth
        Of mean shift.
    """

    summary: BinSummary
    bin_of: NDArray[np.int32]
    bandwidth: float

    @classmethod
    def of(cls, embeddings: NDArray[Any], bandwidth: float) -> Binned:
        """Sort ``(N, E)`` embeddings into bins."""
        lattice = _on_lattice(embeddings, bandwidth)
        summary, bin_of = _grouped(lattice >> _SHIFT, None, lattice)
        return cls(summary, bin_of, bandwidth)

    def assign(self, embeddings: NDArray[Any], modes: NDArray[np.float64]) -> NDArray[np.int64]:
        """Give each of the same embeddings the index of its nearest mode; -1 if there is none.

        All of a bin have the same one if the second nearest is farther by more than the bin
        is wide. Only in the others each is asked for itself.
        """
        if len(modes) < 2:
            return np.full(len(self.bin_of), len(modes) - 1, np.int64)
        step = self.bandwidth / _LATTICE
        middle = (self.summary.key + 0.5) * (2**_SHIFT * step)
        tree = KDTree(modes)
        distance, nearest = tree.query(middle, k=2, workers=-1)
        wide = 2**_SHIFT * step * np.sqrt(modes.shape[1])
        unclear = distance[:, 1] - distance[:, 0] <= 1.001 * wide
        found: NDArray[np.int64] = nearest[self.bin_of, 0].astype(np.int64)
        asked = np.flatnonzero(unclear[self.bin_of])
        lattice = _on_lattice(embeddings[asked], self.bandwidth)
        found[asked] = tree.query(lattice * step, workers=-1)[1]
        return found


class _Bins:
    """The mean of each occupied bin, and what sums up those near a position.

    The bins are ordered along the axis on which they are spread most: those near a position
    lie in a span of it.
    """

    def __init__(self, summary: BinSummary, start: NDArray[np.float64]) -> None:
        centre = summary.total / summary.count[:, None]
        self.axis = int(np.argmax(np.ptp(centre, axis=0)))
        order = np.argsort(centre[:, self.axis])
        self.centre = centre[order]
        self.along = self.centre[:, self.axis].copy()
        self.lifted = np.column_stack([self.centre, (self.centre**2).sum(1) / 2])
        sums = np.column_stack([summary.count, summary.total])
        self.sums = sums[order].astype(np.float64)
        self._start = start

    def spans(self, along: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the bins begin and end that may be near positions on the axis."""
        first = np.searchsorted(self.along, along - _LATTICE)
        return first, np.searchsorted(self.along, along + _LATTICE, side="right")

    @cached_property
    def tree(self) -> KDTree:
        """Built when it is first asked; few bins do without."""
        return KDTree(self.centre)

    @cached_property
    def crowded(self) -> bool:
        """Whether so many bins are near a seed that comparing all costs less than a tree."""
        some = self._start[:: max(1, len(self._start) // _SAMPLE)]
        near = self.tree.query_ball_point(some, _LATTICE, return_length=True)
        first, stop = self.spans(some[:, self.axis])
        return bool(near.mean() * _TREE_COST > (stop - first).mean())


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
    """Give each of ``(N, E)`` embeddings the index of its nearest mode; -1 if there is none."""
    found = np.empty(len(embeddings), np.int64)
    for start in range(0, len(embeddings), _PART):
        part = embeddings[start : start + _PART]
        found[start : start + _PART] = Binned.of(part, bandwidth).assign(part, modes)
    return found


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
    order = np.argsort(position[:, bins.axis])
    ordered = position[order]
    first, stop = bins.spans(ordered[:, bins.axis])
    few = int((stop - first).sum()) <= _DENSE
    sums = np.empty((len(position), bins.sums.shape[1]))
    sums[order] = (_dense_sums if few or bins.crowded else _sparse_sums)(bins, ordered)
    count, found = sums[:, 0], sums[:, 0] > 0
    mean = position.copy()
    mean[found] = sums[found, 1:] / count[found, None]
    return mean, count.astype(np.int64)


def _dense_sums(bins: _Bins, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare positions with all bins of their span: two matrix products, ``(n, 1 + E)``."""
    sums = np.empty((len(position), bins.sums.shape[1]))
    lifted = np.column_stack([position, -np.ones(len(position))])
    reach = ((position**2).sum(1) - _LATTICE**2) / 2
    for part, near in _groups(bins, position):
        product = lifted[part] @ bins.lifted[near].T
        np.greater_equal(product, reach[part, None], out=product)
        sums[part] = product @ bins.sums[near]
    return sums


def _groups(bins: _Bins, position: NDArray[np.float64]) -> Iterator[tuple[slice, slice]]:
    """Cut ordered positions where they reach half a bandwidth farther: parts, and their bins.

    Wider groups compare more pairs in vain, narrower ones make matrices that are too small.
    """
    along = position[:, bins.axis]
    first, stop = bins.spans(along)
    start = 0
    while start < len(along):
        end = int(np.searchsorted(along, along[start] + _LATTICE / 2, side="right"))
        near = slice(int(first[start]), int(stop[end - 1]))
        size = max(1, _PAIRS // max(1, near.stop - near.start))
        for at in range(start, end, size):
            yield slice(at, min(at + size, end)), near
        start = end


def _sparse_sums(bins: _Bins, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ask the tree for the bins around each position: ``(n, 1 + E)``."""
    sums = np.zeros((len(position), bins.sums.shape[1]))
    for start in range(0, len(position), _CHUNK):
        part = position[start : start + _CHUNK]
        near = bins.tree.query_ball_point(part, _LATTICE, workers=-1, return_sorted=False)
        sizes = np.fromiter(map(len, near), np.int64, len(near))
        found = sizes > 0
        if found.any():
            members = np.concatenate(near[found]).astype(np.int64)
            offsets = np.cumsum(sizes[found]) - sizes[found]
            added = np.add.reduceat(bins.sums[members], offsets, axis=0)
            sums[start : start + _CHUNK][found] = added
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


def _on_lattice(embeddings: NDArray[Any], bandwidth: float) -> NDArray[np.int64]:
    # Column by column, as all that follows goes through them.
    steps = embeddings.astype(np.float64, order="F")
    steps *= _LATTICE / bandwidth
    return np.rint(steps, out=steps).astype(np.int64)


def _grouped(
    key: NDArray[np.int64], count: NDArray[np.int64] | None, total: NDArray[np.int64]
) -> tuple[BinSummary, NDArray[np.int32]]:
    """Add up the rows that share a key, in the order of keys; and say where each row went.

    Without ``count`` each row is one pixel.
    """
    group = _groups_of(key)
    groups = int(group.max(initial=-1)) + 1
    member = np.empty(groups, np.int64)
    member[group] = np.arange(len(key))

    def added(values: NDArray[np.int64] | None) -> NDArray[np.int64]:
        # In doubles, which hold sums of integers below 2^53 exactly.
        return np.bincount(group, values, minlength=groups).astype(np.int64)

    totals = [added(column) for column in total.T]
    return BinSummary(key[member], added(count), np.stack(totals, axis=1)), group


def _groups_of(key: NDArray[np.int64]) -> NDArray[np.int32]:
    """Give each of ``(n, E)`` keys the place of its value in their lexicographic order."""
    group = np.zeros(len(key), np.int32)
    if len(key) == 0:
        return group
    code = _code(key)
    if code is not None and (largest := int(code.max())) < _TABLE * len(key):
        present = np.zeros(largest + 1, bool)
        present[code] = True
        return np.cumsum(present, dtype=np.int32)[code] - np.int32(1)
    order = np.argsort(code) if code is not None else np.lexsort(key.T[::-1])
    # Of numbers one comparison tells neighbours apart, of rows as many as there are columns.
    ordered = key[order] if code is None else code[order][:, None]
    group[order[1:]] = np.cumsum((ordered[1:] != ordered[:-1]).any(1), dtype=np.int32)
    return group


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
