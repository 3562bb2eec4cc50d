"""A dock whose form is loaded while the window answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import napari.viewer
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_shiftseg._napari.llvm import keep_triton_out
from napari_shiftseg._napari.torch_libraries import load_torch_libraries
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.errors import ShiftSegError


class Opening(QWidget):
    """What napari docks: the form, or that it is being loaded.

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

    loads: str
    """What takes its time."""

    width_needed: int
    """Pixels that the form needs at least."""

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form: Any = None
        self._viewer = viewer
        self._asked: list[Callable[[Any], None]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setMinimumWidth(self.width_needed)
        form = getattr(sys.modules.get(self.module), self.name, None)
        if form is None:
            self._load()
        else:
            self._open(form)

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
            if self.form is None:
                self._runner.cancel()
            else:
                self.form.leave()

    def _load(self) -> None:
        self._loading = _Loading(f"Loading {self.loads} …")
        self._column.addWidget(self._loading)
        self._runner = Runner(self, quiet=True)
        self._runner.succeeded.connect(self._open)
        self._runner.failed.connect(self._say)
        keep_triton_out()
        self._runner.start(self._import(), f"loading {self.loads}")

    def _import(self) -> Iterator[Any]:
        try:
            load_torch_libraries()
            yield getattr(import_module(self.module), self.name)
        except (ImportError, OSError) as error:
            raise ShiftSegError(f"{self.loads} cannot be loaded: {error}") from error

    def _open(self, form: Callable[[Any], QWidget]) -> None:
        self.form = form(self._viewer)
        if self._column.count():
            self._column.takeAt(0)
            self._loading.deleteLater()
        self._column.addWidget(self.form)
        asked, self._asked = self._asked, []
        for call in asked:
            call(self.form)

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
        self._text.setText(message)
        self._bar.hide()
