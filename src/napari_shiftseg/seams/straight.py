"""Seams in finished labels, without model, image or truth: cuts along a grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.grid_search import STRAIGHT, Grid, find_grids, flat_sides

_SLACK = 1
"""Pixels by which the ends of two pieces' sides may differ for a border that runs askew."""


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
        ``fraction`` times how well the two sides along the line match: pieces of one object
        begin and end together, two objects that a line happens to part do not.
    """

    labels: tuple[int, int]
    position: tuple[float, ...]
    length: int
    fraction: float
    confidence: float


@dataclass(frozen=True)
class OneSidedCut:
    """An object that ends straight on the grid, with no other piece beyond.

    Parameters
    ----------
    label
        The object.
    axis, line
        Where it ends, in pixels.
    """

    label: int
    axis: int
    line: int


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
        Objects that end on the grid.
    """

    tile: tuple[int, ...]
    offset: tuple[int, ...]
    p_value: float
    splits: tuple[StraightCut, ...]
    objects: int
    one_sided: tuple[OneSidedCut, ...] = field(default=())

    @property
    def found(self) -> bool:
        """Whether there is a grid on any axis."""
        return any(self.tile)


def check_labels(
    labels: NDArray[Any], tile: int | Literal["auto"] = "auto", offset: int = 0
) -> LabelCheck:
    """Look for objects cut along a grid.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background.
    tile
        Edge length of the grid in pixels, at least 2; ``"auto"`` finds tile size and offset
        of each axis, or none.
    offset
        Position of its first line, where the tile size is given.

    Raises
    ------
    ShiftSegError
        If the tile size or the offset is not legal.
    """
    if labels.dtype.kind not in "iub":
        raise ShiftSegError(f"labels are integers, these are {labels.dtype}")
    contacts = Contacts.of(labels)
    if tile == "auto":
        tiles, offsets, p_value = _per_axis(find_grids(labels), labels.ndim)
    else:
        _refuse(tile, offset)
        tiles, offsets = (tile,) * labels.ndim, (offset,) * labels.ndim
        p_value = _p_value(labels.shape, contacts, tile, offset)
    lines = _Lines(np.array(tiles), np.array(offsets))
    return LabelCheck(
        tile=tiles,
        offset=offsets,
        p_value=p_value,
        splits=tuple(_straight_cuts(labels, contacts, lines)),
        objects=int((np.unique(labels) != 0).sum()),
        one_sided=tuple(_one_sided(labels, contacts, lines)),
    )


def _refuse(tile: int, offset: int) -> None:
    if tile < 2:
        raise ShiftSegError(f"the tile size is {tile} px; legal: at least 2; nearest: 2")
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


def _p_value(shape: tuple[int, ...], contacts: Contacts, tile: int, offset: int) -> float:
    """Rank this offset's label changes per line among those of every offset."""
    changes = np.bincount(contacts.position % tile, minlength=tile)
    lines = sum(np.bincount(np.arange(1, size) % tile, minlength=tile) for size in shape)
    rate = changes / np.maximum(lines, 1)
    if changes.sum() == 0:
        return 1.0
    return float((rate >= rate[offset]).mean())


def _straight_cuts(labels: NDArray[Any], contacts: Contacts, lines: _Lines) -> list[StraightCut]:
    if len(contacts) == 0:
        return []
    on_grid = lines.at(contacts.axis, contacts.position)
    unique, index = np.unique(contacts.pairs, axis=0, return_inverse=True)
    index = index.ravel()
    every, straight = np.bincount(index), np.bincount(index, weights=on_grid)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(unique) + 1))
    cuts = []
    for k in np.flatnonzero(straight >= np.maximum(1, STRAIGHT * every)).tolist():
        of = order[starts[k] : starts[k + 1]]
        on = of[on_grid[of]]
        fraction = float(straight[k] / every[k])
        cuts.append(
            StraightCut(
                labels=(int(unique[k][0]), int(unique[k][1])),
                position=tuple(float(v) for v in contacts.places[on].mean(0)),
                length=len(on),
                fraction=fraction,
                confidence=fraction * _match(labels, contacts[on], unique[k]),
            )
        )
    return sorted(cuts, key=lambda cut: (-cut.length, cut.labels))


def _match(labels: NDArray[Any], contact: Contacts, pair: NDArray[np.int64]) -> float:
    """Contact over the longer one of both pieces' sides, along the lines that part them."""
    longest = 0
    for axis, line in set(zip(contact.axis.tolist(), contact.position.tolist(), strict=True)):
        sides = (np.isin(labels.take(line - before, axis), pair).sum() for before in (0, 1))
        longest += int(max(sides))
    return min(1.0, (len(contact) + _SLACK) / longest)


def _one_sided(labels: NDArray[Any], contacts: Contacts, lines: _Lines) -> list[OneSidedCut]:
    touching = {
        (int(label), int(axis), int(line))
        for pair, axis, line in zip(contacts.pairs, contacts.axis, contacts.position, strict=True)
        for label in pair
    }
    return [
        OneSidedCut(label, axis, line)
        for label, axis, line in flat_sides(labels)
        if bool(lines.at(np.array([axis]), np.array([line]))[0])
        and (label, axis, line) not in touching
    ]
