"""What the forms of all docks share: their layout, their commands, how they let go."""

from __future__ import annotations

from collections.abc import Callable

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_shiftseg._napari.actions import Actions, Command
from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.focus_ring import FocusRing
from napari_shiftseg._napari.llvm import keep_triton_out
from napari_shiftseg._napari.palette import warning_text
from napari_shiftseg._napari.sentence import warning_style
from napari_shiftseg._napari.turns import Steps
from napari_shiftseg._napari.wheel import let_wheel_pass


class Dock(QWidget):
    """The form of a dock; subclasses make view and control, then :meth:`begin`.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    actions_of_widget: Actions

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        keep_triton_out()
        self._viewer = viewer

    def begin(
        self,
        form: QWidget,
        let_go: Callable[[], None],
        commands: list[Command],
    ) -> None:
        """Lay the form out, and offer the commands.

        ``let_go`` is called when the dock is closed: nothing of the viewer may be held then.
        """
        self._let_go = let_go
        self.actions_of_widget = Actions(self._viewer, commands, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(form)
        self._ring = FocusRing(self)
        let_wheel_pass(form)
        while_alive(self, self._viewer.events.theme, self.on_theme)
        self.actions_of_widget.register()
        self.on_theme()

    def start(self) -> Steps:
        """Do what takes its time, once the form can be seen."""
        yield from ()

    def changeEvent(self, event: QEvent) -> None:
        """Let go of the viewer when napari closes the dock."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.leave()

    def leave(self) -> None:
        """Hold nothing of the viewer any more."""
        self._let_go()
        self.actions_of_widget.unregister()

    def on_theme(self) -> None:
        """Take the colours of napari's theme."""
        self.setStyleSheet(warning_style(warning_text(self._viewer.theme)))
        self._ring.take_theme(self._viewer.theme)


def scrolling(form: QWidget) -> QScrollArea:
    """Wrap a form that may be higher than the window, and wider where letters are large."""
    area = QScrollArea()
    area.setWidget(form)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # a stop of Tab at which nothing can be seen
    return area
