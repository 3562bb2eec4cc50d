"""The period of the audited network as lines on the image."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtCore import QObject

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.palette import PERIOD
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.segment.grid import GridLines
from napari_shiftseg._napari.segment.grid_lines import period_edges
from napari_shiftseg._napari.turns import Turns
from napari_shiftseg.tiles.plan import TilePlan

AUDIT_PERIOD = "Period of the audited network"


class PeriodLines(QObject):
    """Draws the cells of the period, as the Segment dock draws them.

    Parameters
    ----------
    viewer
        Where to draw.
    turns
        When the layer is added or removed.
    """

    def __init__(self, viewer: Viewer, turns: Turns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._shown: tuple[TilePlan, Placement] | None = None
        self.lines = GridLines(
            viewer, turns, AUDIT_PERIOD, width=1, readable=8, colours=(PERIOD, PERIOD), opacity=0.4
        )
        while_alive(self, camera_of(viewer).events.zoom, self.lines.restyle)
        while_alive(self, viewer.dims.events.current_step, self._on_step)
        while_alive(self, viewer.dims.events.order, self._draw)
        while_alive(self, viewer.dims.events.ndisplay, self._draw)

    def show(self, plan: TilePlan, placement: Placement) -> None:
        """Draw the period of a plan."""
        self._shown = plan, placement
        self._draw()

    def hide(self) -> None:
        """Draw nothing."""
        self._shown = None
        self.lines.hide()

    def remove(self) -> None:
        """Take the layer away at once, as when the dock is closed."""
        self._shown = None
        self.lines.forget()
        if self.lines.layer is not None:
            self._viewer.layers.remove(self.lines.layer)

    def _draw(self) -> None:
        if self._shown is not None:
            plan, placement = self._shown
            self.lines.draw(period_edges(plan), plan.geometry.period, plan, placement)

    def _on_step(self) -> None:
        # In two dimensions the lines are the same on every slice.
        if self._shown is not None and len(self._shown[0].image_size) > 2:
            self._draw()
