"""Seams in finished labels, without model, image or truth: cuts along a known grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.contacts import Contacts

ON_SEAM = 0.8
"""Fraction of a common border that must lie on seam lines to call it a straight cut."""


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
    """

    labels: tuple[int, int]
    position: tuple[float, ...]
    length: int
    fraction: float


@dataclass(frozen=True)
class LabelCheck:
    """What a grid did to labels.

    Parameters
    ----------
    tile, offset
        The grid: lines at ``offset + k * tile`` on every axis, in pixels.
    p_value
        Share of all grid offsets with at least as many label changes per line as this one:
        small if objects are cut along this grid more than along its neighbours.
    splits
        Straight cuts, the longest first.
    objects
        Number of labels.
    """

    tile: int
    offset: int
    p_value: float
    splits: tuple[StraightCut, ...]
    objects: int


def check_labels(labels: NDArray[Any], tile: int, offset: int = 0) -> LabelCheck:
    """Look for objects cut along a grid.

    Parameters
    ----------
    labels
        ``(*spatial)`` integers, 0 is background.
    tile
        Edge length of the grid in pixels, at least 2.
    offset
        Position of its first line.

    Raises
    ------
    ShiftSegError
        If the tile size or the offset is not legal.
    """
    if tile < 2:
        raise ShiftSegError(f"the tile size is {tile} px; legal: at least 2; nearest: 2")
    if not 0 <= offset < tile:
        raise ShiftSegError(f"the offset is {offset} px; legal: 0 to {tile - 1}")
    contacts = Contacts.of(labels)
    return LabelCheck(
        tile=tile,
        offset=offset,
        p_value=_p_value(labels.shape, contacts, tile, offset),
        splits=tuple(_straight_cuts(contacts, tile, offset)),
        objects=int((np.unique(labels) != 0).sum()),
    )


def _p_value(shape: tuple[int, ...], contacts: Contacts, tile: int, offset: int) -> float:
    """Rank this offset's label changes per line among those of every offset."""
    changes = np.bincount(contacts.position % tile, minlength=tile)
    lines = sum(np.bincount(np.arange(1, size) % tile, minlength=tile) for size in shape)
    rate = changes / np.maximum(lines, 1)
    if changes.sum() == 0:
        return 1.0
    return float((rate >= rate[offset]).mean())


def _straight_cuts(contacts: Contacts, tile: int, offset: int) -> list[StraightCut]:
    if len(contacts) == 0:
        return []
    on_grid = contacts.position % tile == offset
    unique, index = np.unique(contacts.pairs, axis=0, return_inverse=True)
    index = index.ravel()
    every = np.bincount(index)
    straight = np.bincount(index, weights=on_grid)
    cuts = [
        StraightCut(
            labels=(int(unique[k][0]), int(unique[k][1])),
            position=tuple(float(v) for v in contacts.places[on_grid & (index == k)].mean(0)),
            length=int(straight[k]),
            fraction=float(straight[k] / every[k]),
        )
        for k in np.flatnonzero(straight >= np.maximum(1, ON_SEAM * every)).tolist()
    ]
    return sorted(cuts, key=lambda cut: (-cut.length, cut.labels))
