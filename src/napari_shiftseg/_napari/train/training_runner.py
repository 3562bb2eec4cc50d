"""Runs trainings; one that is left ends itself after its step or image, and saves."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject, Qt

from napari_shiftseg._napari.alive import when_deleted
from napari_shiftseg._napari.train.job import Order, Requests, train
from napari_shiftseg._napari.worker import Runner


class TrainingRunner(Runner):
    """A runner whose runs are never cut off in the middle of a step.

    Parameters
    ----------
    parent
        Owner.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.requests = Requests()
        # Qt deletes the widget of a viewer that is closed without a word to Python.
        self._told: list[Requests] = []
        when_deleted(self, partial(_leave, self._told))

    def train(self, order: Order, title: str) -> None:
        """Start a training."""
        self.cancel()
        self.requests = Requests()
        self._told[:] = [self.requests]
        events = train(order, self.requests)
        self.start(events, title)
        if self._worker is not None:
            # Where napari itself ends all threads, the training saves its state in its own one.
            self._worker.aborted.connect(events.close, Qt.ConnectionType.DirectConnection)

    def _stop(self) -> None:
        self.requests.leave()
        self._worker = None
        super()._stop()


def _leave(told: list[Requests]) -> None:
    for requests in told:
        requests.leave()
