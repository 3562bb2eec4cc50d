"""Sides of objects, followed through a series so that each tells what it tells once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FARTHEST = 8
"""Pixels that an object moves at most from frame to frame to be taken for the same one."""


def followed(frames: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return one line of each side, that on which it lies in most frames.

    Parameters
    ----------
    frames
        ``(n, 1 + d)`` each: the lines of sides along one axis, and the centres of the sides.

    Returns
    -------
    (m,) int64
        Of one frame, its lines.
    """
    last, seen = (
        frames[0][:, 1:].astype(float),
        [Counter([line]) for line in frames[0][:, 0].tolist()],
    )
    for places in frames[1:]:
        new = np.ones(len(places), bool)
        for side, place in _same(last, places[:, 1:]):
            seen[side][int(places[place, 0])] += 1
            last[side] = places[place, 1:]
            new[place] = False
        last = np.concatenate([last, places[new, 1:]])
        seen += [Counter([line]) for line in places[new, 0].tolist()]
    # Of lines with as many frames it is the first one that was seen, wherever it lies.
    return np.array([lines.most_common(1)[0][0] for lines in seen], np.int64)


def _same(before: NDArray[np.float64], now: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield what of before is what of now, the nearest ones first."""
    if not (len(before) and len(now)):
        return
    near = KDTree(before).sparse_distance_matrix(KDTree(now), FARTHEST, output_type="ndarray")
    taken, given = np.zeros(len(before), bool), np.zeros(len(now), bool)
    for side, place, _ in near[np.argsort(near["v"], kind="stable")].tolist():
        if not (taken[side] or given[place]):
            taken[side] = given[place] = True
            yield side, place
