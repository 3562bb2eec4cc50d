"""Embedding jumps by phase: what shows that a network was trained with a window <= period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.tiles.geometry import Size


@dataclass(frozen=True)
class PhaseProfile:
    """Mean jump between neighbouring pixels of one object along one axis, by phase.

    Parameters
    ----------
    mean
        ``(P,)``: phase ``k`` is the step from a pixel at ``n * P + k - 1`` to the next one;
        NaN where no object has such a pair.
    pairs
        ``(P,)`` numbers of pairs.
    """

    mean: NDArray[np.float64]
    pairs: NDArray[np.int64]

    @property
    def peak(self) -> int:
        """Phase with the largest jump."""
        return int(np.nanargmax(self.mean)) if np.isfinite(self.mean).any() else 0

    @property
    def contrast(self) -> float:
        """Jump at the peak over the largest jump at any other phase; about 1 if flat.

        1 where there is but one phase.
        """
        if len(self.mean) == 1:
            return 1.0
        others = np.delete(self.mean, self.peak)
        highest = float(np.nanmax(others)) if np.isfinite(others).any() else 0.0
        if highest:
            return float(self.mean[self.peak]) / highest
        return float("inf") if self.mean[self.peak] > 0 else 1.0


def phase_profiles(
    embedding: NDArray[Any], objects: NDArray[Any], period: Size, *, origin: Size | None = None
) -> list[PhaseProfile]:
    """Average the jumps of a whole-image prediction by phase, per axis.

    Flat for a network whose training window exceeded its period; one tall phase per axis
    for one that never saw neighbours across the period's grid together (paper, Fig. 4a).

    Parameters
    ----------
    embedding
        ``(E, *spatial)``, predicted in one piece.
    objects
        ``(*spatial)`` labels; only pairs of pixels within one object count.
    period
        Per axis in pixels.
    origin
        Position of the first pixel in the image, if this is a part of it.

    Returns
    -------
    list of PhaseProfile
        One per axis.
    """
    start = origin or (0,) * len(period)
    return [
        _profile(embedding, objects, axis, length, start[axis])
        for axis, length in enumerate(period)
    ]


def _profile(
    embedding: NDArray[Any], objects: NDArray[Any], axis: int, period: int, start: int
) -> PhaseProfile:
    objects = np.moveaxis(objects, axis, 0)
    vectors = np.moveaxis(embedding, axis + 1, 1)
    inside = (objects[1:] == objects[:-1]) & (objects[1:] > 0)
    distance = np.sqrt(sum(np.diff(one.astype(np.float64), axis=0) ** 2 for one in vectors))
    others = tuple(range(1, objects.ndim))
    sums, counts = (distance * inside).sum(others), inside.sum(others)
    phase = (np.arange(len(sums)) + 1 + start) % period
    pairs = np.bincount(phase, counts, period).astype(np.int64)
    totals = np.bincount(phase, sums, period)
    with np.errstate(invalid="ignore"):
        return PhaseProfile(np.where(pairs > 0, totals / pairs, np.nan), pairs)
