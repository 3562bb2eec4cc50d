"""The stitching grid over an image: period lines thin, tile boundaries bold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Vectors
from napari.utils.colormaps.standardize_color import transform_color
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.camera import camera_of, pixel_size
from napari_shiftseg._napari.layers import (
    PERIOD_GRID,
    TILE_GRID,
    add_on_top,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.palette import HARMFUL, HARMLESS, PERIOD
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.segment.grid_lines import (
    Edges,
    Lines,
    period_edges,
    segments,
    tile_edges,
)
from napari_shiftseg._napari.tags import own_layers, tag, tag_of
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.view_units import from_view, scale_in_view
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan

_SHARE = 6
"""What part of the distance between two lines a line may take."""

_NOTHING = Lines(np.zeros((0, 2, 2), np.float32), np.zeros(0, bool))
_TOO_DENSE = replace(_NOTHING)

_SPECK = 1e-6
"""Length in pixels of what nobody sees: napari fails to draw no vectors at all in 3-D."""


class GridLines(QObject):
    """One layer of the grid.

    Parameters
    ----------
    viewer
        Where the layer lives.
    turns
        When it is added or removed.
    name
        Name of the layer, and what it is found by.
    width
        Thickness on screen in pixels; less where lines lie so near to each other that they
        would hide the image.
    readable
        Distance on screen in pixels from which on neighbouring lines can be told apart;
        closer ones are not drawn.
    colours
        Of harmless and of harmful lines.
    opacity
        Of the layer.
    """

    def __init__(
        self,
        viewer: Viewer,
        turns: Turns,
        name: str,
        *,
        width: float,
        readable: float,
        colours: tuple[str, str],
        opacity: float,
    ) -> None:
        super().__init__()
        self._viewer, self._turns = viewer, turns
        self._name = name
        self._width = width
        self._readable = readable
        self._colours = transform_color(list(colours))
        self._opacity = opacity
        self._spacing: dict[int, int] = {}
        self._wanted = self._drawn = _NOTHING
        self._placement: Placement | None = None
        self._image: Placement | None = None
        self._hidden = False

    @property
    def layer(self) -> Vectors | None:
        """The layer, or None while there is none."""
        return next(iter(own_layers(self._viewer, kind=self._name)), None)

    def draw(self, edges: list[Edges], spacing: Size, plan: TilePlan, placement: Placement) -> None:
        """Draw lines of a typical spacing; the first ones appear in one of the next turns."""
        displayed = _displayed(self._viewer, len(plan.image_size))
        point = from_view(self._viewer, self._viewer.dims.point, placement.units)
        at = placement.to_pixels(point)
        square = placement.square(displayed)
        self._wanted, self._spacing = _NOTHING, {}
        if len(displayed) > 1:
            lines = segments(edges, plan.image_size, displayed, at)
            self._wanted = lines.stretched(np.divide(placement.scale, square.scale))
            self._spacing = {axis: spacing[axis] for axis in displayed}
        # napari draws lines as wide as the pixels across them: square ones make them even. Not
        # along the other axes, whose sliders step by the smallest pixel of any layer.
        self._placement, self._image = square, placement
        layer = self.layer
        if layer is None or not self._fits(layer):
            self._turns.do(self._open())
            return
        move_to(layer, square)
        if self._hidden:
            self._hidden, layer.visible = False, True
        self.restyle()

    def restyle(self) -> None:
        """Keep the thickness on screen; leave out what is too dense to read."""
        layer = self.layer
        # napari cannot change the vectors of a layer that a person has hidden; one of other
        # dimensions, which is about to go, is shown once more.
        if layer is None or not layer.visible or not self._fits(layer):
            return
        zoom = camera_of(self._viewer).zoom
        distance = self._distance() * zoom
        self._fill(layer, self._wanted if distance >= self._readable else _TOO_DENSE)
        width = min(self._width, max(1, distance / _SHARE))
        width /= zoom * pixel_size(self._viewer, layer)
        if not 0.9 < width / layer.edge_width < 1.1:
            layer.edge_width = width

    def _distance(self) -> float:
        """Return the distance of neighbouring lines in units of the viewer."""
        scale = () if self._image is None else scale_in_view(self._viewer, self._image)
        apart = (abs(scale[axis]) * pixels for axis, pixels in self._spacing.items() if scale)
        return min(apart, default=float("inf"))

    def hide(self) -> None:
        """Hide the lines; their layer waits, empty, so that the view does not reckon with it."""
        self._placement, self._wanted = None, _NOTHING
        layer = self.layer
        if layer is not None and not self._hidden:
            self.restyle()
            self._hidden = True
            set_visible(layer, False)

    def forget(self) -> None:
        """Note that there is nothing to draw, until there is again."""
        self._placement, self._wanted = None, _NOTHING

    def remove_seen(self) -> None:
        """Remove the layer at once, unless it is hidden or wanted again."""
        layer = self.layer
        if layer is not None and layer.visible and self._placement is None:
            self._hidden = False
            self._viewer.layers.remove(layer)

    def remove(self) -> Steps:
        """Remove the layer, unless it is wanted again."""
        if self._placement is None:
            yield from self._renew()

    def _fits(self, layer: Vectors) -> bool:
        return self._placement is None or layer.ndim == len(self._placement.size)

    def _open(self) -> Steps:
        """Add the layer if it is still wanted, in place of one of other dimensions."""
        if self._placement is not None and (self.layer is None or not self._fits(self.layer)):
            yield from self._renew()

    def _renew(self) -> Steps:
        yield from remove(self._viewer, self.layer)
        self._hidden = False
        if self._placement is not None:  # wanted by now, maybe at another place
            self._add(self._placement)
            self.restyle()
            yield

    def _fill(self, layer: Vectors, lines: Lines) -> None:
        if lines is self._drawn:
            return
        self._drawn = lines
        vectors, harmful = lines.vectors, lines.harmful
        if not len(vectors):
            harmful = np.zeros(int(lines is not _NOTHING), bool)
            vectors = np.zeros((len(harmful), 2, layer.ndim), np.float32)
            vectors[:, 1, -1] = _SPECK
        layer.data = vectors
        if harmful.any() or len(np.unique(layer.edge_color, axis=0)) > 1:
            layer.edge_color = self._colours[harmful.astype(int)]

    def _add(self, placement: Placement) -> None:
        self._drawn = _NOTHING
        layer = Vectors(
            np.zeros((0, 2, len(placement.size))),
            name=self._name,
            edge_color=self._colours[0],
            edge_width=1,
            vector_style="line",
            opacity=self._opacity,
            metadata=tag(kind=self._name),
            **placement.keywords,
        )
        layer.events.visible.connect(self.restyle)
        add_on_top(self._viewer, layer)


class StitchingGrid(QObject):
    """Draws a plan as soon as it is known, before anything runs.

    Parameters
    ----------
    viewer
        Where to draw.
    turns
        When layers are added or removed.
    """

    removed_by_user = Signal()

    def __init__(self, viewer: Viewer, turns: Turns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._turns = viewer, turns
        self._plan: TilePlan | None = None
        self._placement: Placement | None = None
        self.period = GridLines(
            viewer, turns, PERIOD_GRID, width=1, readable=12, colours=(PERIOD, PERIOD), opacity=0.6
        )
        self.tiles = GridLines(
            viewer,
            turns,
            TILE_GRID,
            width=2.5,
            readable=6,
            colours=(HARMLESS, HARMFUL),
            opacity=0.9,
        )
        while_alive(self, camera_of(viewer).events.zoom, self._on_zoom)
        while_alive(self, viewer.dims.events.current_step, self._on_step)
        while_alive(self, viewer.dims.events.order, self._draw)
        while_alive(self, viewer.dims.events.ndisplay, self._draw)
        while_alive(self, viewer.layers.events.removed, self._on_removed)

    def show(self, plan: TilePlan, placement: Placement) -> None:
        """Draw a plan."""
        self._plan, self._placement = plan, placement
        self._draw()

    def hide(self) -> None:
        """Hide the grid."""
        self._plan = self._placement = None
        self.period.hide()
        self.tiles.hide()

    def remove(self) -> None:
        """Remove the grid, as when there is nothing that it could lie on."""
        self._plan = self._placement = None
        self.period.forget()
        self.tiles.forget()
        self._turns.do(self._remove())

    def _remove(self) -> Steps:
        # Both between two drawings: Mesa's software OpenGL may crash where one is hidden or
        # goes, and the other is drawn after it.
        self.period.remove_seen()
        self.tiles.remove_seen()
        yield
        yield from self.period.remove()
        yield from self.tiles.remove()

    def raise_to_top(self) -> None:
        """Put the grid above an image that was opened later."""
        layers = self._viewer.layers
        for lines in (self.period, self.tiles):
            if lines.layer is not None and lines.layer not in list(layers)[-2:]:
                layers.move(layers.index(lines.layer), len(layers))

    def _draw(self) -> None:
        if self._plan is None or self._placement is None:
            return
        plan, placement = self._plan, self._placement
        if self._viewer.dims.ndim < len(placement.size):  # all layers are being removed
            return
        self.period.draw(period_edges(plan), plan.geometry.period, plan, placement)
        self.tiles.draw(tile_edges(plan), plan.tile_size, plan, placement)

    def _on_zoom(self) -> None:
        self.period.restyle()
        self.tiles.restyle()

    def _on_step(self) -> None:
        # In two dimensions the lines are the same on every slice.
        if self._plan is not None and len(self._plan.image_size) > 2:
            self._draw()

    def _on_removed(self, event: Any) -> None:
        kind = tag_of(event.value).get("kind")
        if self._plan is not None and kind == TILE_GRID and not self._turns.at_work:
            self.hide()
            self.removed_by_user.emit()


def _displayed(viewer: Viewer, ndim: int) -> tuple[int, ...]:
    """Return the axes on screen that the image has, counted as its own."""
    extra = viewer.dims.ndim - ndim
    return tuple(axis - extra for axis in viewer.dims.displayed if axis >= extra)
