"""Embedding jumps: across seams against one pixel beside them, within objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.seams.splits import Seams


@dataclass(frozen=True)
class JumpSums:
    """Sums of embedding distances between neighbouring pixels of one object.

    Sums of several images are added up before the ratio is taken.

    Parameters
    ----------
    across, beside
        Sum of the distances across seams, and one pixel before and behind them.
    across_pairs, beside_pairs
        Numbers of pixel pairs.
    """

    across: float = 0.0
    across_pairs: int = 0
    beside: float = 0.0
    beside_pairs: int = 0

    def __add__(self, other: JumpSums) -> JumpSums:
        return JumpSums(
            self.across + other.across,
            self.across_pairs + other.across_pairs,
            self.beside + other.beside,
            self.beside_pairs + other.beside_pairs,
        )

    @property
    def at_seams(self) -> float:
        """Mean jump across seams; NaN if no object crosses one."""
        return self.across / self.across_pairs if self.across_pairs else float("nan")

    @property
    def beside_seams(self) -> float:
        """Mean jump beside seams; NaN if no object lies there."""
        return self.beside / self.beside_pairs if self.beside_pairs else float("nan")

    @property
    def ratio(self) -> float:
        """Jump across seams over the jump beside them; about 1 where seams do nothing."""
        return self.at_seams / self.beside_seams if self.beside else float("nan")


def measure_jumps(embedding: NDArray[Any], objects: NDArray[Any], seams: Seams) -> JumpSums:
    """Measure the jumps of a stitched embedding.

    Parameters
    ----------
    embedding
        ``(E, *spatial)``.
    objects
        ``(*spatial)`` labels; only pairs of pixels within one object count. Negative ones are
        unknown.
    seams
        Per axis the positions of the seams.
    """
    sums = JumpSums()
    for axis, positions in enumerate(seams):
        size = objects.shape[axis]
        for seam in positions:
            across = _pair_sum(embedding, objects, axis, seam)
            sides = [s for s in (seam - 1, seam + 1) if 0 < s < size and s not in positions]
            beside = [_pair_sum(embedding, objects, axis, s) for s in sides]
            sums += JumpSums(
                *across, sum(total for total, _ in beside), sum(pairs for _, pairs in beside)
            )
    return sums


def jump_map(embedding: NDArray[Any], ndim: int) -> NDArray[np.float32]:
    """Map how far the embedding jumps at each pixel.

    Parameters
    ----------
    embedding
        ``(E, *loops, *spatial)``.
    ndim
        Number of spatial axes, the last ones.

    Returns
    -------
    (*loops, *spatial) float32
        The largest distance to the neighbours before it, one per spatial axis; so a seam
        at ``s`` shows at pixel ``s``.
    """
    jumps = np.zeros(embedding.shape[1:], np.float32)
    for axis in range(jumps.ndim - ndim, jumps.ndim):
        after = [slice(None)] * jumps.ndim
        after[axis] = slice(1, None)
        distance = np.zeros(jumps[tuple(after)].shape, np.float32)
        for dimension in embedding:
            distance += np.diff(dimension, axis=axis) ** 2
        np.maximum(jumps[tuple(after)], np.sqrt(distance), out=jumps[tuple(after)])
    return jumps


def _pair_sum(
    embedding: NDArray[Any], objects: NDArray[Any], axis: int, position: int
) -> tuple[float, int]:
    """Sum the distances between pixels ``position - 1`` and ``position`` of one object."""
    same = objects.take(position, axis)
    same = (same > 0) & (same == objects.take(position - 1, axis))
    difference = embedding.take(position, axis + 1) - embedding.take(position - 1, axis + 1)
    distance = np.linalg.norm(difference[:, same].astype(np.float64), axis=0)
    return float(distance.sum()), int(same.sum())
