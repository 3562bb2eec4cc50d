"""Thousands of things that a user might do, in any order, in a real window: nothing breaks.

``make test`` does a few hundred, ``SHIFTSEG_ACTIONS=5000`` as many as are wanted; a failure names
its seed and the actions before it, and ``SHIFTSEG_SEED`` repeats it.
"""

import os
from collections import deque

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QSpinBox,
    QTableWidget,
    QTabWidget,
)

from napari_shiftseg.samples.discs import disc_image

ACTIONS = int(os.environ.get("SHIFTSEG_ACTIONS", "250"))
SEEDS = [int(os.environ["SHIFTSEG_SEED"])] if "SHIFTSEG_SEED" in os.environ else [1, 2]
DOCKS = ("Segment", "Check labels", "Audit model")
LAST = 40
MOST_LAYERS = 14


class User:
    """Does one thing after the other to a viewer and its docks, at random."""

    def __init__(self, viewer, docks, rng):
        self.viewer, self.docks, self.rng = viewer, docks, rng
        self.done = deque(maxlen=LAST)
        self.kinds = {}

    def act(self):
        """Do something."""
        name, action = self.choose()
        self.done.append(name)
        self.kinds[name.split(" ")[0]] = self.kinds.get(name.split(" ")[0], 0) + 1
        action()
        QApplication.processEvents()

    def choose(self):
        if self.rng.random() < 0.25:
            return self.on_layers()
        return self.on_controls()

    def pick(self, things):
        return things[self.rng.integers(len(things))]

    def on_controls(self):
        controls = [
            control
            for dock in self.docks
            for kind in HANDLED
            for control in dock.findChildren(kind)
            if control.isEnabled() and control.isVisibleTo(dock)
        ]
        control = self.pick(controls)
        kind = next(kind for kind in HANDLED if isinstance(control, kind))
        text = getattr(control, "text", str)() if kind is QAbstractButton else ""
        return f"{kind.__name__} {control.objectName()} {text}", lambda: HANDLED[kind](
            self, control
        )

    def on_layers(self):
        layers = list(self.viewer.layers)
        actions = [ADD[i] for i in range(len(ADD))] if len(layers) < MOST_LAYERS else [remove]
        if layers:
            actions += [remove, rename, hide, choose_layer, edit, transform, turn_dims]
        action = self.pick(actions)
        return f"{action.__name__} layer", lambda: action(self)


def click(user, button):
    button.click()


def slide(user, slider):
    slider.setValue(int(user.rng.integers(slider.minimum(), slider.maximum() + 1)))


def spin(user, box):
    span = min(box.maximum() - box.minimum(), 200)
    value = box.minimum() + span * user.rng.random()
    box.setValue(value if isinstance(box, QDoubleSpinBox) else int(value))


def step(user, box):
    box.stepBy(int(user.rng.integers(-3, 4)))


def choose_item(user, combo):
    if combo.count():
        combo.setCurrentIndex(int(user.rng.integers(combo.count())))
        combo.activated.emit(combo.currentIndex())


def type_text(user, line):
    if line.isReadOnly():
        return
    before = line.text()
    line.setText(user.pick(["", "0", "-5", "1e9", "nuclei", "8, 8", "ä ü", "/no/such/file"]))
    if line.hasAcceptableInput():
        line.editingFinished.emit()
    else:  # Qt lets nobody leave a line with such a text.
        line.setText(before)


def turn_tab(user, tabs):
    tabs.setCurrentIndex(int(user.rng.integers(tabs.count())))


def click_row(user, table):
    if table.rowCount():
        table.selectRow(int(user.rng.integers(table.rowCount())))


HANDLED = {
    QTabWidget: turn_tab,
    QTableWidget: click_row,
    QComboBox: choose_item,
    QSpinBox: spin,
    QDoubleSpinBox: spin,
    QAbstractSpinBox: step,
    QAbstractSlider: slide,
    QLineEdit: type_text,
    QAbstractButton: click,
}


def add_image(user):
    shape = user.pick([(48, 40), (1, 1), (5, 9), (3, 30, 20), (2, 2, 16, 16), (30, 30, 3)])
    kind = user.pick([np.uint8, np.uint16, np.float32, bool])
    pixels = (255 * user.rng.random(shape)).astype(kind)
    user.viewer.add_image(pixels, rgb=False, scale=user.pick([None, (0.5,) * len(shape)]))


def add_discs(user):
    user.viewer.add_image(disc_image(60)[0])


def add_labels(user):
    shape = user.pick([(48, 40), (60, 60), (3, 20, 20)])
    user.viewer.add_labels(np.kron(user.rng.integers(0, 9, shape), np.ones((1,) * len(shape), int)))


def add_points(user):
    user.viewer.add_points(user.rng.random((5, 2)) * 40)


ADD = [add_image, add_discs, add_discs, add_labels, add_points]


def some_layer(user):
    return user.pick(list(user.viewer.layers))


def remove(user):
    user.viewer.layers.remove(some_layer(user))


def rename(user):
    some_layer(user).name = user.pick(["a", "nuclei", "", "naive: labels"])


def hide(user):
    layer = some_layer(user)
    layer.visible = not layer.visible


def choose_layer(user):
    user.viewer.layers.selection.active = some_layer(user)


def edit(user):
    layer = some_layer(user)
    if isinstance(getattr(layer, "data", None), np.ndarray) and layer.data.ndim == 2:
        layer.data = layer.data.copy()


def transform(user):
    layer = some_layer(user)
    if user.rng.random() < 0.5:
        layer.translate = user.rng.integers(-50, 50, layer.ndim)
    elif layer.ndim == 2:
        layer.rotate = float(user.pick([0, 0, 30]))


def turn_dims(user):
    if user.rng.random() < 0.2:
        user.viewer.dims.ndisplay = 5 - user.viewer.dims.ndisplay
    elif user.viewer.dims.ndim > 2:
        user.viewer.dims.set_current_step(0, int(user.rng.integers(3)))


@pytest.fixture
def nobody_is_asked(monkeypatch, tmp_path):
    """Dialogs answer by themselves: a file, or nothing."""
    answers = np.random.default_rng(0)

    def file(*_, **__):
        return (
            (str(tmp_path / f"f{answers.integers(5)}.tif"), "")
            if answers.random() < 0.3
            else ("", "")
        )

    monkeypatch.setattr(QFileDialog, "getSaveFileName", file)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", file)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: "")
    buttons = QMessageBox.StandardButton
    for ask in ("question", "warning", "information", "critical"):
        monkeypatch.setattr(QMessageBox, ask, lambda *_, **__: buttons.Yes)
    monkeypatch.setattr(QMenu, "exec", lambda *_, **__: None)
    monkeypatch.setattr(QMenu, "popup", lambda *_, **__: None)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_done_breaks_anything(
    viewer,
    qtbot,
    open_dock,
    close_dock,
    delete,
    nobody_is_asked,
    notifications,
    seed,
    capsys,
    record_property,
):
    docks = [open_dock(name) for name in DOCKS]
    user = User(viewer, docks, np.random.default_rng(seed))
    try:
        for _ in range(ACTIONS):
            with qtbot.capture_exceptions() as raised:
                user.act()
            assert not raised, raised[0]
            tracebacks = [text for _, text in notifications() if "Traceback" in text]
            assert not tracebacks, tracebacks[0]
    except BaseException:
        record_property("GUI exceptions", 1)
        with capsys.disabled():
            print(f"\nseed {seed}, the last actions:", *user.done, sep="\n  ")
        raise
    finally:
        record_property("GUI actions", sum(user.kinds.values()))
    # What still runs comes to its end, or is cancelled, when its dock is closed.
    for dock in docks:
        close_dock(dock)
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=60_000)
    for dock in docks:
        delete(dock)
    assert len(user.kinds) > 8
