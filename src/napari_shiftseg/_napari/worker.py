"""Runs one job at a time in a thread; what an older run still says is dropped."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.qt.threading import create_worker
from napari.utils import progress
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.job import Failure, Job, Outcome, Progress, run

_STEPS = 1000
"""Resolution of the bar in napari's activity dock."""


class Runner(QObject):
    """Starts, cancels and reports runs.

    Every run has a generation number. A newer run, or a cancel, makes the older
    generation void at once; its thread ends within one tile.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(str)
    running_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._generation = 0
        self._worker: Any = None
        self._bar: Any = None
        self.job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self.job is not None

    def start(self, job: Job) -> None:
        """Start a run; an older one is cancelled."""
        self._stop()
        self.job = job
        hear = partial(self._hear, self._generation)
        worker = create_worker(run, job, _start_thread=False, _connect={"yielded": hear})
        self._worker = worker
        self._bar = progress(total=_STEPS, desc=f"ShiftSeg: {job.image_name}")
        self.running_changed.emit(True)
        worker.start()

    def cancel(self) -> None:
        """End the run now; nothing of it will be seen."""
        if self.running:
            self._stop()
            self.running_changed.emit(False)

    def _stop(self) -> None:
        self._generation += 1
        self.job = None
        if self._worker is not None:
            self._worker.quit()
            self._worker = None
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _hear(self, generation: int, event: Progress | Outcome | Failure) -> None:
        if generation != self._generation:
            return
        if isinstance(event, Progress):
            self.progressed.emit(event)
            # Last, because it lets Qt deliver the next event before it returns.
            self._bar.update(int(event.fraction * _STEPS) - self._bar.n)
            return
        self.cancel()
        if isinstance(event, Failure):
            self.failed.emit(event.message)
        else:
            self.succeeded.emit(event)
