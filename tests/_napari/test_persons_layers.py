"""What a person makes of the plugin's layers is the person's: copies, names, what is deleted."""

import numpy as np
import pytest
from napari.layers._layer_actions import _duplicate_layer, _split_rgb
from window import PATIENCE

from napari_shiftseg._napari.files.writer import save_labels
from napari_shiftseg._napari.layers import EMBEDDING, LABELS
from napari_shiftseg._napari.ring_layers import CUTS
from napari_shiftseg._napari.tags import own_layers
from napari_shiftseg.image.files import open_image


@pytest.fixture
def tab(widget, image):
    widget.segment.stitch.switch.choose("naive")
    return widget.segment


@pytest.fixture
def run(qtbot, widget, tab, rest):
    def press():
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
        rest()
        return widget.results.labels_of(widget.results.current)

    return press


@pytest.fixture
def picture(viewer, tab, run, rest):
    """The embedding of a run, on show."""
    run()
    tab.result.view.buttons["embedding"].click()
    rest()
    (layer,) = own_layers(viewer, kind=EMBEDDING)
    return layer


@pytest.fixture
def choose_colours(qtbot, widget, tab, rest):
    def choose(kind):
        colours = tab.result.colours
        colours.setCurrentIndex(colours.findData(kind))
        colours.activated.emit(colours.currentIndex())
        qtbot.waitUntil(lambda: not widget.control.live.busy, timeout=PATIENCE)
        rest()

    return choose


def test_channels_that_napari_splits(viewer, picture, choose_colours):
    viewer.layers.selection = {picture}
    _split_rgb(viewer.layers)
    channels = [layer for layer in viewer.layers if layer.name.startswith("Embedding")]
    before = [layer.data.copy() for layer in channels]
    choose_colours("principal")
    assert [layer.ndim for layer in channels] == [2] * len(before) and len(before) == 3
    assert all(map(np.array_equal, before, (layer.data for layer in channels)))


def test_a_picture_with_a_name_of_its_own(viewer, picture, choose_colours):
    picture.name, before = "my colours", picture.data.copy()
    choose_colours("principal")
    assert picture.name == "my colours" and not picture.visible
    np.testing.assert_array_equal(picture.data, before)
    (other,) = own_layers(viewer, kind=EMBEDDING)
    assert other.visible


def test_a_copy_of_labels_is_not_what_is_exported_or_overwritten(viewer, widget, run):
    labels = run()
    viewer.layers.selection = {labels}
    _duplicate_layer(viewer.layers)
    (copy,) = (layer for layer in viewer.layers if layer.name == f"{labels.name} copy")
    copy.data_setitem((np.array([0]), np.array([0])), 77)
    assert widget.results.labels_of(widget.results.current) == labels
    assert widget.results.of_layer(copy) is widget.results.current  # its objects can be picked
    assert run() == labels and copy.data[0, 0] == 77


def test_a_new_name_is_no_edit(viewer, run, tmp_path):
    mine = run()
    mine.name = "mine"
    assert run() != mine and not mine.visible
    written = tmp_path / "mine.tif"
    save_labels(str(written), *mine.as_layer_data_tuple()[:2])
    made = open_image(written).provenance
    assert made["model"] == "bands" and "edited" not in made


def test_labels_that_are_deleted_give_way_to_those_that_are_left(viewer, tab, widget, run, rest):
    first = run()
    tab.stitch.tile.setValue(14)
    second = run()
    assert second.visible and not first.visible
    viewer.layers.remove(second)
    rest()
    assert widget.results.labels_of(widget.results.current) == first and first.visible
    viewer.layers.remove(first)
    rest()
    assert widget.results.current is None
    assert not any(layer.visible for layer in own_layers(viewer, kind=CUTS))
    assert own_layers(viewer, kind=LABELS) == []


def test_a_run_that_is_cancelled_leaves_the_picture_on_show(
    qtbot, viewer, widget, tab, picture, gate, rest
):
    before = picture.data
    tab.run.run.click()
    gate.let_through(1)
    qtbot.waitUntil(lambda: picture.data is not before, timeout=PATIENCE)
    tab.run.cancel.click()
    gate.open()
    rest()
    assert picture.data is before and picture.visible


def test_removing_all_layers_leaves_the_grid_switched_on(qtbot, viewer, tab, rest):
    assert tab.stitch.grid.isChecked()
    viewer.layers.clear()
    viewer.add_image(np.zeros((48, 40), np.uint8))
    rest()
    assert tab.stitch.grid.isChecked()


def test_colours_are_those_that_are_chosen_on_every_image(
    viewer, widget, tab, picture, choose_colours, run
):
    choose_colours("principal")
    other = viewer.add_image(np.ones((48, 40), np.uint8), name="other")
    tab.image.image.choose(other)
    run()
    assert widget.results.current.colouring.kind == "principal"
    assert tab.result.colour_kind == "principal"
    choose_colours("first")
    tab.result.choice.setCurrentIndex(0)
    tab.result.choice.activated.emit(0)
    assert tab.result.colour_kind == "principal"
