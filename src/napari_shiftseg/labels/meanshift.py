"""Mean shift with a flat kernel on a summary of the embeddings.

The modes depend on nothing but the summary: not on tiles, not on workers. They are those of
scikit-learn with ``bin_seeding=True``, whose seeds these are, but for the width of a bin. A bin
on the rim of the kernel counts by the share of it that lies within: if it were in or out as a
whole, the mean would not change while the kernel moves by less than a bin, and seeds would
rest on slopes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from napari_shiftseg.labels.bins import BINS, LATTICE, BinSummary, Slabs

_DENSE = 2**23
"""Pairs of positions and bins up to which matrix products beat a tree."""

_PAIRS = 2**20
"""Pairs that are compared at a time, which bounds their memory."""

_SMALL = 2**16
"""Pairs of a group that are compared at once, instead of leaving out more that are far."""

_SHARES = 16
"""Parts of a bin that the rim of the kernel can cut off: sums stay sums of integers."""

_SLOPE = _SHARES * BINS / LATTICE**2
"""Shares that a bin loses per unit of half its squared distance: all over its own width."""

_RIM = LATTICE * (1 + 1 / BINS) ** 0.5
"""How far from a position a bin may be of which a part is near it."""

_REACH = int(_RIM) + 2
"""The same, and the width of a column; more by what rounding may do."""

_ALIKE = LATTICE // 32
"""Edge of a cell of the embedding space in which seeds that climb are taken for one."""

_SAMPLE, _TREE_COST = 64, 60
"""Seeds that are asked for their neighbours; what a neighbour by the tree costs in pairs."""

_CHUNK = 2**12
"""Positions asked of the tree at a time: what bounds the memory of their neighbours."""

_MARGIN = 3 * BINS
"""Bins on either side of a slab at first: seeds seldom climb farther than two bandwidths."""

_MAX_STEPS = 300
_TOLERANCE = 1e-3

Resting = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Where seeds rest, ``(n, E)``, and how many pixels are near, in shares of a pixel, ``(n,)``."""


class _Ordered(NamedTuple):
    """Positions in the order of the bins, with where the bins of three columns begin and end."""

    order: NDArray[np.int64]
    position: NDArray[np.float64]
    column: NDArray[np.int64]
    across: NDArray[np.float64]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]

    @property
    def compared(self) -> int:
        """Pairs of positions and bins, if all bins of the columns are looked at."""
        return int((self.stop - self.first).sum())


class _Means:
    """The mean of each occupied bin, and what sums up those near a position.

    The bins are seen along the two directions in which they are spread most: in columns of the
    first, ordered along the second. Those near a position lie in a few columns, and in a span
    of each.
    """

    def __init__(self, summary: BinSummary, some: NDArray[np.float64]) -> None:
        centre = _means(summary)
        self.directions = _widest(centre)
        self._some = some
        column, across = self.placed(centre)
        order = np.lexsort((across, column))
        self.centre, self._column, self._across = centre[order], column[order], across[order]
        half = (self.centre**2).sum(1) / 2
        self.lifted = np.vstack([self.centre.T, half, np.ones(len(half))])
        sums = np.column_stack([summary.count, summary.total])
        self.sums = sums[order].astype(np.float64)

    def placed(
        self, position: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the column of each position, and where along it the position is."""
        along, across = (position @ self.directions).T
        return np.floor(along / _REACH).astype(np.int64), across

    def ordered(self, position: NDArray[np.float64]) -> _Ordered:
        """Put positions into the order of the bins."""
        column, across = self.placed(position)
        order = np.lexsort((across, column))
        column = column[order]
        first = np.searchsorted(self._column, column - 1)
        stop = np.searchsorted(self._column, column + 2)
        return _Ordered(order, position[order], column, across[order], first, stop)

    def spans(self, column: int, low: float, high: float) -> list[slice]:
        """Return the bins of a column and of its neighbours between two places along them."""
        edges = np.searchsorted(self._column, np.arange(column - 1, column + 3))
        cut = [
            start + np.searchsorted(self._across[start:stop], (low, high))
            for start, stop in pairwise(edges)
        ]
        return [slice(int(first), int(end)) for first, end in cut]

    @cached_property
    def tree(self) -> KDTree:
        """Built when it is first asked; few bins do without."""
        return KDTree(self.centre)

    @cached_property
    def crowded(self) -> bool:
        """Whether so many bins are near a seed that comparing all costs less than a tree."""
        some = self._some[:: max(1, len(self._some) // _SAMPLE)]
        near = self.tree.query_ball_point(some, _RIM, return_length=True)
        return bool(near.mean() * _TREE_COST > self.ordered(some).compared / len(some))


def _means(summary: BinSummary) -> NDArray[np.float64]:
    """Return the mean of each bin in lattice steps, ``(B, E)``."""
    means: NDArray[np.float64] = summary.total / summary.count[:, None]
    return means


def _widest(centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two orthogonal directions of most variance, ``(E, 2)``."""
    around = centre - centre.mean(axis=0)
    _, directions = np.linalg.eigh(around.T @ around)
    found = np.zeros((centre.shape[1], 2))
    found[:, : directions.shape[1]] = directions[:, :-3:-1]
    return found


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
    return _modes([_climb(summary, summary.coarse())], bandwidth, min_count)


def mean_shift_modes_by_slabs(
    slabs: Slabs, bandwidth: float, *, min_count: int = 1
) -> NDArray[np.float64]:
    """Find the modes of more bins than fit into memory, slab by slab of the first dimension.

    A seed sees what lies within one bandwidth of it, and half a bin more. So it climbs with the
    bins of its slab and of a margin, which grows until no seed of the slab comes near to its
    end: the modes are exactly those of :func:`mean_shift_modes`.

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


def _climb_in_slab(slabs: Slabs, low: int, high: int) -> Resting:
    """Move the seeds between two first coordinates until they rest."""
    margin = _MARGIN
    while True:
        bottom, top = max(low - margin, slabs.edges[0]), min(high + margin, slabs.edges[-1])
        summary = slabs.between(bottom, top)
        seeds = summary.between(low, high).coarse()
        sees_all = (
            -np.inf if bottom == slabs.edges[0] else bottom * (LATTICE // BINS) + _REACH,
            np.inf if top == slabs.edges[-1] else top * (LATTICE // BINS) - _REACH,
        )
        try:
            return _climb(summary, seeds, sees_all)
        except _OutOfSight:
            margin *= 2


class _OutOfSight(Exception):
    """A seed has come to where it does not see all that is near it."""


def _modes(found: list[Resting], bandwidth: float, min_count: int) -> NDArray[np.float64]:
    position = np.concatenate([p for p, _ in found])
    weight = np.concatenate([w for _, w in found])
    enough = weight >= max(min_count, 1) * _SHARES
    return _strongest(position[enough], weight[enough]) * (bandwidth / LATTICE)


def _climb(
    summary: BinSummary, seeds: BinSummary, sees_all: tuple[float, float] = (-np.inf, np.inf)
) -> Resting:
    """Move each seed to the mean of the pixels around it until it rests.

    A seed begins in the centre of its cell as in scikit-learn; if no pixel is near that, then
    in the mean of its own. Seeds that have come to the same place go on as one, if their cells
    had the same first coordinate: no slab parts them. ``sees_all`` is the range of first lattice
    coordinates in which the summary holds all that is near; outside of it _OutOfSight is raised.
    """
    own = _means(seeds)
    bins = _Means(summary, own)
    resting: list[Resting] = []
    position, family = (seeds.key * LATTICE).astype(np.float64), seeds.key[:, 0]
    for step in range(_MAX_STEPS):
        first = position[:, 0]
        if len(first) and (first.min() < sees_all[0] or first.max() >= sees_all[1]):
            raise _OutOfSight
        mean, weight = _kernel_mean(bins, position)
        if step == 0:
            mean = np.where(weight[:, None] > 0, mean, own)
        moving = np.linalg.norm(mean - position, axis=1) > _TOLERANCE * LATTICE
        if step == _MAX_STEPS - 1:
            moving[:] = False
        resting.append((mean[~moving], weight[~moving]))
        position, family = _together(mean[moving], family[moving])
        if len(position) == 0:
            break
    return np.concatenate([p for p, _ in resting]), np.concatenate([w for _, w in resting])


def _together(
    position: NDArray[np.float64], family: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Of the seeds of a family that have come to the same place keep the first."""
    cells = np.column_stack([family, np.floor(position / _ALIKE)])
    first = np.unique(cells, axis=0, return_index=True)[1]
    return position[first], family[first]


def _kernel_mean(
    bins: _Means, position: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the pixels within one bandwidth of each position, and how many shares they are.

    All sums are of integers below 2^53, so both ways of adding give the same.
    """
    seeds = bins.ordered(position)
    dense = seeds.compared <= _DENSE or bins.crowded
    sums = np.empty((len(position), bins.sums.shape[1]))
    sums[seeds.order] = (_dense_sums if dense else _sparse_sums)(bins, seeds)
    weight, found = sums[:, 0], sums[:, 0] > 0
    mean = position.copy()
    mean[found] = sums[found, 1:] / weight[found, None]
    return mean, weight.astype(np.int64)


def _in_shares(closeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round in place what is the share of a bin within the kernel where it is from 0 to 1."""
    np.rint(closeness, out=closeness)
    return np.clip(closeness, 0, _SHARES, out=closeness)


def _dense_sums(bins: _Means, seeds: _Ordered) -> NDArray[np.float64]:
    """Compare positions with all bins that may be near: two matrix products, ``(n, 1 + E)``."""
    sums = np.zeros((len(seeds.position), bins.sums.shape[1]))
    beyond = ((seeds.position**2).sum(1) - LATTICE**2) / 2
    lifted = np.column_stack(
        [_SLOPE * seeds.position, np.full(len(beyond), -_SLOPE), _SHARES / 2 - _SLOPE * beyond]
    )
    for part, spans in _groups(bins, seeds):
        for near in spans:
            shares = _in_shares(lifted[part] @ bins.lifted[:, near])
            sums[part] += shares @ bins.sums[near]
    return sums


def _groups(bins: _Means, seeds: _Ordered) -> Iterator[tuple[slice, list[slice]]]:
    """Cut ordered positions into groups, each with the spans of bins that may be near.

    Where there are many, a group reaches half a bandwidth along its column: wider ones compare
    more pairs in vain, narrower ones make matrices that are too small.
    """
    column, across = seeds.column, seeds.across
    bounds = np.flatnonzero(np.diff(column, prepend=np.nan, append=np.nan)).tolist()
    for start, stop in pairwise(bounds):
        whole = slice(int(seeds.first[start]), int(seeds.stop[start]))
        if (stop - start) * (whole.stop - whole.start) <= _SMALL:
            yield slice(start, stop), [whole]
            continue
        while start < stop:
            reached = across[start] + LATTICE / 2
            end = start + int(np.searchsorted(across[start:stop], reached, side="right"))
            spans = bins.spans(int(column[start]), across[start] - _REACH, across[end - 1] + _REACH)
            most = max(1, _PAIRS // max(1, *(span.stop - span.start for span in spans)))
            for part in range(start, end, most):
                yield slice(part, min(part + most, end)), spans
            start = end


def _sparse_sums(bins: _Means, seeds: _Ordered) -> NDArray[np.float64]:
    """Ask the tree for the bins around each position: ``(n, 1 + E)``."""
    sums = np.zeros((len(seeds.position), bins.sums.shape[1]))
    for start in range(0, len(seeds.position), _CHUNK):
        part = seeds.position[start : start + _CHUNK]
        near = bins.tree.query_ball_point(part, _RIM, workers=-1, return_sorted=False)
        sizes = np.fromiter(map(len, near), np.int64, len(near))
        found = sizes > 0
        if found.any():
            members = np.concatenate(near[found]).astype(np.int64)
            offsets = np.cumsum(sizes[found]) - sizes[found]
            away = bins.centre[members]
            away -= np.repeat(part[found], sizes[found], axis=0)
            beyond = (np.einsum("ij,ij->i", away, away) - LATTICE**2) / 2
            added = bins.sums[members]
            added *= _in_shares(_SHARES / 2 - _SLOPE * beyond)[:, None]
            sums[start : start + _CHUNK][found] = np.add.reduceat(added, offsets, axis=0)
    return sums


def _strongest(position: NDArray[np.float64], weight: NDArray[np.int64]) -> NDArray[np.float64]:
    """Keep the modes that no stronger mode has within one bandwidth."""
    order = np.lexsort((*position.T, -weight))
    position = position[order]
    keep = np.ones(len(position), bool)
    near = KDTree(position).query_ball_point(position, LATTICE) if len(position) else []
    for index, others in enumerate(near):
        if keep[index]:
            keep[[other for other in others if other > index]] = False
    return position[keep]
