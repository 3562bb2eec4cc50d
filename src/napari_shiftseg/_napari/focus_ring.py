"""A ring around the control that the keyboard is at: napari's style shows next to none."""

from __future__ import annotations

from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QApplication, QWidget

_WIDTH = 2
"""Pixels on screen."""


class Ring(QWidget):
    """An outline upon a control, which gets all the clicks.

    Parameters
    ----------
    colour
        Of the outline.
    control
        What it lies on.
    """

    def __init__(self, colour: QColor, control: QWidget) -> None:
        super().__init__(control)
        self._pen = QPen(colour, _WIDTH)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(control.rect())
        control.installEventFilter(self)
        self.show()

    def eventFilter(self, control: QObject | None, event: QEvent | None) -> bool:
        """Stay as large as the control."""
        if event is not None and event.type() == QEvent.Type.Resize:
            parent = self.parentWidget()
            if parent is not None:
                self.setGeometry(parent.rect())
        return False

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the outline."""
        with QPainter(self) as painter:
            painter.setPen(self._pen)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


class FocusRing(QObject):
    """Follows the focus within a form, unless a mouse has set it.

    Parameters
    ----------
    form
        On whose controls it is drawn.
    """

    def __init__(self, form: QWidget) -> None:
        super().__init__(form)
        self._form = form
        self._colour = QColor()
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._follow)

    @staticmethod
    def ring_in(form: QWidget) -> Ring | None:
        """Return the ring in a form, None while there is none."""
        return form.findChild(Ring)

    def take_theme(self, theme: str) -> None:
        """Take the colour of a theme of napari."""
        self._colour = QColor(get_theme(theme).text.as_hex())

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        if (former := self.ring_in(self._form)) is not None:
            former.setParent(None)  # which hides it
            former.deleteLater()
        by_mouse = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        if now is not None and self._form.isAncestorOf(now) and not by_mouse:
            Ring(self._colour, now)
