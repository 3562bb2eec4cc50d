"""One thing a turn: what makes napari wait is spread over turns of Qt's event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from qtpy.QtCore import QObject, QTimer

_PAUSE = 10
"""Milliseconds between two steps: without, the next would come before mouse and keys."""

Steps = Iterator[None]
"""Work in steps: each goes to the next ``yield`` and adds or removes one layer at most."""


class Turns(QObject):
    """Takes steps one by one, so that the window draws and answers between any two.

    napari takes about a tenth of a second for a layer that it adds, and more for one that it
    removes. Several in one turn of the event loop would add up. The first step is taken in
    a later turn; what was asked for first is finished first.

    While a step is taken, ``at_work`` is true: what happens to layers then is not the doing
    of a person.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Steps] = deque()
        self.at_work = False
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._step)

    @property
    def busy(self) -> bool:
        """Whether anything is left to be done."""
        return bool(self._waiting)

    def do(self, steps: Steps) -> None:
        """Do something after all that was asked for before."""
        self._waiting.append(steps)
        self._timer.start()

    def stop(self) -> None:
        """Forget what is left."""
        self._waiting.clear()
        self._timer.stop()

    def _step(self) -> None:
        # napari lets Qt deliver events in the middle of some calls.
        if self.at_work:
            return
        self.at_work = True
        try:
            self._go_on()
        finally:
            self.at_work = False
            if not self._waiting:
                self._timer.stop()

    def _go_on(self) -> None:
        if not self._waiting:
            return
        steps, done = self._waiting[0], True
        try:
            next(steps)
            done = False
        except StopIteration:
            pass
        finally:
            if done and self._waiting and self._waiting[0] is steps:
                self._waiting.popleft()
