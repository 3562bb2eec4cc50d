"""The pairs of pieces, and the single ones, that the lines of a known grid part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.image.lazy import transposable
from napari_shiftseg.image.slabs import Slabs
from napari_shiftseg.seams.confidence import Suspect, confidences
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.grid_search import STRAIGHT
from napari_shiftseg.seams.outlines import FlatSide, Outlines


@dataclass(frozen=True)
class StraightCut:
    """Two labels whose common border lies on the grid.

    Parameters
    ----------
    labels
        The two labels.
    position
        Centre of their contact on the grid, in pixels per axis.
    length
        Pixels of contact on the grid.
    fraction
        That, over all their contact.
    confidence
        0 to 1: that they are pieces of one object, as
        :func:`~napari_shiftseg.seams.confidence.confidences` grades it.
    """

    labels: tuple[int, int]
    position: tuple[float, ...]
    length: int
    fraction: float
    confidence: float


@dataclass(frozen=True)
class Lines:
    """A grid, asked for whole arrays of positions.

    Parameters
    ----------
    tile, offset : (d,) int64
        Lines at ``offset + k * tile``, in pixels per axis; 0 for an axis without.
    """

    tile: NDArray[np.int64]
    offset: NDArray[np.int64]

    def at(self, axis: NDArray[np.int64], position: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these positions along these axes lie on lines."""
        tile = self.tile[axis]
        on: NDArray[np.bool_] = (tile > 0) & (position % np.maximum(tile, 1) == self.offset[axis])
        return on


@dataclass(frozen=True)
class Frame:
    """Labels each of which is one object, and their image.

    Parameters
    ----------
    index
        Where they lie on the axes that count frames.
    labels
        ``(*spatial)`` integers.
    channels
        Of the image, each of their shape.
    """

    index: tuple[int, ...]
    labels: Slabs
    channels: tuple[Slabs, ...]

    def straight_cuts(self, contacts: Contacts, lines: Lines) -> list[StraightCut]:
        """Return the pairs of pieces that lines part, in the order of their labels."""
        suspects = list(_suspects(contacts, lines))
        grades = confidences(self.labels, suspects, self.channels)
        return [
            StraightCut(
                labels=suspect.labels,
                position=(*self.index, *suspect.contact.places.mean(0).tolist()),
                length=len(suspect.contact),
                fraction=suspect.fraction,
                confidence=confidence,
            )
            for suspect, confidence in zip(suspects, grades, strict=True)
        ]

    def one_sided(self, outlines: Outlines, lines: Lines) -> Iterator[FlatSide]:
        """Yield the sides of objects on lines that nothing touches beyond."""
        for side in _one_sided(outlines, lines):
            place = (*self.index, *side.position)
            yield replace(side, axis=len(self.index) + side.axis, position=place)


def frames_of(labels: Any, channels: Sequence[Slabs], axes: int) -> Iterator[Frame]:
    """Yield each frame of labels whose first axes count them; without such axes, the labels."""
    labels = transposable(labels)
    for index in np.ndindex(*labels.shape[:axes]):
        parts = tuple(Slabs.of(channel.array[index]) for channel in channels)
        yield Frame(index, Slabs.of(labels[index]), parts)


def _suspects(contacts: Contacts, lines: Lines) -> Iterator[Suspect]:
    """Yield the pairs of labels whose common border lies on the grid."""
    if len(contacts) == 0:
        return
    on_grid = lines.at(contacts.axis, contacts.position)
    unique, index = np.unique(contacts.pairs, axis=0, return_inverse=True)
    index = index.ravel()
    every, straight = np.bincount(index), np.bincount(index, weights=on_grid)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(unique) + 1))
    for k in np.flatnonzero(straight >= np.maximum(1, STRAIGHT * every)).tolist():
        of = order[starts[k] : starts[k + 1]]
        pair = int(unique[k][0]), int(unique[k][1])
        yield Suspect(pair, contacts[of[on_grid[of]]], float(straight[k] / every[k]))


def _one_sided(outlines: Outlines, lines: Lines) -> Iterator[FlatSide]:
    contacts = outlines.contacts
    on_grid = contacts[lines.at(contacts.axis, contacts.position)]
    touching = {
        (label, axis, line)
        for pair, axis, line in zip(
            on_grid.pairs.tolist(), on_grid.axis.tolist(), on_grid.position.tolist(), strict=True
        )
        for label in pair
    }
    axis, line = np.array([(side.axis, side.line) for side in outlines.flat], int).reshape(-1, 2).T
    for side in compress(outlines.flat, lines.at(axis, line)):
        if (side.label, side.axis, side.line) not in touching:
            yield side
