"""How two results are shown: one of them, side by side, under a curtain, or blinking."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.compare.blink import Blink
from napari_shiftseg._napari.compare.curtain import Curtain
from napari_shiftseg._napari.compare.side_by_side import SideBySide
from napari_shiftseg._napari.compare.sides import Side, hide_others
from napari_shiftseg._napari.turns import Steps, Turns

ALONE = ("A", "B")
SIDE_BY_SIDE, CURTAIN, BLINK = "side by side", "curtain", "blink"


class Arrangement(QObject):
    """Shows two sides in one way at a time, and tidies up when layers vanish.

    Parameters
    ----------
    viewer
        Where the layers are.
    turns
        When layers are added or removed.
    """

    ended = Signal()
    lost = Signal()

    def __init__(self, viewer: Viewer, turns: Turns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._turns = viewer, turns
        self._sides: tuple[Side, Side] | None = None
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
        """Show the sides: ``"A"``, ``"B"``, or one of the ways named above.

        What a way has to add to the viewer appears in the next turns.
        """
        if self._sides is None:
            return
        self._put_back()
        self.way = way
        hide_others(self._viewer, self._sides)
        if way in (SIDE_BY_SIDE, CURTAIN):
            self._turns.do(self._enter(way, self._sides))
        elif way == BLINK:
            self.blink.enter(*self._sides)
        else:
            for name, side in zip(ALONE, self._sides, strict=True):
                side.set_visible(way == name)

    def leave_seen(self, side: int = 0) -> None:
        """Leave one side on show, and not what lies around it, as :meth:`leave`."""
        if self.way not in ALONE:
            self.show(ALONE[side])
        self.leave()

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

    def _enter(self, way: str, sides: tuple[Side, Side]) -> Steps:
        if sides is not self._sides or way != self.way:
            return
        self._put_back()
        if way == SIDE_BY_SIDE:
            yield from self.beside.enter(*sides)
        else:
            yield from self.curtain.enter(*sides, self.fraction)

    def _put_back(self) -> None:
        self.blink.leave()
        self.curtain.leave()
        self.beside.leave()

    def _on_curtain(self, fraction: float) -> None:
        self.fraction = fraction

    def _on_removed(self, event: Any) -> None:
        removed = event.value
        if self.beside.is_image(removed):
            self._turns.do(self.beside.forget_copy())
        if self._sides is None:
            return
        if not all(side.alive for side in self._sides):
            self.leave()
            self._turns.do(self.curtain.forget())
            self._turns.do(self.beside.forget_copy())
            self.lost.emit()
        elif (self.way == CURTAIN and removed in (self.curtain.layer, self.curtain.line.layer)) or (
            self.way == SIDE_BY_SIDE and removed is self.beside.copy
        ):
            self.show(ALONE[0])
            self.ended.emit()
