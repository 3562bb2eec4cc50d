"""What labels show to a search for cuts: where objects touch, and where they end straight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.numbered import numbered

SHORTEST = 3
"""Pixels of contact, or of a flat side, below which any border is straight."""

_FLAT = 0.75
"""Length of a flat side over the object's own width, from which on it looks cut off."""


@dataclass(frozen=True)
class FlatSide:
    """A side along which an object looks cut off.

    Parameters
    ----------
    label
        The object.
    axis, line
        It ends before, or begins at, the pixel ``line`` of the axis.
    position
        Centre of the side, in pixels per axis.
    length
        Pixels along the line.
    """

    label: int
    axis: int
    line: int
    position: tuple[float, ...]
    length: int


@dataclass(frozen=True)
class Outlines:
    """All that is asked of labels to find what cut them.

    Parameters
    ----------
    shape
        Of the labels, in pixels.
    objects
        How many there are.
    contacts
        Where two of them touch.
    flat
        Sides along which one looks cut off.
    """

    shape: tuple[int, ...]
    objects: int
    contacts: Contacts
    flat: tuple[FlatSide, ...]

    @classmethod
    def of(cls, labels: NDArray[Any]) -> Outlines:
        """Look at ``(*spatial)`` integers, 0 is background."""
        names, numbers = numbered(labels)
        flat = tuple(_flat_sides(names, numbers))
        return cls(labels.shape, len(names), Contacts.of(labels), flat)


def _flat_sides(names: NDArray[Any], numbers: NDArray[np.int32]) -> Iterator[FlatSide]:
    """Yield every side along which an object looks cut off."""
    for name, number, box in zip(
        names.tolist(), range(1, len(names) + 1), find_objects(numbers), strict=True
    ):
        inside = numbers[box] == number
        for axis, part in enumerate(box):
            others = tuple(a for a in range(numbers.ndim) if a != axis)
            profile = inside.sum(others) if others else inside.astype(int)
            widest = profile.max()
            if widest < SHORTEST or len(profile) < SHORTEST:
                continue
            if part.start > 0 and profile[0] >= _FLAT * widest:
                yield _flat_side(name, axis, part.start, box, inside.take(0, axis))
            if part.stop < numbers.shape[axis] and profile[-1] >= _FLAT * widest:
                yield _flat_side(name, axis, part.stop, box, inside.take(-1, axis))


def _flat_side(
    label: int, axis: int, line: int, box: tuple[slice, ...], side: NDArray[np.bool_]
) -> FlatSide:
    along = side.nonzero()
    centre = [float(v.mean()) for v in along]
    centre.insert(axis, 0.0)
    starts = [part.start for part in box]
    starts[axis] = line
    return FlatSide(
        label,
        axis,
        line,
        tuple(start + c for start, c in zip(starts, centre, strict=True)),
        len(along[0]) if along else 1,
    )
