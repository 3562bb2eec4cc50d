"""Check a labels layer for straight cuts along a grid, whatever program made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer

from napari_shiftseg._napari.layers import CHECKED, add_on_top, keep_rings_thin, new_rings, remove
from napari_shiftseg._napari.placement import pixels_of
from napari_shiftseg._napari.tags import own_layers, tag, tag_of
from napari_shiftseg._napari.turns import Steps
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.straight import StraightCut, check_labels

_AIR = 6
"""Pixels that a ring is wider than the cut."""


@dataclass(frozen=True)
class Checked:
    """What was found in a layer.

    Parameters
    ----------
    layer
        The layer.
    tile, offset
        The grid.
    p_value
        The smallest of all frames.
    cuts
        With positions in pixels of the layer.
    """

    layer: Labels
    tile: int
    offset: int
    p_value: float
    cuts: tuple[tuple[tuple[float, ...], StraightCut], ...]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        grid = f"the {self.tile} px grid"
        if not self.cuts:
            return f"{self.layer.name}: no pair of objects is cut straight along {grid}."
        count = len(self.cuts)
        pairs = "1 pair of objects is" if count == 1 else f"{count} pairs of objects are"
        return f"{self.layer.name}: {pairs} cut straight along {grid} (p = {self.p_value:.2g})."


def grid_of(layer: Labels, tile: int) -> tuple[int, int]:
    """Return tile size and number of spatial axes: the layer's own, or those of the form.

    Raises
    ------
    ShiftSegError
        If neither knows a tile size; 1 pixel is what a form shows without an image.
    """
    made = tag_of(layer).get("provenance") or {}
    ndim = min(len(made.get("period", ())) or 2, layer.ndim)
    if made.get("stitch") not in (None, "whole") and made.get("tile"):
        return int(max(made["tile"])), ndim
    if tile < 2:
        raise ShiftSegError(
            f"it is not known how {layer.name!r} was tiled; set the tile size in the tab Segment"
        )
    return tile, ndim


def check(layer: Labels, tile: int, ndim: int) -> Iterator[Checked]:
    """Check every frame of a layer."""
    labels = np.asarray(pixels_of(layer))
    made = tag_of(layer).get("provenance") or {}
    starts = [start for start, _ in made.get("region", ())] or [0]
    offset = -starts[-1] % tile
    found, p_value = [], 1.0
    for index in np.ndindex(labels.shape[: labels.ndim - ndim]):
        report = check_labels(labels[index], tile, offset)
        found += [((*index, *cut.position), cut) for cut in report.splits]
        p_value = min(p_value, report.p_value)
    yield Checked(layer, tile, offset, p_value, tuple(found))


def show_check(viewer: Viewer, checked: Checked) -> Steps:
    """Circle what was found."""
    for former in own_layers(viewer, kind=CHECKED):
        yield from remove(viewer, former)
    layer = checked.layer
    if not checked.cuts or layer not in viewer.layers:
        return
    placed: dict[str, Any] = {"scale": layer.scale, "translate": layer.translate}
    rings = new_rings(
        np.array([position for position, _ in checked.cuts]),
        np.array([cut.length + _AIR for _, cut in checked.cuts], float),
        f"Straight cuts ({layer.name})",
        {"metadata": tag(kind=CHECKED), **placed},
    )
    add_on_top(viewer, rings)
    keep_rings_thin(viewer)
    yield
