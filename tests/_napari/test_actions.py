"""Commands by name, by key and by right click."""

from app_model.types import MenuItem
from napari._app_model import get_app_model
from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtCore import Qt
from window import PATIENCE

from napari_shiftseg._napari.actions import LAYER_MENU
from napari_shiftseg._napari.segment_widget import SegmentWidget


def titles():
    return {c.title for c in dict(get_app_model().commands).values() if "ShiftSeg" in c.title}


def press(viewer, key):
    viewer.keymap[coerce_keybinding(key)](viewer)


def test_commands_are_in_the_palette_while_the_widget_is_open(viewer, widget, delete, close_dock):
    assert {"ShiftSeg: Run", "ShiftSeg: Next split", "ShiftSeg: Blink between A and B"} <= titles()
    close_dock(widget)
    assert not {"ShiftSeg: Run", "ShiftSeg: Next split"} & titles()
    delete(widget)


def test_commands_of_a_deleted_widget_do_nothing_and_go_with_the_next(viewer, delete):
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
    for key in ("Control-Shift-Right", "Control-Shift-B"):  # without a comparison nothing happens
        press(viewer, key)
    widget.compare.rows[0].tile.setValue(14)
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
        widget.compare.run.run.click()
    qtbot.waitUntil(lambda: not widget.turns.busy)
    table, seen = widget.compare.cuts.table, []
    for key in ("Right", "Right", "Left"):
        press(viewer, f"Control-Shift-{key}")
        seen.append(table.chosen)
    assert seen == [0, 1, 0]
    for side in ("B", "A"):
        press(viewer, "Control-Shift-B")
        assert widget.compare.show_as.switch.value == side


def test_the_canvas_takes_all_keys_while_the_widget_is_open(qtbot, viewer, widget, image):
    """napari looks at every key that is bound whenever one is pressed."""
    labels = viewer.add_labels(image.data.astype(int))
    canvas = viewer.window._qt_viewer.canvas.native
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(canvas, Qt.Key.Key_2)
    assert labels.mode == "paint"
    viewer.layers.selection = {image}
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        qtbot.keyClick(canvas, Qt.Key.Key_R, held)
