"""Where two labels touch: every pixel face between different objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Contacts:
    """Pixel faces between two different labels, background left out.

    Parameters
    ----------
    pairs : (n, 2) int64
        The two labels, the smaller one first.
    places : (n, d) int64
        The pixel behind the face.
    axis : (n,) int64
        The axis across which the two pixels are neighbours.
    """

    pairs: NDArray[np.int64]
    places: NDArray[np.int64]
    axis: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[Any], axes: Sequence[int] | None = None) -> Contacts:
        """Find the contacts of ``(*spatial)`` labels, across all axes or some."""
        axes = range(labels.ndim) if axes is None else axes
        found = [_along(labels, axis) for axis in axes]
        pairs, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
        axis = np.repeat(np.array(axes), [len(pair) for pair, _ in found])
        return cls(pairs, places, axis)

    @classmethod
    def joined(cls, parts: Iterable[Contacts]) -> Contacts:
        """Put parts of one image together, in the order in which the whole has them."""
        pairs, places, axis = (
            np.concatenate(arrays)
            for arrays in zip(*((p.pairs, p.places, p.axis) for p in parts), strict=True)
        )
        order = np.argsort(axis, kind="stable")
        return cls(pairs[order], places[order], axis[order])

    def moved(self, planes: int) -> Contacts:
        """Return the contacts of a slab so many planes farther along the first axis."""
        places = self.places.copy()
        places[:, 0] += planes
        return Contacts(self.pairs, places, self.axis)

    def __getitem__(self, chosen: NDArray[Any]) -> Contacts:
        return Contacts(self.pairs[chosen], self.places[chosen], self.axis[chosen])

    def __len__(self) -> int:
        return len(self.axis)

    @property
    def position(self) -> NDArray[np.int64]:
        """Coordinate of each face along its own axis: a seam's number if it lies on one."""
        return self.places[np.arange(len(self)), self.axis]

    @property
    def places_before(self) -> NDArray[np.int64]:
        """The pixel before each face."""
        before = self.places.copy()
        before[np.arange(len(self)), self.axis] -= 1
        return before


def _along(labels: NDArray[Any], axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    leading = (slice(None),) * axis
    before, after = labels[(*leading, slice(None, -1))], labels[(*leading, slice(1, None))]
    touching = (before != after) & (before != 0) & (after != 0)
    places = np.argwhere(touching)
    places[:, axis] += 1
    pairs = np.stack([before[touching], after[touching]], axis=1).astype(np.int64)
    return np.sort(pairs, axis=1), places
