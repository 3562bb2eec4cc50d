"""A window with the widget in it, a model whose seams are known, and a run that waits."""

import os
import sys
from functools import partial

import numpy as np
import pytest
import torch

# Only a bare `pytest` on a machine without a screen comes here and is told why; `make test`
# brings a virtual screen, and fails where it cannot.
if sys.platform.startswith("linux") and not (
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
):
    pytest.skip("napari needs a display; run under xvfb-run", allow_module_level=True)
pytest.importorskip("napari")
pytest.importorskip("pytestqt")

from napari.utils.notifications import notification_manager
from qtpy.compat import isalive
from qtpy.QtCore import QSettings, QThreadPool
from qtpy.QtWidgets import QMessageBox
from window import PATIENCE, Gate, open_form, save_bands

from napari_shiftseg._napari import job
from napari_shiftseg._napari.segment import file_run, model_section
from napari_shiftseg._napari.segment_widget import SegmentWidget


@pytest.fixture(autouse=True)
def bundled(tmp_path, monkeypatch):
    """The models on offer: two tiny ones instead of those of the package."""
    models = {
        name: save_bands(tmp_path / f"{name}.safetensors", ndim=ndim)
        for name, ndim in (("bands", 2), ("volume", 3))
    }
    monkeypatch.setattr(model_section, "bundled_models", lambda: models)
    return models


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path):
    """Every test starts as on the first day, and leaves the user's settings alone."""
    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings")
    )


@pytest.fixture
def viewer(make_napari_viewer, qtbot):
    yield make_napari_viewer(strict_qt="raise")
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=10000)


@pytest.fixture
def open_dock(viewer, qtbot):
    """Open a dock of this viewer by its name."""
    return partial(open_form, viewer, qtbot)


@pytest.fixture
def close_dock(viewer):
    """Close the dock of a form."""
    return lambda form: viewer.window.remove_dock_widget(form.parentWidget())


@pytest.fixture
def widget(open_dock):
    """The widget as the Plugins menu opens it."""
    return open_dock("Segment")


@pytest.fixture
def say(monkeypatch):
    """Answer questions, and keep them."""
    asked = []

    def answer(word):
        def question(_parent, _title, text, *_buttons):
            asked.append(text)
            return QMessageBox.StandardButton[word]

        monkeypatch.setattr(QMessageBox, "question", question)
        return asked

    return answer


@pytest.fixture
def delete(qtbot):
    """Delete the widget of a closed dock, as no parent does any more, and see it go."""

    def see_it_go(widget):
        if isalive(widget):  # else Python has collected its dock already
            (widget.parentWidget() or widget).deleteLater()
        qtbot.waitUntil(lambda: not isalive(widget))

    return see_it_go


@pytest.fixture
def reopen(viewer, delete):
    """Make the widget again, as on the next start."""
    opened = []

    def make():
        opened.append(SegmentWidget(viewer))
        for _ in opened[-1].start():
            pass
        return opened[-1]

    yield make
    for again in opened:
        delete(again)


@pytest.fixture
def rest(qtbot, widget):
    """Wait until all layers are there that the widget wants to add, and none that it removes."""
    return lambda: qtbot.waitUntil(lambda: not widget.turns.busy, timeout=PATIENCE)


@pytest.fixture
def image(viewer, widget, rest):
    layer = viewer.add_image(np.zeros((48, 40), np.uint8), name="field", scale=(0.5, 0.5))
    rest()
    return layer


@pytest.fixture
def truth(viewer, image):
    """What the bands are where no tile disturbs them."""
    bands = np.repeat(np.arange(1, 13), 4)[:, None] * np.ones(40, int)
    return viewer.add_labels(bands, name="bands", scale=(0.5, 0.5))


@pytest.fixture
def notifications():
    """Severity and message of what napari showed."""
    before = len(notification_manager.records)
    return lambda: [(n.severity.value, n.message) for n in notification_manager.records[before:]]


@pytest.fixture
def gate(monkeypatch):
    """Hold every run at the gate, so that a test can act in the middle of it."""
    gate = Gate()

    def held(events, *arguments, **keywords):
        for event in events(*arguments, **keywords):
            gate.wait()
            yield event

    for module, name in ((job, "segment_events"), (file_run, "segment_file_events")):
        monkeypatch.setattr(module, name, partial(held, getattr(module, name)))
    yield gate
    gate.open()


@pytest.fixture(autouse=True, scope="session")
def few_threads():
    torch.set_num_threads(1)
