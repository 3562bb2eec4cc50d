"""How two results are shown: one of them, side by side, under a curtain, or blinking."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.compare.blink import Blink
from napari_shiftseg._napari.compare.curtain import Curtain
from napari_shiftseg._napari.compare.side_by_side import COPY, SideBySide
from napari_shiftseg._napari.compare.sides import Side, hide_others
from napari_shiftseg._napari.tags import tag_of

ALONE = ("A", "B")
SIDE_BY_SIDE, CURTAIN, BLINK = "side by side", "curtain", "blink"


class Arrangement(QObject):
    """Shows two sides in one way at a time, and tidies up when layers vanish.

    Parameters
    ----------
    viewer
        Where the layers are.
    """

    ended = Signal()
    lost = Signal()

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._sides: tuple[Side, Side] | None = None
        self._busy = False
        self.fraction = 0.5
        self.way = ALONE[0]
        self.beside = SideBySide(viewer)
        self.curtain = Curtain(viewer, self)
        self.blink = Blink(self)
        self.curtain.moved.connect(self._on_curtain)
        while_alive(self, viewer.layers.events.removed, self._on_removed)

    @property
    def sides(self) -> tuple[Side, Side] | None:
        """A and B, or None while there is nothing to show."""
        return self._sides

    def take(self, sides: tuple[Side, Side]) -> None:
        """Take two sides to show."""
        self.leave()
        self._sides = sides

    def show(self, way: str) -> None:
        """Show the sides: ``"A"``, ``"B"``, or one of the ways named above."""
        if self._sides is None:
            return
        self._put_back()
        self.way = way
        self._busy = True
        hide_others(self._viewer, self._sides)
        self._enter(way, *self._sides)
        self._busy = False

    def leave(self) -> None:
        """Put everything back and forget the sides."""
        self._put_back()
        self._sides = None

    def move_curtain(self, fraction: float) -> None:
        """Move the curtain's edge to a fraction of the image's width."""
        self.fraction = fraction
        self.curtain.move(fraction)

    def world_of(self, side: int) -> float:
        """Return how far the pixels of A or B are moved to the right, in world units."""
        return self.beside.shift * side

    def _enter(self, way: str, a: Side, b: Side) -> None:
        if way == SIDE_BY_SIDE:
            self.beside.enter(a, b)
        elif way == CURTAIN:
            self.curtain.enter(a, b, self.fraction)
        elif way == BLINK:
            self.blink.enter(a, b)
        else:
            a.set_visible(way == ALONE[0])
            b.set_visible(way == ALONE[1])

    def _put_back(self) -> None:
        self._busy = True
        self.blink.leave()
        self.curtain.leave()
        self.beside.leave()
        self._busy = False

    def _on_curtain(self, fraction: float) -> None:
        self.fraction = fraction

    def _on_removed(self, event: Any) -> None:
        if self._busy or self._sides is None:
            return
        if not all(side.alive for side in self._sides):
            self.leave()
            self.lost.emit()
        elif event.value in (self.curtain.layer, self.curtain.line.layer) or (
            tag_of(event.value).get("kind") == COPY
        ):
            self.show(ALONE[0])
            self.ended.emit()
