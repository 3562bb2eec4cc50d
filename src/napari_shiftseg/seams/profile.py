"""The extent of an object along an axis, which parts of it in several slabs add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Plane:
    """Pixels of an object in a plane of its box.

    Parameters
    ----------
    corner
        First pixel of the box in the image.
    inside
        ``(*box)``, of one pixel along the axis that the plane lies across.
    """

    corner: tuple[int, ...]
    inside: NDArray[np.bool_]


@dataclass(frozen=True)
class Profile:
    """How many pixels an object has in each plane across an axis.

    Parameters
    ----------
    axis
        Of the image.
    start
        First plane that has any.
    counts : (planes,) int64
        Pixels of each.
    first, last
        The outer planes; several parts of each if they come from several slabs.
    """

    axis: int
    start: int
    counts: NDArray[np.int64]
    first: tuple[Plane, ...]
    last: tuple[Plane, ...]

    @property
    def stop(self) -> int:
        """The plane behind the last one."""
        return self.start + len(self.counts)

    def __add__(self, other: Profile) -> Profile:
        """Join two parts of an object."""
        start = min(self.start, other.start)
        counts = np.zeros(max(self.stop, other.stop) - start, np.int64)
        for part in (self, other):
            counts[part.start - start : part.stop - start] += part.counts
        first = _outer(self.first, other.first, self.start - other.start)
        last = _outer(self.last, other.last, other.stop - self.stop)
        return Profile(self.axis, start, counts, first, last)


def _outer(ours: tuple[Plane, ...], theirs: tuple[Plane, ...], behind: int) -> tuple[Plane, ...]:
    """Choose the planes that lie farther out; both where they are one plane."""
    return ours + theirs if behind == 0 else ours if behind < 0 else theirs


def profiles(inside: NDArray[np.bool_], corner: tuple[int, ...]) -> Iterator[Profile]:
    """Measure an object, or the part of one, that fills its box, along each axis.

    Parameters
    ----------
    inside
        ``(*box)``, true where the object is.
    corner
        First pixel of the box in the image.
    """
    for axis, start in enumerate(corner):
        others = tuple(a for a in range(inside.ndim) if a != axis)
        counts = inside.sum(others) if others else inside.astype(int)
        first, last = ((Plane(corner, inside.take([end], axis)),) for end in (0, -1))
        yield Profile(axis, start, counts, first, last)


def centre(planes: tuple[Plane, ...], axis: int, line: int) -> tuple[float, ...]:
    """Return the mean position of an outer plane's pixels; along its axis that is ``line``."""
    places = np.concatenate([np.argwhere(plane.inside) + plane.corner for plane in planes])
    mean = places.mean(0).tolist()
    mean[axis] = float(line)
    return tuple(mean)
