"""A dock that is closed and opened again goes on where it was."""

import gc
from weakref import ref

import numpy as np
import pytest
from correct_scene import use
from qtpy.compat import isalive
from window import PATIENCE

from napari_shiftseg._napari.layers import LABELS, TILE_GRID
from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.tags import own_layers


@pytest.fixture
def close(qtbot, widget, close_dock):
    """Close the dock as its button does, and see it go."""

    def close():
        close_dock(widget)
        qtbot.waitUntil(lambda: not isalive(widget))

    return close


@pytest.fixture
def close_and_open(close, open_dock):
    """Close the dock, and open it from the menu again."""

    def again():
        close()
        return open_dock("Segment")

    return again


@pytest.fixture
def labels(qtbot, viewer, widget, image, rest):
    """Labels of a run in naive tiles of 20 px, with a bandwidth of its own."""
    widget.segment.stitch.switch.buttons["naive"].click()
    widget.segment.stitch.tile.setValue(20)
    widget.segment.clusters.controls["bandwidth"].setValue(3.5)
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()
    (layer,) = own_layers(viewer, kind=LABELS)
    return layer


def test_results_are_still_there(labels, close_and_open, qtbot):
    tab = close_and_open().segment
    assert tab.result.choice.currentText() == "Naive, 20 px"
    assert tab.result.export.isEnabled()
    assert tab.clusters.settings.bandwidth == 3.5
    before = labels.data
    tab.clusters.controls["min_size"].setValue(tab.clusters.controls["min_size"].maximum())
    qtbot.waitUntil(lambda: not np.array_equal(labels.data, before), timeout=PATIENCE)


def test_so_are_the_tile_sizes_of_each_mode(labels, close_and_open):
    stitch = close_and_open().segment.stitch
    assert (stitch.mode, stitch.tile.value()) == ("naive", 20)
    stitch.switch.buttons["corrected"].click()
    assert stitch.tile.value() == 16  # the multiple of the period below


def test_and_the_tools_for_single_objects(labels, close_and_open):
    correct = close_and_open().correct
    assert correct.layers.layer == labels
    assert correct.tools.buttons["pick"].isEnabled()


def run_in(qtbot, form):
    """Run, remove the labels, and return what should not live longer than the dock."""
    with qtbot.waitSignal(form.runner.succeeded, timeout=PATIENCE):
        form.segment.run.run.click()
    qtbot.waitUntil(lambda: not form.turns.busy)
    result = form.results.current
    return [ref(form.control), ref(result)]


def test_nothing_of_a_closed_dock_is_held(qtbot, viewer, open_dock, close_dock):
    viewer.add_image(np.zeros((48, 40), np.uint8))
    form = open_dock("Segment")
    held = run_in(qtbot, form)
    (labels,) = own_layers(viewer, kind=LABELS)
    viewer.layers.remove(labels)
    close_dock(form)
    del form, labels

    def are_gone():
        gc.collect()
        return [one() for one in held] == [None, None]

    qtbot.waitUntil(are_gone)


def test_the_grid_is_drawn_by_the_new_dock_alone(viewer, image, close_and_open, qtbot):
    again = close_and_open()
    qtbot.waitUntil(lambda: bool(own_layers(viewer, kind=TILE_GRID)))
    image.scale = (2, 2)
    (grid,) = own_layers(viewer, kind=TILE_GRID)
    qtbot.waitUntil(lambda: tuple(grid.scale) == (2, 2))
    qtbot.waitUntil(lambda: not again.turns.busy)
    assert grid.visible and len(grid.data)


def test_an_image_that_got_other_pixels_meanwhile_is_noticed(labels, image, close, open_dock):
    close()
    image.data = image.data[:, ::-1].copy()
    caption = open_dock("Segment").segment.result.caption
    assert caption.is_warning and caption.text().endswith("run again.")


def test_labels_follow_an_image_that_was_moved_meanwhile(labels, image, close, open_dock, qtbot):
    close()
    image.translate, image.scale = (40, 50), (2, 2)
    open_dock("Segment")
    qtbot.waitUntil(lambda: tuple(labels.translate) == (40, 50))
    assert tuple(labels.scale) == (2, 2)


def test_labels_that_a_person_has_put_elsewhere_stay_there(labels, close_and_open):
    labels.translate = (7, 7)
    close_and_open()
    assert tuple(labels.translate) == (7, 7)


def test_labels_that_are_gone_are_forgotten(viewer, labels, close, open_dock):
    close()
    viewer.layers.remove(labels)
    assert open_dock("Segment").results.all() == []


@pytest.mark.parametrize("damaged", [["naive"], {"": 3}, {"": {"naive": "large"}}])
def test_damaged_settings_are_as_if_there_were_none(damaged):
    Remembered().keep("tiles", damaged)
    assert Remembered().tiles_of("") == {}


def test_a_run_hands_its_labels_to_the_tool_that_is_on(qtbot, viewer, labels, widget, rest):
    use(widget.correct, "merge")
    labels.paint((3, 3), 9)
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()
    current = widget.results.labels_of(widget.results.current)
    assert widget.correct.layers.layer == current != labels
    assert viewer.layers.selection.active == current
    assert widget.correct.instruction.text().startswith("Click one piece")
