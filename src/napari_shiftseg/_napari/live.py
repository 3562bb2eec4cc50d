"""Labels that follow the sliders: the cached embedding is clustered again, off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_shiftseg._napari.worker import Runner

_PATIENCE = 30
"""Milliseconds that a slider rests before anything is computed."""


class Live(QObject):
    """Does the last thing that was asked for, one at a time.

    What is asked while something runs waits; of several that wait only the last is done.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: Callable[[], Iterator[Any]] | None = None
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
        return self._runner.running or self._waiting is not None

    def ask(self, work: Callable[[], Iterator[Any]]) -> None:
        """Ask for something; it takes the place of what waits."""
        self._waiting = work
        self._timer.start()

    def stop(self) -> None:
        """Forget what runs and what waits."""
        self._waiting = None
        self._timer.stop()
        self._runner.cancel()

    def _begin(self) -> None:
        if self._waiting is None or self._runner.running:
            return
        work, self._waiting = self._waiting, None
        self._runner.start(work(), "clustering")

    def _go_on(self, running: bool) -> None:
        if not running:
            # Not at once: the result of the run that ends is announced first.
            self._timer.start()
