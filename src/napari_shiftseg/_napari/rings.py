"""Rings around the objects that a seam cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_shiftseg.seams.splits import SeamSplit

_AIR = 2
"""Pixels between an object and its ring."""


@dataclass(frozen=True)
class Rings:
    """Where to draw.

    Parameters
    ----------
    centres
        ``(n, d)`` in pixels.
    diameters
        ``(n,)`` in pixels of the axis along which they are smallest.
    """

    centres: NDArray[np.float64]
    diameters: NDArray[np.float64]

    @classmethod
    def around(
        cls,
        splits: Sequence[SeamSplit],
        labels: NDArray[np.int32],
        scale: Sequence[float],
    ) -> Rings:
        """Circle the pieces of each split; ``scale`` is a pixel's size along the axes of space."""
        boxes = find_objects(labels) if splits else []
        spans = [_span([boxes[piece - 1] for piece in split.pieces]) for split in splits]
        low = np.array([span[0] for span in spans]).reshape(-1, labels.ndim)
        high = np.array([span[1] for span in spans]).reshape(-1, labels.ndim)
        space = np.abs(scale)
        reaches = (high - low)[:, -len(space) :] * (space / space.min())
        edges = reaches.max(axis=1, initial=0)
        return cls((low + high - 1) / 2, edges + 2.0 * _AIR)

    def in_slice(
        self, at: NDArray[np.float64], scale: NDArray[np.float64], sliced: set[int]
    ) -> Rings:
        """Return the discs that a slice cuts out of balls; those that it misses stay.

        Parameters
        ----------
        at
            Pixel of the slice per axis.
        scale
            Size of a pixel per axis, in pixels of the axes on screen.
        sliced
            Axes that are not on screen, and that balls reach along.
        """
        centres, radii = self.centres.copy(), self.diameters / 2
        for axis in sliced:
            away = np.abs(centres[:, axis] - at[axis]) * scale[axis]
            cut = away < radii
            centres[cut, axis] = at[axis]
            radii[cut] = np.sqrt(radii[cut] ** 2 - away[cut] ** 2)
        return Rings(centres, 2 * radii)


def _span(boxes: list[tuple[slice, ...]]) -> tuple[list[int], list[int]]:
    low = [min(box[axis].start for box in boxes) for axis in range(len(boxes[0]))]
    high = [max(box[axis].stop for box in boxes) for axis in range(len(boxes[0]))]
    return low, high
