"""What labels show to a search for cuts: where objects touch, and where they end straight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_shiftseg.image.slabs import Slabs
from napari_shiftseg.seams.changes import Changes
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.numbered import names_of, numbered
from napari_shiftseg.seams.profile import Profile, centre, profiles

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
    changes
        Pixels along each axis that differ somewhere from the one before; beyond the image is
        background.
    places
        ``(objects, d)``: the middle of each object's box.
    """

    shape: tuple[int, ...]
    objects: int
    contacts: Contacts
    flat: tuple[FlatSide, ...]
    changes: tuple[NDArray[np.int64], ...]
    places: NDArray[np.float64]

    @classmethod
    def of(cls, labels: Any) -> Outlines:
        """Look at ``(*spatial)`` integers, 0 is background."""
        *_, outlines = cls.events(Slabs.of(labels))
        assert isinstance(outlines, Outlines)
        return outlines

    @classmethod
    def events(cls, slabs: Slabs) -> Iterator[float | Outlines]:
        """Look at labels slab by slab; yield how far it is, 0 to 1, and last the outlines."""
        names: list[NDArray[Any]] = []
        for index, (_, slab) in enumerate(slabs):
            yield index / (3 * len(slabs))
            names.append(names_of(slab))
        every = np.unique(np.concatenate(names))
        contacts: list[Contacts] = []
        flat: list[FlatSide] = []
        places: list[tuple[float, ...]] = []
        parts: _Parts = {}
        changes = Changes(slabs.array.shape)
        before = None
        for (start, slab), going_on in zip(slabs, _going_on(names, every), strict=True):
            yield (1 + 2 * start / slabs.array.shape[0]) / 3
            if before is not None:
                border = np.stack([before, slab[0]])
                contacts.append(Contacts.of(border, axes=(0,)).moved(start - 1))
            contacts.append(Contacts.of(slab).moved(start))
            changes.add(start, slab, before)
            flat += _flat_sides(start, slab, slabs.array.shape, going_on, parts, places)
            before = slab[-1].copy()
        flat.sort(key=lambda side: (side.label, side.axis, side.line))
        joined = Contacts.joined(contacts)
        shape, found = slabs.array.shape, np.array(places).reshape(-1, slabs.array.ndim)
        yield cls(shape, len(every), joined, tuple(flat), changes.positions(), found)


_Parts = dict[int, tuple[Profile, ...]]
"""What is known of objects that go on in a slab still to come."""


def _going_on(names: list[NDArray[Any]], every: NDArray[Any]) -> Iterator[set[int]]:
    """Yield for each slab the objects that another slab has, too, farther on."""
    last = np.zeros(len(every), int)
    for slab, here in enumerate(names):
        last[np.searchsorted(every, here)] = slab
    for slab, here in enumerate(names):
        yield set(here[last[np.searchsorted(every, here)] > slab].tolist())


def _flat_sides(
    start: int,
    slab: NDArray[Any],
    shape: tuple[int, ...],
    going_on: set[int],
    parts: _Parts,
    places: list[tuple[float, ...]],
) -> Iterator[FlatSide]:
    """Yield every side along which an object of a slab that goes no farther looks cut off.

    Where these objects are is added to the places.
    """
    names, numbers = numbered(slab)
    for name, number, box in zip(
        names.tolist(), range(1, len(names) + 1), find_objects(numbers), strict=True
    ):
        corner = (start + box[0].start, *(part.start for part in box[1:]))
        found = tuple(profiles(numbers[box] == number, corner))
        if name in parts:
            found = tuple(a + b for a, b in zip(parts.pop(name), found, strict=True))
        if name in going_on:
            parts[name] = found
            continue
        places.append(tuple((profile.start + profile.stop) / 2 for profile in found))
        for profile in found:
            yield from _ends(name, profile, shape[profile.axis])


def _ends(label: int, profile: Profile, size: int) -> Iterator[FlatSide]:
    """Yield the ends of an object along an axis that look cut off, but by the image itself."""
    widest = profile.counts.max()
    if widest < SHORTEST or len(profile.counts) < SHORTEST:
        return
    axis, first, last = profile.axis, int(profile.counts[0]), int(profile.counts[-1])
    if profile.start > 0 and first >= _FLAT * widest:
        place = centre(profile.first, axis, profile.start)
        yield FlatSide(label, axis, profile.start, place, first)
    if profile.stop < size and last >= _FLAT * widest:
        yield FlatSide(label, axis, profile.stop, centre(profile.last, axis, profile.stop), last)
