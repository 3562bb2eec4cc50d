"""Seams in finished labels, without model, image or truth: cuts along a grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.image.label_pixels import refuse_too_large
from napari_shiftseg.image.slabs import Slabs
from napari_shiftseg.seams.confidence import Suspect, channels_of, confidences
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.grid_search import STRAIGHT, Grid, find_grids
from napari_shiftseg.seams.outlines import FlatSide, Outlines
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import whole_numbers

_LARGEST_TILE = 2**20
"""Pixels; each offset of a tile is compared with the others."""


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
class CheckProgress:
    """How far a check is.

    Parameters
    ----------
    fraction
        0 to 1.
    text
        What is being done.
    """

    fraction: float
    text: str


@dataclass(frozen=True)
class LabelCheck:
    """What a grid did to labels.

    Parameters
    ----------
    tile, offset
        The grid: lines at ``offset + k * tile``, in pixels per axis; a tile of 0 is an axis
        without lines.
    p_value
        Of the grid found by itself: as :class:`~napari_shiftseg.seams.grid_search.Grid` has
        it. Of a given grid: the share of all offsets with at least as many label changes per
        line.
    splits
        Straight cuts, the longest first.
    objects
        Number of labels.
    one_sided
        Objects that end straight on the grid, with no other piece beyond.
    """

    tile: tuple[int, ...]
    offset: tuple[int, ...]
    p_value: float
    splits: tuple[StraightCut, ...]
    objects: int
    one_sided: tuple[FlatSide, ...] = field(default=())

    @property
    def found(self) -> bool:
        """Whether there is a grid on any axis."""
        return any(self.tile)

    @property
    def grid(self) -> str:
        """The grid in words."""
        if not self.found:
            return "no tile grid"
        if all(self.tile):
            start = f" from {by(self.offset)}" if any(self.offset) else ""
            return f"tiles of {by(self.tile)} px{start}"
        names = "zyx"[-len(self.tile) :] if len(self.tile) <= 3 else range(len(self.tile))
        along: dict[str, list[str]] = {}
        for name, tile, offset in zip(names, self.tile, self.offset, strict=True):
            if tile:
                lines = f"{tile} px{f' from {offset}' if offset else ''}"
                along.setdefault(lines, []).append(str(name))
        parts = [f"{lines} along {' and '.join(axes)}" for lines, axes in along.items()]
        return f"tiles of {', '.join(parts)}"


Tile = int | tuple[int, ...] | Literal["auto"]


def check_labels(
    labels: Any,
    tile: Tile = "auto",
    offset: int | tuple[int, ...] = 0,
    *,
    image: Any = None,
) -> LabelCheck:
    """Look for objects cut along a grid.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background. A dask array, or what else slices like an
        array, is read slab by slab, up to five times, and need not fit into memory.
    tile
        Edge length of the grid in pixels, at least 2, of all axes or of each; 0 for an axis
        without lines. ``"auto"`` finds tile size and offset of each axis, or none.
    offset
        Position of its first line in pixels, of all axes or of each, where the tile size is
        given.
    image
        What the labels are labels of, if it is at hand: ``(*spatial)`` or ``(channels,
        *spatial)``. It takes confidence from pairs of pieces that are not equally bright.

    Returns
    -------
    LabelCheck
        The grid, and every pair of labels that it parted.

    Raises
    ------
    ShiftSegError
        If these are no integers, there are none, the tile size or the offset is not legal, or
        the image is not of their shape.

    References
    ----------
    Beyond the paper: measured in ``benchmarks/label_check.py``.
    """
    *_, check = check_events(labels, tile, offset, image=image)
    assert isinstance(check, LabelCheck)
    return check


def check_events(
    labels: Any,
    tile: Tile = "auto",
    offset: int | tuple[int, ...] = 0,
    *,
    image: Any = None,
) -> Iterator[CheckProgress | LabelCheck]:
    """Check as :func:`check_labels` does; yield what is being done, and last what was found."""
    labels = as_array(labels)
    if labels.dtype.kind not in "iub":
        raise ShiftSegError(f"labels are integers, these are {labels.dtype}")
    if labels.size == 0:
        raise ShiftSegError(f"labels of shape {labels.shape} have no pixels")
    refuse_too_large(labels, "the image")
    given = None if isinstance(tile, str) and tile == "auto" else _given(tile, offset, labels.ndim)
    slabs, channels = Slabs.of(labels), channels_of(image, labels)
    for found in Outlines.events(slabs):
        if isinstance(found, Outlines):
            outlines = found
        else:
            yield CheckProgress(0.05 + 0.45 * found, "Looking where labels touch")
    contacts = outlines.contacts
    if given is None:
        yield CheckProgress(0.5, "Trying every tile size and offset")
        tiles, offsets, p_value = _per_axis(find_grids(outlines), labels.ndim)
    else:
        yield CheckProgress(0.5, "Comparing with other offsets")
        tiles, offsets = given
        p_value = _p_value(labels.shape, contacts, tiles, offsets)
    lines = _Lines(np.array(tiles), np.array(offsets))
    yield CheckProgress(0.7, "Collecting the pairs of pieces")
    splits = tuple(_straight_cuts(slabs, contacts, lines, channels))
    yield LabelCheck(
        tile=tiles,
        offset=offsets,
        p_value=p_value,
        splits=splits,
        objects=outlines.objects,
        one_sided=tuple(_one_sided(outlines, lines)) if any(tiles) else (),
    )


_PerAxis = tuple[int, ...]


def _given(
    tile: int | tuple[int, ...], offset: int | tuple[int, ...], ndim: int
) -> tuple[_PerAxis, _PerAxis]:
    """Return tile size and offset of each axis."""
    tiles = whole_numbers(tile, ndim, "the tile size")
    offsets = whole_numbers(offset, ndim, "the offset")
    if not any(tiles):
        raise ShiftSegError("the tile size is 0 px on every axis; legal: at least 2 on one of them")
    for one, start in zip(tiles, offsets, strict=True):
        if one:
            _refuse(one, start)
    return tiles, tuple(o if t else 0 for t, o in zip(tiles, offsets, strict=True))


def _refuse(tile: int, offset: int) -> None:
    if tile < 2:
        raise ShiftSegError(f"the tile size is {tile} px; legal: at least 2; nearest: 2")
    if tile > _LARGEST_TILE:
        raise ShiftSegError(
            f"the tile size is {tile} px; legal: up to {_LARGEST_TILE}; nearest: {_LARGEST_TILE}"
        )
    if not 0 <= offset < tile:
        raise ShiftSegError(f"the offset is {offset} px; legal: 0 to {tile - 1}")


def _per_axis(grids: list[Grid], ndim: int) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    of = {axis: grid for grid in grids for axis in grid.axes}
    tiles = tuple(of[axis].tile if axis in of else 0 for axis in range(ndim))
    offsets = tuple(of[axis].offset if axis in of else 0 for axis in range(ndim))
    return tiles, offsets, min((grid.p_value for grid in grids), default=1.0)


@dataclass(frozen=True)
class _Lines:
    """The grid, asked for whole arrays of positions."""

    tile: NDArray[np.int64]
    offset: NDArray[np.int64]

    def at(self, axis: NDArray[np.int64], position: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these positions along these axes lie on lines."""
        tile = self.tile[axis]
        on: NDArray[np.bool_] = (tile > 0) & (position % np.maximum(tile, 1) == self.offset[axis])
        return on


def _p_value(
    shape: tuple[int, ...], contacts: Contacts, tiles: _PerAxis, offsets: _PerAxis
) -> float:
    """Rank this grid's label changes per line among those of the grid moved along."""
    longest = max(tiles)
    changes, lines = np.zeros(longest), np.zeros(longest)
    for axis, (size, tile, offset) in enumerate(zip(shape, tiles, offsets, strict=True)):
        if tile:
            moved = (offset + np.arange(longest)) % tile
            along = contacts.position[contacts.axis == axis]
            changes += np.bincount(along % tile, minlength=tile)[moved]
            lines += np.bincount(np.arange(1, size) % tile, minlength=tile)[moved]
    rate = changes / np.maximum(lines, 1)
    return float((rate >= rate[0]).mean()) if changes.sum() else 1.0


def _straight_cuts(
    labels: Slabs, contacts: Contacts, lines: _Lines, channels: Sequence[Slabs]
) -> list[StraightCut]:
    suspects = list(_suspects(contacts, lines))
    grades = confidences(labels, suspects, channels)
    cuts = [
        StraightCut(
            labels=suspect.labels,
            position=tuple(float(v) for v in suspect.contact.places.mean(0)),
            length=len(suspect.contact),
            fraction=suspect.fraction,
            confidence=confidence,
        )
        for suspect, confidence in zip(suspects, grades, strict=True)
    ]
    return sorted(cuts, key=lambda cut: (-cut.length, cut.labels))


def _suspects(contacts: Contacts, lines: _Lines) -> Iterator[Suspect]:
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


def _one_sided(outlines: Outlines, lines: _Lines) -> Iterator[FlatSide]:
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
