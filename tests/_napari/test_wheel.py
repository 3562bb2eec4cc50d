"""Who scrolls a form changes nothing in it."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollBar,
    QSpinBox,
    QWidget,
)

from napari_shiftseg._napari.wheel import let_wheel_pass


def controls(form):
    kinds = (QComboBox, QAbstractSpinBox, QAbstractSlider)
    found = [c for c in form.findChildren(QWidget) if isinstance(c, kinds)]
    return [c for c in found if not isinstance(c, QScrollBar)]


def roll(control):
    """Turn the wheel over a control."""
    event = QWheelEvent(
        QPointF(3, 3),
        QPointF(control.mapToGlobal(QPoint(3, 3))),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(control, event)


def state(control):
    if isinstance(control, QComboBox):
        return control.currentIndex()
    return control.text() if isinstance(control, QAbstractSpinBox) else control.value()


@pytest.mark.parametrize("name", ["Segment", "Train", "Check labels", "Audit model"])
def test_the_wheel_passes_over_what_has_no_focus(open_dock, viewer, name):
    form = open_dock(name)
    for number in (1, 2):
        viewer.add_image(np.zeros((48, 40), np.uint8), name=f"image {number}")
        viewer.add_labels(np.eye(48, 40, dtype=int), name=f"labels {number}")
    if name == "Train":
        form.view.data.add.click()
    if name == "Check labels":
        form.view.grid.kind.choose("known")
    QApplication.processEvents()
    before = {control: state(control) for control in controls(form)}
    assert len(before) > 1
    for control in before:
        control.clearFocus()
        roll(control)
        assert not control.hasFocus()
    assert {control: state(control) for control in before} == before


def test_the_wheel_changes_what_has_the_focus(qtbot):
    form = QWidget()
    box = QSpinBox(form)
    box.setValue(3)
    let_wheel_pass(form)
    qtbot.addWidget(form)
    with qtbot.waitActive(form):
        form.show()
        form.activateWindow()
    box.clearFocus()
    roll(box)
    assert box.value() == 3
    box.setFocus()
    roll(box)
    assert box.value() == 2


def test_the_wheel_does_not_turn_pages(open_dock):
    form = open_dock("Train")
    tabs = form.view.tabs.tabBar()
    roll(tabs)
    assert tabs.currentIndex() == 0
