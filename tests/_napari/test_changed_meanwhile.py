"""What others change, a script or a person, is seen: pixels, files, the view."""

import numpy as np
import pytest
from correct_scene import Hand, use
from qtpy.QtWidgets import QApplication
from window import PATIENCE, save_bands

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.files.writer import save_labels
from napari_shiftseg._napari.layers import EMBEDDING, LABELS, TILE_GRID
from napari_shiftseg._napari.tags import own_layers, tag_of
from napari_shiftseg.image.files import open_image


@pytest.fixture
def tab(widget):
    widget.segment.stitch.switch.choose("naive")
    return widget.segment


@pytest.fixture
def run(qtbot, viewer, widget, tab, rest):
    """Press Run and wait for the labels."""

    def press():
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
        rest()
        (labels,) = own_layers(viewer, kind=LABELS)
        return labels

    return press


def test_the_embedding_is_that_of_the_last_run(viewer, widget, tab, image, run, rest):
    run()
    tab.result.view.buttons["embedding"].click()
    rest()
    image.data = image.data[:, :36].copy()
    QApplication.processEvents()
    run()
    tab.result.view.buttons["embedding"].click()
    rest()
    (picture,) = own_layers(viewer, kind=EMBEDDING, stale=None)
    np.testing.assert_array_equal(picture.data, widget.results.current.picture)


@pytest.fixture
def compared(qtbot, widget, image, rest):
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
        widget.compare.run.run.click()
    rest()
    assert widget.compare_control.pair is not None
    return widget.compare


def test_a_comparison_is_forgotten_when_one_of_its_runs_has_other_labels_now(
    qtbot, widget, tab, compared, rest, monkeypatch
):
    def run():
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
        rest()
        return widget.compare_control.pair

    tab.stitch.switch.choose("corrected")
    assert run() is not None  # the labels are the same
    monkeypatch.setattr(widget.control.live, "ask", lambda *_: None)
    tab.clusters.controls["min_size"].setValue(500)
    assert run() is None
    assert compared.totals.rowCount() == 0


def test_a_comparison_of_other_pixels_is_forgotten(widget, image, compared):
    image.data = image.data[:, ::-1].copy()
    QApplication.processEvents()
    assert widget.compare_control.pair is None


def test_the_tiles_that_are_drawn_are_those_of_the_labels_on_show(viewer, widget, compared):
    (grid,) = own_layers(viewer, kind=TILE_GRID)

    def rows():
        return sorted({float(line[0, 0]) + 0.5 for line in grid.data if line[1, 0] == 0})

    compared.show_as.switch.buttons["A"].click()
    naive = rows()
    compared.show_as.switch.buttons["B"].click()
    assert naive != rows()


def test_a_result_of_other_pixels_says_so_until_the_next_run(tab, image, run):
    labels = run()
    assert not tab.result.caption.is_warning
    labels.data = labels.data.copy()
    QApplication.processEvents()
    assert not tab.result.caption.is_warning
    image.data = image.data[:, ::-1].copy()
    QApplication.processEvents()
    assert tab.result.caption.is_warning
    assert tab.result.caption.text().endswith("The image has other pixels now: run again.")
    run()
    assert not tab.result.caption.is_warning


def test_after_a_run_the_switch_says_what_is_seen(viewer, tab, image, run, rest):
    run()
    tab.result.view.buttons["embedding"].click()
    tab.result.jumps.click()
    rest()
    run()
    assert tab.result.view.value == "labels" and not tab.result.jumps.isChecked()
    tab.result.view.buttons["embedding"].click()
    rest()
    tab.result.choice.activated.emit(0)
    rest()
    assert tab.result.view.value == "embedding"
    assert own_layers(viewer, kind=EMBEDDING)[0].visible


def test_labels_that_a_script_changed_are_kept(viewer, tab, image, run):
    theirs = run()
    theirs.data = np.where(theirs.data == 1, 0, theirs.data)
    changed = theirs.data.copy()
    again = run()
    assert again is not theirs
    np.testing.assert_array_equal(theirs.data, changed)
    assert theirs.name.endswith(", edited")


def test_a_second_run_is_nobodys_edit(tab, image, run):
    assert run() is run() is run()


def test_saved_labels_say_that_they_were_edited(tab, image, run, tmp_path):
    labels = run()
    for name in ("computed", "edited"):
        data, keywords, _ = labels.as_layer_data_tuple()
        save_labels(str(tmp_path / f"{name}.tif"), data, keywords)
        labels.data_setitem((np.array([0]), np.array([0])), 77)
    told = [open_image(tmp_path / f"{n}.tif").provenance for n in ("computed", "edited")]
    assert "edited" not in told[0] and told[0]["model"]
    assert told[1] == told[0] | {"edited": True}


def test_an_image_that_was_panned_out_of_sight_is_not_segmented(
    qtbot, viewer, tab, image, notifications
):
    tab.image.region.choose("screen")
    camera_of(viewer).center = (0, 1e4, 1e4)
    viewer.window._qt_viewer.canvas.on_draw(None)
    tab.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "on screen" in message


def test_a_model_file_that_was_replaced_is_read_anew(tab, tmp_path):
    file = save_bands(tmp_path / "mine.safetensors")
    tab.model.open_model(file)
    assert tab.model.model.description.training_window == (12, 12)
    save_bands(file, window=16)
    tab.model.open_model(file)
    assert tab.model.model.description.training_window == (16, 16)


def test_corrections_stay_in_their_frame_where_each_has_objects_of_its_own(
    viewer, widget, viewer_hand
):
    frames = np.zeros((2, 20, 30), int)
    frames[:, 4:12, 4:10], frames[:, 4:12, 10:16] = 1, 2
    layer = viewer.add_labels(frames, axis_labels=("t", "y", "x"))
    viewer.dims.set_current_step(0, 1)
    tab = widget.correct
    tab.layers.choose(layer)
    use(tab, "merge")
    viewer_hand.click(1, 6, 6)
    viewer_hand.shift_click(1, 6, 12)
    assert set(np.unique(layer.data[1])) == {0, 1} and set(np.unique(layer.data[0])) == {0, 1, 2}
    use(tab, "split")
    viewer_hand.drag((1, 8, 2), (1, 8, 10), (1, 8, 18))
    assert len(np.unique(layer.data[1])) == 3
    np.testing.assert_array_equal(layer.data[0], np.where(frames[0], frames[0], 0))
    layer.undo()
    layer.undo()
    assert (layer.data[0] == layer.data[1]).all()


@pytest.fixture
def viewer_hand(viewer):
    return Hand(viewer)


class TestSliders:
    def bandwidth(self, tab):
        return tab.clusters.controls["bandwidth"]

    def live(self, qtbot, widget, rest):
        qtbot.waitUntil(lambda: not widget.control.live.busy, timeout=PATIENCE)
        rest()

    def test_moved_during_a_run_they_count_for_its_result(
        self, qtbot, widget, tab, image, gate, rest
    ):
        tab.run.run.click()
        self.bandwidth(tab).setValue(1.0)
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            gate.open()
        rest()
        self.live(qtbot, widget, rest)
        assert widget.results.current.segmentation.clustering.bandwidth == 1.0
        assert self.bandwidth(tab).value() == 1.0

    def test_they_are_those_of_the_result_that_is_chosen(
        self, qtbot, widget, tab, run, image, rest
    ):
        run()
        tab.stitch.switch.choose("corrected")
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
        rest()
        self.bandwidth(tab).setValue(1.0)
        self.live(qtbot, widget, rest)
        tab.result.choice.setCurrentIndex(0)
        tab.result.choice.activated.emit(0)
        assert self.bandwidth(tab).value() == 2.0
        tab.result.choice.setCurrentIndex(1)
        tab.result.choice.activated.emit(1)
        assert self.bandwidth(tab).value() == 1.0

    def test_another_models_leave_the_result_alone(
        self, qtbot, widget, tab, run, image, rest, tmp_path
    ):
        layer = run()
        labels = layer.data.copy()
        tab.model.open_model(save_bands(tmp_path / "other.safetensors", window=16))
        tab.clusters.controls["min_size"].setValue(60)
        self.live(qtbot, widget, rest)
        np.testing.assert_array_equal(layer.data, labels)
        assert widget.results.current.segmentation.clustering.min_size == 1


def test_a_copy_of_a_bundled_model_is_remembered_by_its_file(tab, bundled, tmp_path, reopen):
    copy = tmp_path / "renamed.safetensors"
    copy.write_bytes(bundled["bands"].read_bytes())
    tab.model.open_model(copy)
    assert tab.model.combo.currentText() == "renamed"
    assert reopen().segment.model.combo.currentData() == str(copy)


def test_a_copy_that_was_painted_is_kept_and_is_no_edit_of_the_original(
    qtbot, viewer, widget, tab, image, run
):
    labels = run()
    name = labels.name
    data, state, _ = labels.as_layer_data_tuple()
    copy = viewer.add_labels(data.copy(), **state | {"name": f"{name} copy"})
    copy.data_setitem((np.array([0, 1]), np.array([0, 0])), 77)
    assert tag_of(copy)["edited"] and "edited" not in tag_of(labels)
    viewer.layers.remove(labels)
    copy.name = name
    tab.clusters.controls["min_size"].setValue(60)
    qtbot.waitUntil(lambda: not widget.control.live.busy and not widget.turns.busy)
    assert copy.data[0, 0] == 77 and copy.name == name


def test_axes_that_are_named_after_a_run_are_those_of_its_results(qtbot, viewer, widget, tab, rest):
    stack = viewer.add_image(np.zeros((2, 48, 40), np.uint8), name="stack")
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        tab.run.run.click()
    rest()
    (labels,) = own_layers(viewer, kind=LABELS)
    assert widget.results.current.subject.calibration.axes == "tyx"
    stack.axis_labels = ("z", "y", "x")
    QApplication.processEvents()
    assert labels.axis_labels == ("z", "y", "x")
    assert widget.results.current.subject.calibration.axes == "zyx"


def test_results_of_two_images_have_two_names(qtbot, viewer, widget, tab, image, rest):
    other = viewer.add_image(image.data, name="GFP")
    for layer in (image, other, other):
        tab.image.image.choose(layer)
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
        rest()
    names = [layer.name for layer in own_layers(viewer, kind=LABELS)]
    assert names == ["Labels (naive, 12 px)", "Labels (naive, 12 px) of GFP"]
