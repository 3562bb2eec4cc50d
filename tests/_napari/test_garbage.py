"""While a dock is open, what stays is kept from Python's collector; what goes is collected."""

import gc
from weakref import ref

import numpy as np
import pytest

from napari_shiftseg._napari.garbage import Freezer


def anything_is_frozen():
    return gc.get_freeze_count() > 0


def is_frozen(thing):
    return all(thing is not tracked for tracked in gc.get_objects())


def test_what_is_there_is_frozen_while_the_dock_is_open(
    viewer, open_dock, close_dock, delete, qtbot
):
    stays = {"napari": [viewer]}
    form = open_dock("Check labels")
    qtbot.waitUntil(anything_is_frozen)
    assert is_frozen(stays)
    close_dock(form)
    assert not is_frozen(stays)
    delete(form)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_layer_is_collected_when_it_is_removed(when, viewer, open_dock, qtbot):
    def add():
        return ref(viewer.add_image(np.zeros((8, 8))))

    layer = add() if when == "before" else None
    open_dock("Check labels")
    qtbot.waitUntil(anything_is_frozen)
    layer = layer or add()
    viewer.layers.clear()

    def is_gone():
        gc.collect()
        return layer() is None

    # napari's own controls of the layer are deleted a little later, with PySide6 at least.
    qtbot.waitUntil(is_gone)
    qtbot.waitUntil(anything_is_frozen)


def test_a_dock_that_is_deleted_leaves_nothing_frozen(viewer, qtbot):
    freezer = Freezer(viewer)
    freezer.fill()
    assert anything_is_frozen()
    freezer.deleteLater()
    qtbot.waitUntil(lambda: not anything_is_frozen())


def test_what_others_froze_stays_frozen(viewer):
    stays = {"napari": [viewer]}
    gc.freeze()
    freezer = Freezer(viewer)
    freezer.fill()
    freezer.give_up()
    assert is_frozen(stays)
    gc.unfreeze()
