"""Volumes beside flat images, in 2-D, rolled and 3-D views."""

import numpy as np
import pytest
from window import PATIENCE

from napari_shiftseg._napari.layers import LABELS
from napari_shiftseg._napari.tags import own_layers


@pytest.fixture
def tab(widget):
    widget.segment.stitch.switch.choose("naive")
    return widget.segment


@pytest.fixture
def volume(viewer, tab, rest):
    """A volume on show with the model for it."""
    tab.model.combo.setCurrentText("volume")
    layer = viewer.add_image(np.zeros((16, 24, 24), np.uint8), name="stack")
    rest()
    return layer


@pytest.fixture
def run(qtbot, viewer, widget, tab, rest):
    def press(button):
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            button.click()
        rest()
        return own_layers(viewer, kind=LABELS)[-1]

    return press


def test_the_grid_follows_from_an_image_to_a_volume_and_back(
    viewer, tab, volume, rest, notifications
):
    flat = viewer.add_image(np.zeros((48, 40), np.uint8), name="flat")
    for layer, model, ndim in [(flat, "bands", 2), (volume, "volume", 3)] * 2:
        tab.image.image.choose(layer)
        rest()
        tab.model.combo.setCurrentText(model)
        rest()
        (grid,) = own_layers(viewer, kind="Tile grid")
        assert (grid.ndim, grid.visible, grid.opacity) == (ndim, True, 0.9)
        assert len(grid.data)
    viewer.layers.remove(volume)
    tab.model.combo.setCurrentText("bands")
    rest()
    (grid,) = own_layers(viewer, kind="Tile grid")
    assert grid.ndim == 2 and len(grid.data)
    assert notifications() == []


def test_the_grid_of_a_flat_model_is_not_drawn_across_slices(viewer, tab, rest):
    viewer.add_image(np.zeros((16, 24, 24), np.uint8), name="stack")
    rest()
    (grid,) = own_layers(viewer, kind="Tile grid")
    seen = len(grid.data)
    viewer.dims.order = (1, 0, 2)
    assert seen and not len(grid.data)
    viewer.dims.order = (0, 1, 2)
    assert len(grid.data) == seen


def test_what_is_on_screen_in_three_dimensions_is_the_whole_volume(viewer, tab, volume, run):
    viewer.dims.ndisplay = 3
    assert run(tab.run.preview).data.shape[0] == 16
    tab.image.region.choose("screen")
    tab.image.region.changed.emit("screen")
    assert run(tab.run.run).data.shape == (16, 24, 24)


def test_in_three_dimensions_nothing_can_be_drawn(viewer, tab, volume, notifications):
    viewer.dims.ndisplay = 3
    tab.image.region.choose("drawn")
    tab.image.region.changed.emit("drawn")
    assert tab.stitch.estimate.text() == "Leave the 3-D view to draw a rectangle."
    tab.run.run.click()
    assert "leave the 3-D view" in notifications()[-1][1]


def test_it_can_be_drawn_once_the_three_dimensions_are_left(viewer, tab, volume):
    tab.image.region.buttons["drawn"].click()
    viewer.dims.ndisplay = 3
    assert "Leave the 3-D view" in tab.stitch.estimate.text()
    viewer.dims.ndisplay = 2
    assert "Draw a rectangle" in tab.stitch.estimate.text()
    assert viewer.layers["Region"].mode == "add_rectangle"


def test_turning_the_view_leaves_a_persons_layer_in_hand(viewer, tab, volume):
    tab.image.region.buttons["drawn"].click()
    own = viewer.add_labels(np.zeros((16, 24, 24), int))
    for shown in (3, 2):
        viewer.dims.ndisplay = shown
        assert viewer.layers.selection.active is own
    assert "Draw a rectangle" in tab.stitch.estimate.text()


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0)])
def test_a_rectangle_is_drawn_on_a_slice_of_any_axis(viewer, tab, volume, rest, order):
    """The tile grid reaches half a pixel beyond the image, and moves the middle of the view."""
    tab.image.region.buttons["drawn"].click()
    viewer.dims.order = order
    rest()
    at = viewer.dims.point[order[0]] / volume.scale[order[0]]
    assert at == pytest.approx(round(at))


def test_layers_that_go_leave_the_next_run_the_clustering_of_its_model(
    viewer, widget, tab, volume, run, rest
):
    run(tab.run.run)
    tab.clusters.controls["min_size"].setValue(77)
    rest()
    tab.stitch.switch.buttons["corrected"].click()
    labels = run(tab.run.run)
    tab.model.combo.setCurrentText("bands")
    own = tab.clusters.settings
    viewer.layers.remove(labels)
    assert widget.results.current is not None
    assert tab.clusters.settings == own


@pytest.mark.parametrize(("count", "words"), [(1, "1 slice of"), (2, "2 slices of")])
def test_slices_are_counted_in_words(viewer, tab, count, words):
    labels = ("z", "y", "x")
    viewer.add_image(np.zeros((count, 48, 40), np.uint8), axis_labels=labels)
    assert tab.image.frames.text().startswith(words)


def test_a_preview_is_about_a_second_of_the_slice_on_show(
    viewer, tab, widget, volume, run, rest, monkeypatch
):
    large = viewer.add_image(np.zeros((60, 90, 80), np.uint8), name="large")
    tab.image.image.choose(large)
    viewer.dims.set_point(0, 41)
    large.corner_pixels = np.array([[41, 0, 0], [41, 89, 79]])
    rest()
    monkeypatch.setattr(widget.control.resolver._estimate, "_rates", {"float32": 1e6})
    labels = run(tab.run.preview)
    assert 9000 < labels.data.size <= 128**2
    middle = labels.translate + np.array(labels.data.shape) / 2
    np.testing.assert_allclose(middle, (41, 45, 40), atol=1)


@pytest.mark.parametrize("way", ["side by side", "curtain"])
def test_what_lies_along_x_asks_for_x_on_screen(
    viewer, widget, volume, qtbot, rest, notifications, way
):
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
        widget.compare.run.run.click()
    rest()
    viewer.dims.order = (2, 0, 1)
    widget.compare.show_as.switch.buttons[way].click()
    rest()
    [(severity, message)] = notifications()
    assert severity == "info" and "bring it on screen" in message
