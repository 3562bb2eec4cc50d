"""What a user sees before anything runs: where tiles and period will lie."""

import time

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.palette import HARMFUL, HARMLESS
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.segment.grid import StitchingGrid
from napari_shiftseg._napari.segment.grid_lines import period_edges, tile_edges
from napari_shiftseg._napari.turns import Turns
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan

GEOMETRY = NetworkGeometry.regular(2, 3)


@pytest.fixture
def widget(widget):
    """The widget with naive stitching, whose seams can be seen."""
    widget.segment.stitch.switch.choose("naive")
    return widget


def horizontal(layer):
    """Rows at which a layer draws lines across the image."""
    starts, extents = layer.data[:, 0], layer.data[:, 1]
    return sorted(starts[extents[:, -2] == 0][:, -2].tolist())


def colour(layer):
    return {tuple(np.round(np.array(c) * 255).astype(int)[:3]) for c in layer.edge_color}


def seen(layer):
    return [vector for vector in layer.data if np.abs(vector[1]).max() > 1e-3]


def rgb(hexadecimal):
    return tuple(bytes.fromhex(hexadecimal[1:]))


def test_the_grid_appears_with_the_first_image(viewer, widget, image):
    assert [layer.name for layer in viewer.layers] == ["field", "Period grid", "Tile grid"]
    assert horizontal(viewer.layers["Tile grid"]) == [-0.5, 11.5, 23.5, 35.5, 47.5]
    np.testing.assert_array_equal(viewer.layers["Tile grid"].scale, image.scale)


def test_the_grid_leaves_the_users_layer_selected(viewer, widget, image):
    assert viewer.layers.selection.active is image


def test_the_grid_lies_above_images_and_results(qtbot, viewer, widget, image, rest):
    second = viewer.add_image(np.zeros((48, 40)), name="second")
    widget.segment.image.image.choose(second)
    with qtbot.waitSignal(widget.runner.succeeded, timeout=20_000):
        widget.segment.run.run.click()
    rest()
    names = [layer.name for layer in viewer.layers]
    assert names == ["field", "second", "Labels (naive, 12 px)", "Period grid", "Tile grid"]


def test_misaligned_seams_are_drawn_in_the_warning_colour(viewer, widget, image):
    assert colour(viewer.layers["Tile grid"]) == {rgb(HARMFUL), rgb(HARMLESS)}
    assert widget.segment.stitch.sentence.is_warning
    assert "phase 4" in widget.segment.stitch.sentence.text()


def test_switching_to_corrected_moves_the_grid_and_calms_it(viewer, widget, image):
    widget.segment.stitch.switch.buttons["corrected"].click()
    assert widget.segment.stitch.tile.value() == 8
    assert horizontal(viewer.layers["Tile grid"])[:3] == [-0.5, 7.5, 15.5]
    assert colour(viewer.layers["Tile grid"]) == {rgb(HARMLESS)}
    assert not widget.segment.stitch.sentence.is_warning


def test_the_tile_size_moves_the_grid(viewer, widget, image):
    widget.segment.stitch.tile.setValue(20)
    assert horizontal(viewer.layers["Tile grid"]) == [-0.5, 19.5, 39.5, 47.5]


def test_a_corrected_tile_size_snaps_to_the_period(widget, image):
    widget.segment.stitch.switch.buttons["corrected"].click()
    widget.segment.stitch.tile.setValue(19)
    assert widget.segment.stitch.tile.value() == 16
    widget.segment.stitch.tile.stepUp()
    assert widget.segment.stitch.tile.value() == 24


def test_each_mode_remembers_its_tile_size(widget, image):
    widget.segment.stitch.tile.setValue(19)
    widget.segment.stitch.switch.buttons["corrected"].click()
    assert widget.segment.stitch.tile.value() == 16
    widget.segment.stitch.switch.buttons["naive"].click()
    assert widget.segment.stitch.tile.value() == 19


def test_the_checkbox_hides_the_grid_and_shows_it_again(viewer, widget, image):
    def seen():
        return [layer.name for layer in viewer.layers if layer.visible]

    everything, extent = seen(), viewer.layers.extent.world
    widget.segment.stitch.grid.click()
    assert seen() == ["field"]
    widget.segment.stitch.grid.click()
    assert seen() == everything
    assert horizontal(viewer.layers["Tile grid"])[:3] == [-0.5, 11.5, 23.5]
    np.testing.assert_array_equal(viewer.layers.extent.world, extent)


def test_a_hidden_grid_follows_when_it_is_shown_again(viewer, widget, image):
    widget.segment.stitch.grid.click()
    widget.segment.stitch.tile.setValue(20)
    assert not viewer.layers["Tile grid"].visible
    widget.segment.stitch.grid.click()
    assert horizontal(viewer.layers["Tile grid"]) == [-0.5, 19.5, 39.5, 47.5]


def test_deleting_the_grid_layer_unticks_the_checkbox(viewer, widget, image):
    del viewer.layers["Tile grid"]
    QApplication.processEvents()
    assert not widget.segment.stitch.grid.isChecked()
    assert [layer.name for layer in viewer.layers if layer.visible] == ["field"]


def test_the_grid_goes_with_the_last_image(viewer, widget, image, rest):
    viewer.layers.remove(image)
    rest()
    assert len(viewer.layers) == 0
    assert not widget.segment.run.run.isEnabled()


def test_lines_keep_their_thickness_and_the_period_hides_when_zoomed_out(viewer, widget, image):
    camera, tiles, period = (
        camera_of(viewer),
        viewer.layers["Tile grid"],
        viewer.layers["Period grid"],
    )
    camera.zoom = 30
    thick = tiles.edge_width
    assert len(period.data)
    camera.zoom = 2.9
    assert not seen(period)
    assert len(period.data)  # napari cannot draw no lines at all when it turns to 3-D
    assert tiles.edge_width == pytest.approx(thick * 30 / 2.9, rel=0.2)


def test_lines_are_as_thick_on_screen_in_a_viewer_of_several_units(qtbot, viewer, widget, image):
    """napari shows all layers in the smallest unit among them."""
    image.units = ("um", "um")
    qtbot.waitUntil(lambda: viewer.layers["Tile grid"].units == image.units)
    qtbot.waitUntil(lambda: not widget.turns.busy)
    camera, tiles = camera_of(viewer), viewer.layers["Tile grid"]
    camera.zoom = 30
    thick, drawn = tiles.edge_width, len(seen(viewer.layers["Period grid"]))
    viewer.add_points(np.zeros((1, 2)), name="other", units=("nm", "nm"))
    camera.zoom = 31 / (1000 if getattr(viewer.layers, "units", None) else 1)
    assert tiles.edge_width == pytest.approx(thick, rel=0.1)
    assert len(seen(viewer.layers["Period grid"])) == drawn > 0


def test_dense_tiles_do_not_hide_the_image(viewer, widget, image):
    camera, tiles = camera_of(viewer), viewer.layers["Tile grid"]
    camera.zoom = 1.2  # a tile of 12 px, half a unit each, is 7 px on screen
    assert len(tiles.data)
    assert tiles.edge_width * min(tiles.scale) * camera.zoom == pytest.approx(7.2 / 6, rel=0.1)
    camera.zoom = 0.9
    assert not seen(tiles)


def test_a_hidden_grid_stays_hidden_and_is_right_when_shown_again(viewer, widget, image):
    camera_of(viewer).zoom = 10
    tiles = viewer.layers["Tile grid"]
    tiles.visible = False
    widget.segment.stitch.tile.setValue(20)
    assert not tiles.visible
    tiles.visible = True
    assert horizontal(tiles) == [-0.5, 19.5, 39.5, 47.5]


def test_the_period_starts_anew_in_every_naive_tile():
    plan = make_plan(GEOMETRY, (30, 30), "naive", tile=12)
    assert tile_edges(plan)[0].positions.tolist() == [0, 12, 24, 30]
    assert period_edges(plan)[0].positions.tolist() == [8, 20]


def test_a_volume_has_lines_on_the_slice_that_is_shown(viewer, widget, rest):
    widget.model.combo.setCurrentText("volume")
    viewer.add_image(np.zeros((16, 24, 24), np.uint8), name="stack")
    rest()
    viewer.dims.set_point(0, 5)
    grid = viewer.layers["Tile grid"]
    assert set(grid.data[:, 0, 0]) == {5}
    assert horizontal(grid) == [-0.5, 11.5, 23.5]
    viewer.dims.ndisplay = 3
    assert len(grid.data) == 3 * 9  # edges of 2 x 2 x 2 tiles


def test_lines_of_coarse_slices_are_no_thicker_than_those_of_rows(viewer, widget, rest):
    widget.model.combo.setCurrentText("volume")
    scale, translate = (2.0, 0.5, 0.5), (3.0, 0.0, -1.0)
    stack = np.zeros((16, 24, 24), np.uint8)
    image = viewer.add_image(stack, name="stack", scale=scale, translate=translate)
    rest()
    viewer.dims.set_point(0, 3 + 2 * 5)
    grid = viewer.layers["Tile grid"]
    assert {grid.data_to_world(start)[0] for start in grid.data[:, 0]} == {3 + 2 * 5}
    assert viewer.dims.range[0].step == 2
    viewer.dims.order = (1, 0, 2)
    rest()
    assert grid.scale[0] == grid.scale[2]
    slices = {grid.data_to_world(start)[0] for start in grid.data[grid.data[:, 1, 0] == 0][:, 0]}
    assert slices == {image.data_to_world((z, 0, 0))[0] for z in (-0.5, 11.5, 15.5)}
    viewer.dims.order = (0, 1, 2)
    rest()
    assert viewer.dims.range[0].step == 2


def test_a_large_image_gets_its_grid_at_once(viewer, qtbot):
    """8192 x 8192 px: the promise is 50 ms; the test leaves room for a busy machine."""
    turns = Turns()
    grid = StitchingGrid(viewer, turns)
    placement = Placement((8192, 8192), (1.0, 1.0), (0.0, 0.0))
    plans = [make_plan(GEOMETRY, (8192, 8192), "naive", tile=tile) for tile in (204, 220, 228)]
    grid.show(plans[0], placement)
    qtbot.waitUntil(lambda: not turns.busy)
    times = []
    for plan in plans * 2:
        start = time.perf_counter()
        grid.show(plan, placement)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15


def test_each_tab_draws_its_own_tiles(qtbot, viewer, widget, image, rest):
    segment, compare = range(2)
    widget.tabs.setCurrentIndex(compare)
    widget.compare.rows[0].tile.setValue(20)
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=20_000):
        widget.compare.run.run.click()
    rest()
    compared = [-0.5, 19.5, 39.5, 47.5]
    assert horizontal(viewer.layers["Tile grid"]) == compared
    widget.tabs.setCurrentIndex(segment)
    assert horizontal(viewer.layers["Tile grid"])[:3] == [-0.5, 11.5, 23.5]
    with qtbot.waitSignal(widget.runner.succeeded, timeout=20_000):
        widget.segment.run.run.click()
    rest()
    assert not viewer.layers["Labels (naive, 20 px)"].visible
    widget.tabs.setCurrentIndex(compare)
    assert horizontal(viewer.layers["Tile grid"]) == compared
    assert viewer.layers["Labels (naive, 20 px)"].visible
