"""Commands by name, by key and by right click, and the check of any labels layer."""

import numpy as np
import pytest
from app_model.types import MenuItem
from napari._app_model import get_app_model
from napari.utils.key_bindings import coerce_keybinding

from napari_shiftseg._napari.actions import LAYER_MENU
from napari_shiftseg._napari.commands import check_active_layer
from napari_shiftseg._napari.segment_widget import SegmentWidget

PATIENCE = 20_000


def titles():
    return {c.title for c in dict(get_app_model().commands).values() if "ShiftSeg" in c.title}


def press(viewer, key):
    viewer.keymap[coerce_keybinding(key)](viewer)


def check(qtbot, widget, layer=None):
    with qtbot.waitSignal(widget.checks.done, timeout=PATIENCE):
        widget.check_layer(layer)
    qtbot.waitUntil(lambda: not widget.turns.busy)


@pytest.fixture
def cut(viewer, widget):
    """Objects of another program, five of them cut along a 20 px grid."""
    labels = np.zeros((80, 80), int)
    for number, row in enumerate(range(5, 80, 15)):
        labels[row : row + 8, 12:28] = 2 * number + 1
        labels[row : row + 8, 20:28] += 1
    return viewer.add_labels(labels, name="theirs", scale=(2, 2))


def test_commands_are_in_the_palette_while_the_widget_is_open(qtbot, viewer, widget):
    assert {"ShiftSeg: Run", "ShiftSeg: Next split", "ShiftSeg: Blink between A and B"} <= titles()
    viewer.window.remove_dock_widget(widget)
    assert not {"ShiftSeg: Run", "ShiftSeg: Next split"} & titles()
    with qtbot.waitSignal(widget.destroyed):
        widget.deleteLater()


def test_commands_of_a_deleted_widget_do_nothing_and_go_with_the_next(qtbot, viewer):
    def delete(widget):
        with qtbot.waitSignal(widget.destroyed):
            widget.deleteLater()

    delete(SegmentWidget(viewer))
    press(viewer, "Control-Shift-R")
    second = SegmentWidget(viewer)
    named = [c.title for c in dict(get_app_model().commands).values()]
    assert named.count("ShiftSeg: Run") == 1
    delete(second)


def test_the_check_is_in_the_context_menu_of_layers(widget):
    items = [item for item in get_app_model().menus.get_menu(LAYER_MENU)
             if isinstance(item, MenuItem)]  # fmt: skip
    assert "ShiftSeg: Check for seam splits" in {item.command.title for item in items}


def test_keys_run_and_walk_through_splits(qtbot, viewer, widget, image):
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        press(viewer, "Control-Shift-R")
    qtbot.waitUntil(lambda: not widget.turns.busy)
    assert widget.results.current is not None
    press(viewer, "Control-Shift-Right")  # without a comparison nothing happens
    press(viewer, "Control-Shift-B")


def test_cuts_of_any_program_are_found_on_the_grid_of_the_form(
    qtbot, viewer, widget, cut, notifications
):
    widget.segment.stitch.tile.setValue(20)
    viewer.layers.selection.active = cut
    check(qtbot, widget)
    assert ("info", "theirs: 5 pairs of objects are cut straight along the 20 px grid") == (
        notifications()[-1][0], notifications()[-1][1].partition(" (p")[0],
    )  # fmt: skip
    rings = viewer.layers["Straight cuts (theirs)"]
    assert len(rings.data) == 5
    np.testing.assert_array_equal(rings.scale, cut.scale)


def test_the_layers_menu_opens_the_widget_and_checks(qtbot, viewer, notifications):
    viewer.add_image(np.zeros((30, 30), np.uint8))
    viewer.add_labels(np.ones((30, 30), int), name="one")
    check_active_layer(viewer)
    widget = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")[1]
    qtbot.waitUntil(lambda: not widget.checks.busy, timeout=PATIENCE)
    assert "one: no pair of objects is cut" in notifications()[-1][1]


def test_another_grid_finds_nothing_and_takes_the_rings_away(qtbot, viewer, widget, cut):
    widget.segment.stitch.tile.setValue(20)
    check(qtbot, widget, cut)
    widget.segment.stitch.tile.setValue(21)
    check(qtbot, widget, cut)
    assert "Straight cuts (theirs)" not in viewer.layers


def test_own_labels_are_checked_on_their_own_grid(qtbot, viewer, widget, image, notifications):
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    qtbot.waitUntil(lambda: not widget.turns.busy)
    widget.segment.stitch.tile.setValue(33)
    check(qtbot, widget, viewer.layers["Labels (naive, 12 px)"])
    assert "the 12 px grid" in notifications()[-1][1]


def test_without_a_tile_size_there_is_a_word(viewer, widget, cut, notifications):
    widget.check_layer(cut)
    [(severity, message)] = notifications()
    assert severity == "error" and "set the tile size in the tab Segment" in message


def test_without_a_labels_layer_there_is_a_word(viewer, widget, image, notifications):
    viewer.layers.selection.active = image
    widget.check_layer()
    [(severity, message)] = notifications()
    assert severity == "info" and "Select a labels layer" in message
