"""What follows the form at once, off the GUI thread: labels, colours, jumps, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_shiftseg._napari.worker import Runner

_PATIENCE = 30
"""Milliseconds that a slider rests before anything is computed."""


class Live(QObject):
    """Does the last thing of each kind that was asked for, one at a time.

    What is asked while something runs waits; of several of a kind that wait only the last is
    done.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[str, Callable[[], Iterator[Any]]] = {}
        self._runner = Runner(self, quiet=True)
        self._runner.succeeded.connect(self.done)
        self._runner.failed.connect(self.failed)
        self._runner.running_changed.connect(self._go_on)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether something runs or waits."""
        return self._runner.running or bool(self._waiting)

    def ask(self, kind: str, work: Callable[[], Iterator[Any]]) -> None:
        """Ask for something; it takes the place of what waits of its kind."""
        self._waiting[kind] = work
        self._timer.start()

    def stop(self) -> None:
        """Forget what runs and what waits."""
        self._waiting.clear()
        self._timer.stop()
        self._runner.cancel()

    def _begin(self) -> None:
        if self._runner.running or not self._waiting:
            return
        kind = next(iter(self._waiting))
        self._runner.start(self._waiting.pop(kind)(), kind)

    def _go_on(self, running: bool) -> None:
        if not running:
            # Not at once: the result of the run that ends is announced first.
            self._timer.start()
