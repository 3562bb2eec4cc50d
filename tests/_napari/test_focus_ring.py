"""Who uses the keyboard sees where it is."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_shiftseg._napari.focus_ring import FocusRing


@pytest.fixture
def form(qtbot):
    form = QWidget()
    column = QVBoxLayout(form)
    for name in ("first", "second"):
        column.addWidget(QPushButton(name))
    qtbot.addWidget(form)
    with qtbot.waitActive(form):
        form.show()
        form.activateWindow()
    return form


def ringed(form):
    ring = FocusRing.ring_in(form)
    return ring and ring.parentWidget().text()


def test_the_ring_goes_with_the_keyboard(qtbot, form):
    FocusRing(form).take_theme("dark")
    first, second = form.findChildren(QPushButton)
    second.setFocus(Qt.FocusReason.TabFocusReason)
    first.setFocus(Qt.FocusReason.BacktabFocusReason)
    assert ringed(form) == "first"
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert ringed(form) == "second"
    second.resize(300, 40)
    assert FocusRing.ring_in(form).size() == second.size()
    second.clearFocus()
    assert ringed(form) is None


def test_the_ring_lets_clicks_through(qtbot, form):
    FocusRing(form).take_theme("light")
    first, _ = form.findChildren(QPushButton)
    first.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(first.clicked):
        qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
