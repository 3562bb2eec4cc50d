"""A layer is moved, calibrated or given other pixels while the widgets look at it."""

import numpy as np
import pytest
from window import PATIENCE

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.layer_edits import LayerEdits

LABELS = "Labels (corrected, 8 px)"


@pytest.fixture
def tab(widget):
    widget.segment.stitch.tile.setValue(8)
    return widget.segment


def run(qtbot, widget, rest):
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()


def edit(qtbot, widget, layer, **values):
    """Set attributes of a layer, and wait until the widget has heard of it."""
    edits = widget.control.findChild(LayerEdits)
    with qtbot.waitSignals([edits.repixelled if "data" in values else edits.moved] * len(values)):
        for name, value in values.items():
            setattr(layer, name, value)


def lies_on(layer, image):
    return np.array_equal(layer.scale, image.scale) and np.array_equal(
        layer.translate, image.translate
    )


class TestAnImageThatIsMoved:
    def test_takes_the_grid_with_it(self, qtbot, viewer, widget, image, rest):
        edit(qtbot, widget, image, scale=(2, 3), translate=(5, 7))
        rest()
        grid = viewer.layers["Tile grid"]
        ends = np.array([grid.data_to_world(start + along) for start, along in grid.data])
        np.testing.assert_allclose(
            ends.max(0), image.data_to_world(np.array(image.data.shape) - 0.5)
        )

    def test_takes_its_results_with_it(self, qtbot, viewer, widget, tab, image, rest):
        run(qtbot, widget, rest)
        edit(qtbot, widget, image, scale=(0.2, 0.3), units=("um", "um"))
        assert lies_on(viewer.layers[LABELS], image)
        assert viewer.layers[LABELS].units == image.units
        assert widget.results.current.subject.calibration.scale == (0.2, 0.3)

    def test_in_mid_run_has_its_result_where_it_lies_then(
        self, qtbot, viewer, widget, tab, image, rest, gate
    ):
        tab.run.run.click()
        gate.let_through(2)
        edit(qtbot, widget, image, translate=(100, 50))
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            gate.open()
        rest()
        assert lies_on(viewer.layers[LABELS], image)

    def test_has_its_embedding_back_where_it_lies_when_a_run_is_cancelled(
        self, qtbot, viewer, widget, tab, image, rest, gate
    ):
        gate.let_through(1000)
        run(qtbot, widget, rest)
        tab.result.view.buttons["embedding"].click()
        rest()
        picture = viewer.layers["Embedding (corrected, 8 px)"]
        before = picture.data
        gate.shut()
        tab.run.run.click()
        gate.let_through(1)
        qtbot.waitUntil(lambda: picture.data is not before, timeout=PATIENCE)
        edit(qtbot, widget, image, scale=(3, 3), translate=(100, 100))
        tab.run.cancel.click()
        gate.open()
        qtbot.waitUntil(lambda: picture.data is before, timeout=PATIENCE)
        rest()
        assert lies_on(picture, image)

    def test_takes_a_drawn_rectangle_with_it(self, qtbot, viewer, widget, tab, image, rest):
        tab.image.region.buttons["drawn"].click()
        viewer.layers["Region"].add_rectangles([[2, 3], [20, 3], [20, 25], [2, 25]])
        rest()
        before = tab.stitch.sentence.text()
        edit(qtbot, widget, image, scale=(0.2, 0.2), units=("um", "um"), translate=(5, 7))
        rest()
        region = viewer.layers["Region"]
        assert lies_on(region, image) and region.units == image.units
        assert tab.stitch.sentence.text() == before

    def test_leaves_the_grid_of_another_image_alone(self, qtbot, viewer, widget, image, rest):
        other = viewer.add_image(np.zeros((48, 40), np.uint8), name="other", units=("um", "um"))
        rest()
        edit(qtbot, widget, image, units=("um", "um"))
        rest()
        edit(qtbot, widget, other, units=("nm", "nm"))
        assert viewer.layers["Tile grid"].units == image.units

    def test_takes_with_it_what_waits_hidden(self, qtbot, viewer, widget, tab, image, rest):
        with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
            widget.compare.run.run.click()
        rest()
        ways = widget.compare.show_as.switch.buttons
        for way in ("side by side", "curtain", "A"):
            ways[way].click()
            rest()
        edit(qtbot, widget, image, scale=(0.2, 0.2), units=("um", "um"))
        assert {layer.name for layer in viewer.layers} > {"field (B)", "Curtain line"}
        assert {tuple(layer.units) for layer in viewer.layers} == {image.units}
        for way, name in (("side by side", "field (B)"), ("curtain", "Curtain line")):
            ways[way].click()
            rest()
            np.testing.assert_array_equal(viewer.layers[name].scale, image.scale)

    def test_turned_is_refused_before_anything_runs(self, qtbot, widget, tab, image):
        edit(qtbot, widget, image, rotate=30)
        assert "rotated" in tab.stitch.sentence.text()


class TestOtherPixels:
    def test_are_planned_anew(self, qtbot, widget, tab, image):
        edit(qtbot, widget, image, data=np.zeros((8, 8), np.uint8))
        assert "fits into one tile" in tab.stitch.sentence.text()

    def test_in_mid_run_end_the_run_in_one_sentence(
        self, qtbot, viewer, widget, tab, image, rest, gate, notifications
    ):
        tab.run.run.click()
        gate.let_through(2)
        edit(qtbot, widget, image, data=np.zeros((8, 8), np.uint8))
        gate.open()
        rest()
        assert not widget.runner.running and LABELS not in viewer.layers
        assert notifications()[-1] == ("info", "The run was cancelled: field got other pixels.")


@pytest.mark.parametrize("scale", [(-0.5, 0.5), (0.001, 0.5, 0.5)])
def test_lines_and_rings_are_as_thin_on_mirrored_images_and_fast_films(
    qtbot, viewer, widget, rest, scale
):
    viewer.add_image(np.zeros((2,) * (len(scale) - 2) + (48, 40), np.uint8), scale=scale)
    widget.compare.rows[0].tile.setValue(14)
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
        widget.compare.run.run.click()
    rest()
    (rings,) = (layer for layer in viewer.layers if layer.name.startswith("Cut at seams"))
    screen = camera_of(viewer).zoom * 0.5
    assert rings.border_width[0] * screen == pytest.approx(3, rel=0.2)
    assert 0 < viewer.layers["Tile grid"].edge_width * screen <= 3


@pytest.mark.parametrize(
    ("shape", "axes", "legal"),
    [((6, 2, 16, 16), "zcyx", "c, z, y, x"), ((16, 16, 2), "yxc", "c, y, x")],
)
def test_axes_on_which_napari_would_misplace_a_result_are_refused(
    viewer, widget, tab, rest, shape, axes, legal
):
    tab.model.choose("volume" if "z" in axes else "bands")
    viewer.add_image(np.zeros(shape, np.uint8), axis_labels=tuple(axes), rgb=False)
    assert f"legal here: {legal}" in tab.stitch.sentence.text()


class TestTheRectangle:
    def test_is_asked_for_when_the_image_comes_after_it(self, viewer, widget, tab, image):
        viewer.layers.clear()
        tab.image.region.buttons["drawn"].click()
        viewer.add_image(np.zeros((48, 40), np.uint8), name="later")
        assert "Region" in viewer.layers

    def test_is_not_asked_for_once_it_was_removed(self, viewer, tab, image):
        tab.image.region.buttons["drawn"].click()
        viewer.layers.remove("Region")
        assert tab.image.region.value == "whole"

    def test_of_a_flat_image_goes_through_all_slices_of_a_volume(
        self, qtbot, viewer, widget, tab, image, rest
    ):
        tab.image.region.buttons["drawn"].click()
        corners = np.array([[0, 0], [0, 15], [15, 15], [15, 0]])
        viewer.layers["Region"].add_rectangles(corners)
        volume = viewer.add_image(np.zeros((24, 48, 40), np.uint8), scale=(1, 0.5, 0.5))
        tab.image.image.choose(volume)
        tab.model.choose("volume")
        run(qtbot, widget, rest)
        assert widget.results.current.segmentation.labels.shape == (24, 16, 16)


def test_on_screen_what_is_said_follows_the_view(qtbot, viewer, widget, tab, image):
    tab.image.region.buttons["screen"].click()
    for layer in viewer.layers:
        layer.corner_pixels = np.array([[0, 0], [47, 39]])
    before = tab.stitch.estimate.text()
    image.corner_pixels = np.array([[0, 0], [5, 5]])
    camera_of(viewer).center = (0, 1, 1)
    qtbot.waitUntil(lambda: tab.stitch.estimate.text() != before)
    assert tab.stitch.estimate.text().startswith("1 tile")


def test_jumps_vanish_with_the_labels_they_are_of(qtbot, viewer, widget, tab, image, rest):
    run(qtbot, widget, rest)
    tab.result.jumps.click()
    qtbot.waitUntil(lambda: any("Jumps" in layer.name and layer.visible for layer in viewer.layers))
    rest()
    viewer.layers.remove(LABELS)
    assert not any(layer.visible for layer in viewer.layers if "Jumps" in layer.name)
    assert not tab.result.jumps.isChecked()


def test_results_of_several_images_are_told_apart(qtbot, viewer, widget, tab, image, rest):
    run(qtbot, widget, rest)
    second = viewer.add_image(np.zeros((48, 40), np.uint8), name="second")
    tab.image.image.choose(second)
    run(qtbot, widget, rest)
    named = [tab.result.choice.itemText(i) for i in range(tab.result.choice.count())]
    assert named == ["field: Corrected, 8 px", "second: Corrected, 8 px"]
    image.name = "renamed"
    named = [tab.result.choice.itemText(i) for i in range(tab.result.choice.count())]
    assert named == ["renamed: Corrected, 8 px", "second: Corrected, 8 px"]


class TestLayersOfSeveralUnits:
    """napari shows all of them in the smallest."""

    def test_a_preview_is_of_the_frame_on_show(self, qtbot, viewer, widget, tab, rest):
        stack = viewer.add_image(
            np.zeros((5, 48, 40), np.uint8), units=("s", "um", "um"), axis_labels=("t", "y", "x")
        )
        viewer.add_image(
            np.zeros((5, 48, 40), np.uint8), units=("ms", "nm", "nm"), axis_labels=("t", "y", "x"),
            scale=(1000, 1000, 1000),
        )  # fmt: skip
        rest()
        tab.image.image.choose(stack)
        viewer.dims.set_current_step(0, 3)
        shown = stack._slice_indices[0] if hasattr(stack, "_slice_indices") else 3
        assert widget.control.resolver.preview().frame == (int(shown),)

    def test_a_row_of_the_table_takes_the_camera_to_its_object(self, qtbot, viewer, widget, rest):
        near = viewer.add_image(np.zeros((48, 40), np.uint8), scale=(0.5, 0.5), units=("um", "um"))
        viewer.add_image(np.zeros((48, 40), np.uint8), scale=(500, 500), units=("nm", "nm"))
        rest()
        widget.segment.image.image.choose(near)
        widget.compare.rows[0].tile.setValue(14)
        with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
            widget.compare.run.run.click()
        rest()
        widget.compare.cuts.table.step(1)
        factor = 1000 if hasattr(viewer.layers, "units") else 1  # before napari 0.9 there is none
        cut = widget.compare_control.pair.cuts[0]
        expected = [v * 0.5 * factor for v in cut.split.position]
        np.testing.assert_allclose(camera_of(viewer).center[-2:], expected)
