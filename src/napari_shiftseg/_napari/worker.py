"""Runs one thing at a time in a thread; what an older run still says is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from napari.layers import Layer
from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils import progress
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_shiftseg._napari.alive import when_deleted
from napari_shiftseg._napari.events import Failure, Partial, Progress, guarded
from napari_shiftseg._napari.llvm import keep_triton_out

_STEPS = 1000
"""Resolution of the bar in napari's activity dock."""


class _Thread(GeneratorWorker):
    """A worker that leaves the warnings of the process alone.

    The one of superqt replaces ``warnings.showwarning`` while it runs. Of two that overlap, as
    a cancelled run and the next do, one leaves its own there for good; any later warning of
    anybody then fails, or calls itself for ever.
    """

    def run(self) -> None:
        self.started.emit()
        self._running = True
        result = self.work()
        self._gen.close()  # a run that was cancelled lets go of its file now, and in its thread
        if isinstance(result, RuntimeError):  # Qt has deleted what it would tell
            return
        self._running = False
        self.finished.emit()
        self._finished.emit(self)


class Runner(QObject):
    """Starts, cancels and reports runs.

    Every run has a generation number. A newer run, or a cancel, makes the older
    generation void at once; its thread ends within one tile.

    Parameters
    ----------
    parent
        Owner.
    quiet
        Whether runs are too short to be shown in napari's activity dock.
    """

    progressed = Signal(object)
    produced = Signal(object)
    succeeded = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    running_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None, *, quiet: bool = False) -> None:
        super().__init__(parent)
        self._quiet = quiet
        # A viewer that is closed deletes this while its run still has something to say.
        self._alive = [True]
        when_deleted(self, partial(_mark_dead, self._alive))
        self._generation = 0
        self._worker: Any = None
        self._bar: Any = None
        self._is_moving = False
        self.running = False
        self.title = ""
        self.image_key = ""

    def start(self, events: Iterator[Any], title: str, image_key: str = "") -> None:
        """Start a run; an older one is cancelled.

        Parameters
        ----------
        events
            Yields :class:`Progress` and :class:`Partial`, and last its result.
        title
            What napari's activity dock calls it.
        image_key
            Identity of the image layer; the run is void without it.
        """
        self.cancel()
        keep_triton_out()  # once more: a window may first be drawn after its dock was made
        self.running, self.title, self.image_key = True, title, image_key
        hear = partial(self._hear, self._generation)
        worker = create_worker(
            guarded,
            events,
            _start_thread=False,
            _connect={"yielded": hear},
            _worker_class=_Thread,
        )
        self._worker = worker
        if not self._quiet:
            self._bar = progress(total=_STEPS, desc=f"ShiftSeg: {title}")
        self.running_changed.emit(True)
        _find_room()
        worker.start()

    def works_on(self, layer: Layer) -> bool:
        """Tell whether a run is going on that is void without a layer, or with other pixels."""
        return self.running and str(layer.unique_id) == self.image_key

    def cancel(self) -> None:
        """End the run now; nothing more of it will be seen."""
        if self.running:
            self._stop()
            self.running_changed.emit(False)
            self.cancelled.emit()

    def _stop(self) -> None:
        self._generation += 1
        self.running = False
        if self._worker is not None:
            self._worker.quit()
            self._worker = None
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _hear(self, generation: int, event: Any) -> None:
        if generation != self._generation or not self._alive[0]:
            return
        if isinstance(event, Progress):
            self.progressed.emit(event)
            self._move_bar(event.fraction)
        elif isinstance(event, Partial):
            self.produced.emit(event.value)
        else:
            self._stop()
            self.running_changed.emit(False)
            if isinstance(event, Failure):
                self.failed.emit(event.message)
            else:
                self.succeeded.emit(event)

    def _move_bar(self, fraction: float) -> None:
        """Move the bar of the activity dock, which lets Qt deliver further events meanwhile.

        Those do not move it: a thousand quick tiles would each wait within the one before.
        """
        if self._bar is None or self._is_moving:
            return
        self._is_moving = True
        try:
            self._bar.update(int(fraction * _STEPS) - self._bar.n)
        finally:
            self._is_moving = False


def _find_room() -> None:
    """Let one more run begin: Qt starts as many as there are cores, and a training takes hours."""
    pool = QThreadPool.globalInstance()
    if pool is not None:
        pool.setMaxThreadCount(max(pool.maxThreadCount(), pool.activeThreadCount() + 1))


def _mark_dead(alive: list[bool]) -> None:
    alive[0] = False
