"""A dock whose form is loaded while the window answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import napari.viewer
from napari.utils.notifications import show_error
from qtpy.QtCore import QElapsedTimer, QEvent, Qt, QTimer
from qtpy.QtWidgets import QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from napari_shiftseg._napari.garbage import Freezer
from napari_shiftseg._napari.loading import import_aside, load_torch_libraries
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError

if TYPE_CHECKING:
    from napari_shiftseg._napari.dock import Dock

_REST, _LATE = 200, 20
"""Milliseconds between two looks whether the window rests, and by how much one is late if not."""

_LOOKS = 5
"""Looks until it is loaded all the same."""


class Opening(QWidget):
    """What napari docks: a form, or that it is being loaded.

    The first form of a session needs torch, which takes seconds to load, and longer from a
    slow disk. Subclasses say which form it is.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    module: str
    """Module of the form's class."""

    name: str
    """Name of the form's class, a :class:`~napari_shiftseg._napari.dock.Dock`."""

    loads: str = "PyTorch"
    """What takes its time."""

    needs_torch: bool = True
    """Whether the form imports torch."""

    width_needed: int = 370
    """Pixels that the form needs at least."""

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.form: Any = None
        self._made: Dock | None = None
        self._asked: list[Callable[[Any], None]] = []
        self._turns, self._runner = Turns(self), Runner(self, quiet=True)
        self._freezer = Freezer(viewer, self)
        self._runner.succeeded.connect(lambda form: self._turns.do(self._open(form)))
        self._runner.failed.connect(self._say)
        self._start, self._since = QTimer(self, interval=_REST), QElapsedTimer()
        self._start.timeout.connect(self._load_at_rest)
        self._looks = 0
        self._column, self._loading = QVBoxLayout(self), _Loading(f"Loading {self.loads} …")
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._loading)
        self.setMinimumWidth(self.width_needed)
        # Else napari fills the dock up with nothing, above the form that is to come.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._begin()

    def when_open(self, call: Callable[[Any], None]) -> None:
        """Do something with the form, now or as soon as it is there."""
        if self.form is None:
            self._asked.append(call)
        else:
            call(self.form)

    def changeEvent(self, event: QEvent) -> None:
        """Let go of the viewer when napari closes the dock."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._asked.clear()
            self._start.stop()
            self._runner.cancel()
            self._turns.stop()
            self._freezer.give_up()
            if self._made is not None:
                self._made.leave()
            # Else it lives and listens on: napari keeps whom it has to tell of something.
            self.deleteLater()

    def _begin(self) -> None:
        form = getattr(sys.modules.get(self.module), self.name, None)
        if form is not None:
            self._loading.hide()
            self._turns.do(self._open(form))
        else:
            self._since.start()
            self._start.start()

    def _load_at_rest(self) -> None:
        """Load once the window is drawn with the dock.

        Where it is drawn without a graphics card, what is drawn for the first time waits for
        libraries that are being loaded.
        """
        self._looks += 1
        if self._since.restart() > _REST + _LATE and self._looks < _LOOKS:
            return
        self._start.stop()
        self._runner.start(self._import(), f"loading {self.loads}")

    def _import(self) -> Iterator[Any]:
        try:
            if self.needs_torch:
                load_torch_libraries()
            yield getattr(import_aside(self.module), self.name)
        except (ImportError, OSError) as error:
            raise ShiftSegError(f"{self.loads} cannot be loaded: {error}") from error

    def _open(self, form: Callable[[Any], Dock]) -> Steps:
        """Make the form, show it, and do what was asked of it."""
        self._made = form(self._viewer)
        yield
        self._loading.hide()
        self._column.addWidget(self._made)
        yield
        yield from self._made.start()
        self.form = self._made
        yield
        asked, self._asked = self._asked, []
        for call in asked:
            call(self.form)
        yield
        self._freezer.fill()

    def _say(self, message: str) -> None:
        self._asked.clear()
        self._loading.end(message)
        show_error(message)


class _Loading(QWidget):
    """What is waited for, or why it did not come."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text, self._bar = QLabel(text), QProgressBar()
        self._text.setWordWrap(True)
        self._bar.setRange(0, 0)
        column = QVBoxLayout(self)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._text)
        column.addWidget(self._bar)

    def end(self, message: str) -> None:
        """Say why it did not come."""
        self._text.setText(message)
        self._bar.hide()
