"""Ways to look at two results, on the canvas itself."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from compare_dock import Dock, compare, rest
from qtpy.QtCore import Qt

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.compare.curtain import CurtainPixels, curtain_levels
from napari_shiftseg._napari.layers import add_result
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.image.files import open_image


def shown(viewer):
    return {layer.name for layer in viewer.layers if layer.visible}


A, B = "Labels (naive, 14 px)", "Labels (corrected, 8 px)"
RINGS = "Cut at seams (naive, 14 px)"


@pytest.fixture
def image(viewer):
    return viewer.add_image(np.zeros((48, 40), np.uint8), name="field", scale=(0.5, 0.5))


@pytest.fixture
def compared(qtbot, viewer, bundled, image):
    """The dock with naive (A) and corrected (B) results."""
    dock = Dock(viewer, load_model(bundled["bands"]))
    dock.tab.rows[0].tile.setValue(14)
    compare(qtbot, dock)
    yield dock
    dock.control.close()


class Ways(dict):
    """The buttons a user clicks, who looks at what comes of it."""

    def __init__(self, qtbot, dock):
        super().__init__(dock.tab.show_as.switch.buttons)
        self.qtbot, self.dock = qtbot, dock

    def choose(self, way):
        self[way].click()
        rest(self.qtbot, self.dock)


@pytest.fixture
def ways(qtbot, compared):
    return Ways(qtbot, compared)


def test_one_at_a_time(compared, ways, viewer):
    assert shown(viewer) == {"field", A, RINGS}
    ways.choose("B")
    assert shown(viewer) == {"field", B}
    assert compared.tab.totals.chosen == 1
    compared.tab.totals.selectRow(0)
    assert shown(viewer) == {"field", A, RINGS} and ways["A"].isChecked()


def test_side_by_side_moves_b_and_a_copy_of_the_image_aside(ways, viewer, image):
    before = viewer.layers[B].translate.copy()
    image.contrast_limits = (0, 7)
    camera = camera_of(viewer)
    camera.zoom, camera.center = 3, (0, 5, 5)
    ways.choose("side by side")
    assert shown(viewer) == {"field", "field (B)", A, RINGS, B}
    copy = viewer.layers["field (B)"]
    assert copy.data is image.data
    assert tuple(copy.contrast_limits) == (0, 7)
    assert copy.translate[-1] == viewer.layers[B].translate[-1] > 40 * 0.5
    ways.choose("A")
    assert not copy.visible
    np.testing.assert_array_equal(viewer.layers[B].translate, before)
    assert camera.zoom == 3 and tuple(camera.center) == (0, 5, 5)


def test_side_by_side_again_follows_an_image_that_was_calibrated(ways, viewer, image):
    for scale in ((0.5, 0.5), (2, 2)):
        for layer in (image, viewer.layers[A], viewer.layers[B]):
            layer.scale = scale
        ways.choose("side by side")
        np.testing.assert_array_equal(viewer.layers["field (B)"].scale, scale)
        ways.choose("A")


def test_side_by_side_b_is_saved_at_the_place_of_its_image(ways, viewer, tmp_path):
    ways.choose("side by side")
    assert viewer.layers[B].translate[-1] > 0
    viewer.layers[B].save(str(tmp_path / "b.tif"))
    assert open_image(tmp_path / "b.tif").calibration.translate == (0, 0)


def test_side_by_side_a_click_on_either_finds_the_object(compared, ways):
    ways.choose("side by side")
    cut = compared.control.pair.cuts[1]
    shift = compared.control.arrangement.beside.shift
    row, column = (v * 0.5 for v in cut.split.position)
    for moved in (0, shift):
        compared.tab.cuts.table.clearSelection()
        compared.control._clicks.clicked.emit((row, column + moved))
        assert compared.tab.cuts.table.chosen == 1


def test_the_curtain_shows_a_left_of_the_line_and_b_right_of_it(
    compared,
    ways,
    viewer,
):
    ways.choose("curtain")
    assert {A, B} & shown(viewer) == set()
    a, b = (r.segmentation.labels for r in compared.control.pair.results)
    compared.tab.show_as.slider.setValue(250)
    seen = np.asarray(viewer.layers["Curtain (A | B)"].data[0])
    np.testing.assert_array_equal(seen[:, :10], a[:, :10])
    np.testing.assert_array_equal(seen[:, 10:], b[:, 10:])
    assert viewer.layers["Curtain line"].translate[-1] == pytest.approx((10 - 0.5) * 0.5)


@pytest.fixture
def mirrored(image, compared, qtbot):
    """The same of an image whose columns run to the left on screen."""
    image.scale = (0.5, -0.5)
    compare(qtbot, compared)
    return compared


def test_beside_a_mirrored_image_b_is_right_as_well(mirrored, ways, viewer):
    ways.choose("side by side")
    shift = mirrored.control.arrangement.beside.shift
    assert viewer.layers[B].translate[-1] == shift > 40 * 0.5
    cut = mirrored.control.pair.cuts[1]
    row, column = (v * s for v, s in zip(cut.split.position, (0.5, -0.5), strict=True))
    for moved in (0, shift):
        mirrored.tab.cuts.table.clearSelection()
        mirrored.control._clicks.clicked.emit((row, column + moved))
        assert mirrored.tab.cuts.table.chosen == 1


def test_under_the_curtain_of_a_mirrored_image_a_is_left_as_well(mirrored, ways, viewer):
    ways.choose("curtain")
    a, b = (r.segmentation.labels for r in mirrored.control.pair.results)
    mirrored.tab.show_as.slider.setValue(250)
    seen = np.asarray(viewer.layers["Curtain (A | B)"].data[0])
    np.testing.assert_array_equal(seen[:, 30:], a[:, 30:])
    np.testing.assert_array_equal(seen[:, :30], b[:, :30])
    line = viewer.layers["Curtain line"].translate[-1]
    assert line == pytest.approx((30 - 0.5) * -0.5)
    viewer.layers.selection.clear()
    drag(viewer, [-29.5, -19.5])
    assert mirrored.tab.show_as.slider.value() == 500
    mirrored.tab.cuts.table.selectRow(0)
    column = mirrored.control.pair.cuts[0].split.position[-1]
    expected = 1000 * (1 - (column + 0.5) / 40)
    assert mirrored.tab.show_as.slider.value() == pytest.approx(expected, abs=1)


def test_a_line_that_is_moved_while_it_is_brought_up_is_drawn_there(compared, viewer):
    arrangement = compared.control.arrangement
    curtain = arrangement.curtain
    steps = curtain.enter(*arrangement.sides, 0.5)
    next(steps)
    curtain.move(0.25)
    for _ in steps:
        pass
    assert viewer.layers["Curtain line"].translate[-1] == pytest.approx((10 - 0.5) * 0.5)
    assert viewer.layers["Curtain (A | B)"].data[0].edge == 10
    curtain.leave()


def test_rings_of_a_end_at_the_curtain(compared, ways, viewer):
    ways.choose("curtain")
    rings = viewer.layers[RINGS]
    compared.tab.show_as.slider.setValue(0)
    assert not rings.border_color[:, 3].any()
    compared.tab.show_as.slider.setValue(1000)
    assert rings.border_color[:, 3].all()
    compared.tab.show_as.slider.setValue(0)
    ways.choose("A")
    assert rings.border_color[:, 3].all()


def mouse(kind, column, *, pos=0, unit=1):
    """A mouse event over a column of the image, as napari hands it to callbacks."""
    return SimpleNamespace(
        type=kind,
        button=1,
        modifiers=(),
        handled=False,
        position=(9.5 * unit, column * 0.5 * unit),
        pos=np.array([pos, 0]),
    )


def drag(viewer, path, unit=1):
    """Press at the first column, move over the others, release at the last."""
    event = mouse("mouse_press", path[0], pos=path[0], unit=unit)
    running = []
    for callback in viewer.mouse_drag_callbacks:
        gesture = callback(viewer, event)
        if next(gesture, "done") != "done":
            running.append(gesture)
    for kind, column in [*(("mouse_move", c) for c in path[1:]), ("mouse_release", path[-1])]:
        event.__dict__.update(vars(mouse(kind, column, pos=column, unit=unit)))
        running = [gesture for gesture in running if next(gesture, "done") != "done"]
    return event


def test_the_line_is_dragged_and_the_image_stays(compared, ways, viewer):
    ways.choose("curtain")
    drag(viewer, [19.5, 25, 30])
    assert viewer.layers["Curtain (A | B)"].data[0].edge in (30, 31)
    assert compared.tab.show_as.slider.value() == pytest.approx(1000 * 30.5 / 40, abs=2)
    assert camera_of(viewer).mouse_pan
    drag(viewer, [5, 12])
    assert viewer.layers["Curtain (A | B)"].data[0].edge in (30, 31)


def test_the_line_is_dragged_in_a_viewer_of_several_units(compared, ways, viewer):
    """napari shows all layers in the smallest unit among them."""
    ways.choose("curtain")
    for layer in viewer.layers:
        layer.units = ("um", "um")
    line = viewer.layers["Curtain line"]
    camera_of(viewer).zoom = 10
    thick = line.edge_width
    viewer.add_points(np.zeros((1, 2)), name="other", units=("nm", "nm"))
    unit = 1000 if getattr(viewer.layers, "units", None) else 1
    camera_of(viewer).zoom = 10.1 / unit
    assert line.edge_width == pytest.approx(thick, rel=0.1)
    assert viewer.layers[RINGS].border_width.max() * camera_of(viewer).zoom * unit > 1
    drag(viewer, [19.5, 25, 30], unit)
    assert viewer.layers["Curtain (A | B)"].data[0].edge in (30, 31)


def test_a_drag_is_no_click(compared, viewer):
    column = compared.control.pair.cuts[0].split.position[1]
    clicked = []
    compared.control._clicks.clicked.connect(clicked.append)
    drag(viewer, [column, column + 9])
    assert clicked == []
    drag(viewer, [column])
    assert len(clicked) == 1


def test_a_painting_tool_keeps_its_mouse(compared, ways, viewer):
    ways.choose("curtain")
    labels = viewer.add_labels(np.zeros((48, 40), int))
    labels.mode = "paint"
    edge = viewer.layers["Curtain (A | B)"].data[0].edge
    clicked = []
    compared.control._clicks.clicked.connect(clicked.append)
    drag(viewer, [19.5, 30])
    drag(viewer, [19.5])
    assert viewer.layers["Curtain (A | B)"].data[0].edge == edge
    assert clicked == []


def test_the_cursor_tells_where_the_line_can_be_taken(ways, viewer):
    ways.choose("curtain")
    style = viewer.cursor.style
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, mouse("mouse_move", 19.5))
    assert viewer.cursor.style == "pointing"
    ways.choose("A")
    assert viewer.cursor.style == style
    assert viewer.mouse_move_callbacks == []


def test_a_row_draws_the_curtain_through_its_object(compared, ways):
    ways.choose("curtain")
    compared.tab.cuts.table.selectRow(0)
    column = compared.control.pair.cuts[0].split.position[-1]
    assert compared.tab.show_as.slider.value() == pytest.approx(1000 * (column + 0.5) / 40, abs=1)


def test_blinking_alternates_until_another_way_is_chosen(compared, ways, viewer):
    blink = compared.control.arrangement.blink
    compared.tab.show_as.interval.setValue(0.3)
    ways.choose("blink")
    assert blink.timer.isActive() and blink.timer.interval() == 300
    assert shown(viewer) == {"field", A, RINGS}
    blink.timer.timeout.emit()
    assert shown(viewer) == {"field", B}
    blink.timer.timeout.emit()
    assert shown(viewer) == {"field", A, RINGS}
    ways.choose("B")
    assert not blink.timer.isActive()
    assert shown(viewer) == {"field", B}


def test_the_shortcut_steps_once(compared, viewer):
    compared.control.blink()
    assert shown(viewer) == {"field", B}
    compared.control.blink()
    assert shown(viewer) == {"field", A, RINGS}
    assert not compared.control.arrangement.blink.timer.isActive()


def test_closing_in_mid_blink_ends_it(compared, ways):
    ways.choose("blink")
    compared.control.close()
    assert not compared.control.arrangement.blink.timer.isActive()


@pytest.mark.parametrize("way", ["side by side", "curtain", "blink"])
def test_closing_leaves_a_on_show(compared, ways, viewer, way):
    ways.choose(way)
    compared.control.close()
    assert shown(viewer) == {"field", A, RINGS}


@pytest.mark.parametrize(("side", "seen"), [(0, {"field", A, RINGS}), (1, {"field", B})])
@pytest.mark.parametrize("way", ["side by side", "curtain", "blink"])
def test_what_is_clustered_anew_is_seen(compared, ways, viewer, way, side, seen):
    ways.choose(way)
    compared.results.relabelled.emit(compared.control.pair.results[side])
    assert shown(viewer) == seen
    assert compared.control.pair is None


def test_fewer_cuts_than_before_are_circled_though_their_layer_was_hidden(compared, viewer):
    (result, _), rings = compared.control.pair.results, viewer.layers[RINGS]
    assert len(rings.data) > 1
    rings.visible = False
    fewer = replace(result, rings=Rings(result.rings.centres[:1], result.rings.diameters[:1]))
    for _ in add_result(viewer, fewer):
        pass
    rings.visible = True
    assert len(rings.data) == 1


@pytest.mark.parametrize("way", ["side by side", "curtain", "blink"])
@pytest.mark.parametrize("name", [A, B])
def test_deleting_a_result_ends_every_way(qtbot, compared, ways, viewer, way, name):
    ways.choose(way)
    viewer.layers.remove(name)
    rest(qtbot, compared)
    assert not compared.control.arrangement.blink.timer.isActive()
    assert not compared.tab.show_as.isEnabled()
    assert {layer.name for layer in viewer.layers} <= {"field", A, B, RINGS} | {
        layer.name for layer in viewer.layers if layer.name.startswith("Embedding")
    }
    compared.control.next_split()
    compared.control.blink()


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("side by side", "field (B)"),
        ("curtain", "Curtain (A | B)"),
        ("curtain", "Curtain line"),
    ],
)
def test_deleting_what_a_way_added_ends_it(compared, ways, viewer, way, name):
    ways.choose(way)
    viewer.layers.remove(name)
    assert ways["A"].isChecked()
    assert shown(viewer) == {"field", A, RINGS}


@pytest.mark.parametrize("way", ["side by side", "curtain", "blink", "B"])
def test_rings_and_image_may_be_deleted(compared, ways, viewer, way):
    ways.choose(way)
    viewer.layers.remove(RINGS)
    viewer.layers.remove("field")
    ways.choose("A")
    assert shown(viewer) - {"field (B)"} == {A}


@pytest.mark.parametrize("way", ["side by side", "curtain", "blink"])
def test_running_again_keeps_the_way(qtbot, compared, ways, viewer, way):
    ways.choose(way)
    names = sorted(layer.name for layer in viewer.layers)
    compare(qtbot, compared)
    assert compared.control.arrangement.way == way
    assert ways[way].isChecked()
    assert sorted(layer.name for layer in viewer.layers) == names


def test_the_copy_of_the_image_follows_its_contrast(ways, viewer, image):
    ways.choose("side by side")
    copy = viewer.layers["field (B)"]
    image.contrast_limits, image.gamma = (3, 9), 0.5
    assert (tuple(copy.contrast_limits), copy.gamma) == ((3, 9), 0.5)
    ways.choose("A")
    ways.choose("side by side")
    assert viewer.layers["field (B)"] is copy
    viewer.layers.remove(image)
    rest(ways.qtbot, ways.dock)
    assert "field (B)" not in viewer.layers


@pytest.mark.parametrize("way", ["side by side", "curtain"])
def test_the_second_time_no_layer_is_added_or_removed(ways, viewer, way):
    ways.choose(way)
    seen = shown(viewer)
    changes = []
    viewer.layers.events.inserted.connect(changes.append)
    viewer.layers.events.removed.connect(changes.append)
    ways.choose("A")
    ways.choose(way)
    assert shown(viewer) == seen and changes == []


def test_hidden_helpers_do_not_enlarge_the_view(ways, viewer):
    before = viewer.layers.extent.world
    for way in ("side by side", "curtain", "A"):
        ways.choose(way)
    # The line ends at the border of the outermost pixels, not at their centre.
    np.testing.assert_allclose(viewer.layers.extent.world, before, atol=0.25)


def test_the_active_layer_stays_in_hand(ways, viewer, image):
    viewer.layers.selection.active = image
    for way in ("side by side", "curtain", "blink", "A"):
        ways.choose(way)
        assert viewer.layers.selection.active is image


def test_curtain_pixels_read_like_an_array():
    left = np.arange(2 * 30 * 40).reshape(2, 30, 40)
    curtain = CurtainPixels(left, -left)
    curtain.edge = 13
    whole = np.concatenate([left[..., :13], -left[..., 13:]], axis=-1)
    np.testing.assert_array_equal(np.asarray(curtain), whole)
    for index in [(1,), (0, slice(3, 9), slice(5, 20)), (0, 4, 7), (slice(None), 2, slice(0, 40))]:
        np.testing.assert_array_equal(curtain[index], whole[index])
    assert len(curtain) == 2 and curtain.size == whole.size


def test_an_image_of_one_pixel_has_a_curtain(qtbot, viewer, bundled):
    viewer.add_image(np.zeros((1, 1), np.uint8), name="field")
    dock = Dock(viewer, load_model(bundled["bands"]))
    compare(qtbot, dock)
    Ways(qtbot, dock).choose("curtain")
    assert "Curtain (A | B)" in shown(viewer)
    dock.control.close()


def test_every_level_of_the_curtain_has_its_edge_at_the_same_place():
    left = np.zeros((10, 4000), int)
    for level in curtain_levels(left, left + 1):
        level.edge = 1000
        step = level._step
        assert np.asarray(level)[0].argmax() == pytest.approx(1000 / step, abs=1)
        assert level.shape[-1] == -(-4000 // step)


def test_the_slider_moves_the_line_by_keyboard(qtbot, compared, ways, viewer):
    ways.choose("curtain")
    qtbot.keyClick(compared.tab.show_as.slider, Qt.Key.Key_Home)
    assert viewer.layers["Curtain (A | B)"].data[0].edge == 0


def test_another_result_ends_side_by_side_and_finds_b_in_its_place(
    qtbot, compared, ways, viewer, image
):
    ways.choose("side by side")
    compared.results.show(compared.control.pair.results[1])
    rest(qtbot, compared)
    assert shown(viewer) == {"field", B}
    np.testing.assert_array_equal(viewer.layers[B].translate, image.translate)
    ways.choose("B")
    np.testing.assert_array_equal(viewer.layers[B].translate, image.translate)


def test_a_comparison_follows_its_image(qtbot, compared, ways, viewer, image):
    ways.choose("side by side")
    image.translate = (100, 50)
    compared.results.follow(image)
    assert ways["A"].isChecked()
    compared.tab.cuts.table.choose(0)
    compared.tab.cuts.cut_requested.emit(0)
    row, column = (v * 0.5 for v in compared.control.pair.cuts[0].split.position)
    np.testing.assert_allclose(camera_of(viewer).center[-2:], (100 + row, 50 + column))
