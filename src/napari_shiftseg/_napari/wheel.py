"""The wheel scrolls a form, and changes only what a person is at."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QScrollBar,
    QTabBar,
    QWidget,
)

_KINDS = (QComboBox, QAbstractSpinBox, QAbstractSlider, QTabBar)


class _Passing(QObject):
    """Lets the wheel pass over controls that have no focus."""

    def eventFilter(self, control: QObject | None, event: QEvent | None) -> bool:
        """Have Qt give the wheel to what scrolls around the control."""
        if event is None or event.type() != QEvent.Type.Wheel:
            return False
        if isinstance(control, QWidget) and not control.hasFocus():
            event.ignore()
            return True
        return False


def let_wheel_pass(form: QWidget) -> None:
    """Keep the wheel from changing what it comes over while a form is scrolled.

    Parameters
    ----------
    form
        Whose controls; those that come into it later need a call of their own.
    """
    passing = _Passing(form)
    for control in form.findChildren(QWidget):
        is_bar = isinstance(control, QScrollBar)
        if isinstance(control, _KINDS) and not is_bar:
            if control.focusPolicy() == Qt.FocusPolicy.WheelFocus:  # which the wheel gives it
                control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            control.installEventFilter(passing)
