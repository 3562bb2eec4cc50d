"""A and B in turns, so that the eye sees what differs."""

from __future__ import annotations

from qtpy.QtCore import QObject, QTimer

from napari_shiftseg._napari.compare.sides import Side


class Blink(QObject):
    """Alternates two sides by a timer."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, Side] | None = None
        self._shown = 0
        self.timer = QTimer(self)
        self.timer.setInterval(600)
        self.timer.timeout.connect(self.step)

    def enter(self, a: Side, b: Side) -> None:
        """Start with A."""
        self._sides, self._shown = (a, b), 1
        self.step()
        self.timer.start()

    def leave(self) -> None:
        """Stop."""
        self.timer.stop()
        self._sides = None

    def step(self) -> None:
        """Show the other side now."""
        if self._sides is None:
            return
        self._shown = 1 - self._shown
        for i, side in enumerate(self._sides):
            side.set_visible(i == self._shown)
