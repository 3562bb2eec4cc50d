"""A dock is there at once; its form, and torch with it, is loaded while the window answers."""

import os
import subprocess
import sys
from importlib import import_module
from threading import Event

import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication, QLabel
from window import PATIENCE

from napari_shiftseg._napari import opening
from napari_shiftseg._napari.check import widget as check

SCRIPT = """
import pathlib, sys, time
import napari
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QApplication, QLabel

QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
viewer = napari.Viewer()

def open_dock(name):
    _, dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", name)
    said = [label.text() for label in dock.findChildren(QLabel)]
    while dock.form is None:
        QApplication.processEvents()
        time.sleep(0.001)
    return said

def torch_is_there():
    maps = pathlib.Path("/proc/self/maps")  # of Linux
    return "torch" in sys.modules or (maps.exists() and "libtorch" in maps.read_text())

print(open_dock("Check labels"), torch_is_there())
print(open_dock("Segment"), torch_is_there())
viewer.close()
"""

LIBRARIES = """
import pathlib, sys
from napari_shiftseg._napari.loading import load_torch_libraries
load_torch_libraries()
maps = pathlib.Path("/proc/self/maps")  # only Linux lists there what is loaded
print(not maps.exists() or "libtorch_cpu.so" in maps.read_text(), "torch" in sys.modules)
import torch
print(float(torch.ones(2).sum()))
"""


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_only_docks_that_need_torch_load_it(tmp_path):
    assert run(SCRIPT, str(tmp_path)) == [
        "['Loading the label check …'] False",
        "['Loading PyTorch …'] True",
    ]


def test_the_libraries_of_torch_can_be_loaded_before_it():
    assert run(LIBRARIES) == ["True False", "2.0"]


COLLECTOR = """
import gc
from napari_shiftseg._napari.loading import import_aside
import_aside("colorsys")
print(gc.isenabled(), gc.get_freeze_count())
gc.freeze()
gc.disable()
import_aside("this")
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_python_s_collector_is_left_as_it_was():
    lines = run(COLLECTOR)
    assert (lines[0], lines[-1]) == ("True 0", "False True")


@pytest.fixture
def not_loaded(monkeypatch):
    """As on the first opening: the module of the form is yet to be imported."""
    monkeypatch.delitem(sys.modules, check.__name__)


class Held:
    """Holds the loading until it is let go on."""

    def __init__(self):
        self.begun, self.go_on = Event(), Event()

    def __call__(self, name):
        self.begun.set()
        self.go_on.wait(PATIENCE / 1000)
        return import_module(name)


@pytest.fixture
def held(monkeypatch, not_loaded):
    held = Held()
    monkeypatch.setattr(opening, "import_aside", held)
    yield held
    held.go_on.set()


@pytest.fixture
def dock(viewer, held):
    return viewer.window.add_plugin_dock_widget("napari-shiftseg", "Check labels")[1]


def words(dock):
    return [label.text() for label in dock.findChildren(QLabel) if label.isVisibleTo(dock)]


def test_it_says_what_is_loaded_until_the_form_is_there(qtbot, dock, held):
    assert words(dock) == ["Loading the label check …"]
    held.go_on.set()
    qtbot.waitUntil(lambda: dock.form is not None, timeout=PATIENCE)
    assert dock.form.isVisibleTo(dock)
    qtbot.waitUntil(lambda: "Loading the label check …" not in words(dock))


def test_the_form_fills_the_dock(qtbot, dock, held):
    held.go_on.set()
    qtbot.waitUntil(lambda: dock.form is not None, timeout=PATIENCE)
    dock.resize(400, 900)
    dock.layout().activate()
    assert dock.form.size() == dock.size()


def test_what_is_asked_of_the_form_meanwhile_is_done(qtbot, dock, held):
    asked = []
    dock.when_open(asked.append)
    assert asked == []
    held.go_on.set()
    qtbot.waitUntil(lambda: asked == [dock.form] != [None], timeout=PATIENCE)
    dock.when_open(asked.append)
    assert asked == [dock.form, dock.form]


def test_a_second_opening_waits_for_the_same(viewer, dock, held):
    assert viewer.window.add_plugin_dock_widget("napari-shiftseg", "Check labels")[1] is dock
    assert words(dock) == ["Loading the label check …"]


def test_a_dock_that_is_closed_meanwhile_stays_closed(
    qtbot, viewer, dock, held, notifications, delete
):
    asked = []
    dock.when_open(asked.append)
    qtbot.waitUntil(held.begun.is_set, timeout=PATIENCE)
    viewer.window.remove_dock_widget(dock)
    held.go_on.set()
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    QApplication.processEvents()
    assert dock.form is None and asked == [] and notifications() == []
    delete(dock)


def test_what_cannot_be_loaded_is_said_in_the_dock_and_once_more(
    qtbot, viewer, not_loaded, monkeypatch, notifications
):
    def broken(_name):
        raise ImportError("libcudart.so.13 is missing")

    monkeypatch.setattr(opening, "import_aside", broken)
    dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Check labels")[1]
    said = "the label check cannot be loaded: libcudart.so.13 is missing"
    qtbot.waitUntil(lambda: words(dock) == [said], timeout=PATIENCE)
    assert notifications() == [("error", said)]
