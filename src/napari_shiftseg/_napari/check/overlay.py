"""The grid that was found, and rings around what it cut, above the labels."""

from __future__ import annotations

import numpy as np
from napari.layers import Points, Vectors
from napari.utils.colormaps.standardize_color import transform_color
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.camera import camera_of, pixel_size
from napari_shiftseg._napari.check.job import Found
from napari_shiftseg._napari.layers import add_on_top, remove
from napari_shiftseg._napari.palette import CUT, HARMFUL, HARMLESS, REGION
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.ring_layers import CHECKED, keep_rings_thin, new_rings
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg._napari.segment.grid_lines import Edges, segments
from napari_shiftseg._napari.tags import own_layers, tag
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.view_units import from_view

CHECKED_GRID = "checked grid"
"""Kind of the layer with the lines."""

_LINE = 2
"""Thickness of lines on screen in pixels."""

_AIR = 8
"""Pixels that a ring is wider than the cut."""


class CheckOverlay(QObject):
    """Draws a finding.

    Parameters
    ----------
    viewer
        Where to draw.
    turns
        When layers are added or removed.
    """

    def __init__(self, viewer: Viewer, turns: Turns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._turns = viewer, turns
        self._found: Found | None = None
        self._drawn: Found | None = None
        self._chosen: int | None = None
        while_alive(self, camera_of(viewer).events.zoom, self._on_zoom)
        for event in (viewer.dims.events.current_step, viewer.dims.events.order,
                      viewer.dims.events.ndisplay):  # fmt: skip
            while_alive(self, event, self._on_dims)

    @property
    def grid(self) -> Vectors | None:
        """The layer with the lines."""
        return next(iter(own_layers(self._viewer, kind=CHECKED_GRID)), None)

    @property
    def rings(self) -> Points | None:
        """The layer with the rings."""
        return next(iter(own_layers(self._viewer, kind=CHECKED)), None)

    def show(self, found: Found) -> None:
        """Draw a finding in place of the one before."""
        self._found, self._chosen = found, None
        self._turns.do(self._redraw())

    def clear(self) -> None:
        """Draw nothing."""
        self._found = None
        self._turns.do(self._redraw())

    def remove(self) -> None:
        """Take everything away at once, as when the dock is closed."""
        self._found = None
        for layer in self._layers():
            self._viewer.layers.remove(layer)

    def choose(self, number: int) -> None:
        """Make one ring stand out."""
        self._chosen, rings = number, self.rings
        if rings is not None and self._drawn is not None and self._drawn is self._found:
            rings.border_color = _colours(self._drawn, number)

    def _layers(self) -> list[Vectors | Points]:
        # Points first: Mesa's OpenGL may end napari if lines are removed from below them.
        return [layer for layer in (self.rings, self.grid) if layer is not None]

    def _redraw(self) -> Steps:
        self._drawn = None
        for layer in self._layers():
            yield from remove(self._viewer, layer)
        found = self._found
        if found is None or not found.check.found:
            return
        for make in (self._lines, self._circles) if found.rows else (self._lines,):
            layer = make(found)
            yield
            if found is not self._found:
                return
            self._drawn = found
            add_on_top(self._viewer, layer)
            self._on_dims()  # a slider may have moved since the layer was made
            if self._chosen is not None:
                self.choose(self._chosen)
            self._on_zoom()
            yield

    def _lines(self, found: Found) -> Vectors:
        return Vectors(
            self._vectors(found),
            name=f"Grid found ({found.part.title})",
            edge_color=HARMFUL,
            vector_style="line",
            opacity=0.8,
            metadata=tag(kind=CHECKED_GRID),
            **found.part.placement.keywords,
        )

    def _circles(self, found: Found) -> Points:
        centres, diameters = self._discs(found)
        rings = new_rings(
            centres,
            diameters,
            f"Cuts ({found.part.title})",
            {"metadata": tag(kind=CHECKED), **found.part.placement.keywords},
        )
        rings.border_color = _colours(found, None)
        return rings

    def _discs(self, found: Found) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return centres and diameters of rings: balls of a volume, where the slice cuts them."""
        placement, size, frames = found.part.placement, found.labels.shape, found.check.frames
        power = 1 / max(1, len(size) - frames - 1)
        places = np.array([row.position for row in found.rows])
        radii = np.array([0.6 * row.length**power + _AIR / 2 for row in found.rows])
        shown = self._axes(found)
        at = np.round(placement.to_pixels(self._point(placement)))
        scale = np.abs(placement.scale[len(placement.frame) :]) / min(
            abs(placement.scale[len(placement.frame) + axis]) for axis in shown
        )
        sliced = set(range(frames, len(size))) - set(shown)
        discs = Rings(places, 2 * radii).in_slice(at, scale, sliced)
        frame = np.tile(placement.frame, (len(places), 1)).reshape(len(places), -1)
        return np.hstack([frame, discs.centres]), discs.diameters

    def _point(self, placement: Placement) -> tuple[float, ...]:
        return from_view(self._viewer, self._viewer.dims.point, placement.units)

    def _axes(self, found: Found) -> list[int]:
        """Return the axes on screen, counted as those of the image."""
        ndim = found.labels.ndim
        axes = [axis - self._viewer.dims.ndim + ndim for axis in self._viewer.dims.displayed]
        return axes if len(axes) > 1 and min(axes) >= 0 else list(range(ndim))[-2:]

    def _vectors(self, found: Found) -> NDArray[np.float32]:
        """Return the lines on the slice that is on screen."""
        placement, size = found.part.placement, found.labels.shape
        axes = self._axes(found)
        at = np.round(placement.to_pixels(self._point(placement)))
        edges = [
            _edges(n, tile, offset, borders=len(axes) > 2)
            for n, tile, offset in zip(size, found.check.tile, found.check.offset, strict=True)
        ]
        lines = segments(edges, size, tuple(axes), tuple(at)).vectors
        with_frame = np.zeros((len(lines), 2, len(placement.frame) + len(size)), np.float32)
        with_frame[:, 0, : len(placement.frame)] = placement.frame
        with_frame[:, :, len(placement.frame) :] = lines
        return with_frame

    def _on_zoom(self) -> None:
        grid = self.grid
        if grid is not None and self._found is not None:
            edge = pixel_size(self._viewer, grid)
            grid.edge_width = _LINE / (camera_of(self._viewer).zoom * edge)
        keep_rings_thin(self._viewer)

    def _on_dims(self) -> None:
        # In two dimensions lines and rings are the same on every slice.
        found, grid, rings = self._found, self.grid, self.rings
        if found is None or found is not self._drawn or found.labels.ndim < 3:
            return
        # napari cannot change what a person has hidden.
        if grid is not None and grid.visible:
            grid.data = self._vectors(found)
        if rings is not None and rings.visible:
            rings.data, rings.size = self._discs(found)


def _edges(size: int, tile: int, offset: int, *, borders: bool) -> Edges:
    """Lines within the image; its borders where a box is drawn around it."""
    inner = np.arange(offset or tile, size, tile) if tile else np.zeros(0, int)
    ends = [0, size] if borders else []
    positions = np.union1d(inner, ends).astype(np.int64)
    return Edges(positions, np.ones(len(positions), bool))


def _colours(found: Found, chosen: int | None) -> NDArray[np.float32]:
    colours = transform_color([HARMLESS if row.one_sided else CUT for row in found.rows])
    if chosen is not None:
        colours[chosen] = transform_color(REGION)[0]
    return colours
