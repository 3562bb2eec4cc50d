"""Sides of objects, followed through a series so that each tells what it tells once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from scipy.spatial import KDTree

FARTHEST = 8
"""Pixels that an object moves at most from frame to frame, beside what all move by, to be taken
for the same one."""

_DRIFT = 100
"""Pixels that all objects move by at most from frame to frame."""

_CELL = 2
"""Pixels in which moves are counted; three of them, on each axis, are one drift."""

_ENOUGH, _NEAREST = 1000, 200
"""Objects whose moves tell the drift of all, and to how many others each may have moved: so many
objects as there are, the search takes no longer."""

_SHARE = 0.2
"""Objects that a drift has to take from one frame to the next, as a share of the fewer ones."""


def drifts(frames: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Tell by how much all objects move from each frame to the next.

    A stage that drifts, or a film that is cut out along a way, moves all objects together. A
    drift that is none does little harm: it takes few sides to where others are.

    Parameters
    ----------
    frames
        ``(n, d)`` each: where the objects are, in any order.

    Returns
    -------
    (frames - 1, d) float64
        0 where no move is common; about 0 where most stay.
    """
    ordered = [places[np.lexsort(places.T)] for places in frames]
    return np.array([_drift(*pair) for pair in pairwise(ordered)]).reshape(-1, frames[0].shape[1])


def _drift(before: NDArray[np.float64], now: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the move that most objects share."""
    none = np.zeros(before.shape[1])
    if not (len(before) and len(now)):
        return none
    before = before[:: -(-len(before) // _ENOUGH)]
    nearest = min(_NEAREST, len(now))
    far, which = KDTree(now).query(before, np.arange(1, 1 + nearest), distance_upper_bound=_DRIFT)
    there = np.isfinite(far)
    moves = now[which[there]] - before[np.nonzero(there)[0]]
    if len(moves) == 0:
        return none
    none_moved = _DRIFT // _CELL + 1
    cells = np.rint(moves / _CELL).astype(np.int64) + none_moved
    counts = np.zeros((2 * none_moved + 1,) * before.shape[1], np.int64)
    np.add.at(counts, tuple(cells.T), 1)
    for axis in range(counts.ndim):
        counts = convolve1d(counts, (1, 1, 1), axis, mode="constant")
    best = np.array(np.unravel_index(counts.argmax(), counts.shape))
    by_chance = len(moves) * (3 * _CELL / (2 * far[there].max() + _CELL)) ** before.shape[1]
    if counts[tuple(best)] < max(3, _SHARE * min(len(before), len(now)), 3 * by_chance):
        return none
    inside = (np.abs(cells - best) <= 1).all(axis=1)
    shared: NDArray[np.float64] = moves[inside].mean(axis=0)
    return shared


def followed(
    frames: Sequence[NDArray[np.int64]], drifts: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """Return one line of each side, that on which it lies in most frames.

    Parameters
    ----------
    frames
        ``(n, 1 + d)`` each: the lines of sides along one axis, and the centres of the sides.
    drifts
        ``(frames - 1, d)``: by how much all objects move from each frame to the next. A side
        that a cut keeps in its place is followed as well.

    Returns
    -------
    (m,) int64
        Of one frame, its lines.
    """
    last, seen = (
        frames[0][:, 1:].astype(float),
        [Counter([line]) for line in frames[0][:, 0].tolist()],
    )
    if drifts is None:
        drifts = np.zeros((len(frames) - 1, last.shape[1]))
    for places, drift in zip(frames[1:], drifts, strict=True):
        new, lost = np.ones(len(places), bool), np.ones(len(last), bool)
        for side, place in _same(last, places[:, 1:], drift):
            seen[side][int(places[place, 0])] += 1
            last[side] = places[place, 1:]
            new[place], lost[side] = False, False
        last[lost] += drift
        last = np.concatenate([last, places[new, 1:]])
        seen += [Counter([line]) for line in places[new, 0].tolist()]
    # Of lines with as many frames it is the first one that was seen, wherever it lies.
    return np.array([lines.most_common(1)[0][0] for lines in seen], np.int64)


def _same(
    before: NDArray[np.float64], now: NDArray[np.int64], drift: NDArray[np.float64]
) -> Iterator[tuple[int, int]]:
    """Yield what of before is what of now, the nearest ones first."""
    if not (len(before) and len(now)):
        return
    there = KDTree(now)
    near = np.concatenate(
        [
            KDTree(places).sparse_distance_matrix(there, FARTHEST, output_type="ndarray")
            for places in ([before, before + drift] if drift.any() else [before])
        ]
    )
    taken, given = np.zeros(len(before), bool), np.zeros(len(now), bool)
    for side, place, _ in near[np.argsort(near["v"], kind="stable")].tolist():
        if not (taken[side] or given[place]):
            taken[side] = given[place] = True
            yield side, place
