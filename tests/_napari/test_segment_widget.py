"""What a user does with the Segment tab, through its own controls."""

import re

import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QFileDialog
from window import PATIENCE, save_bands

from napari_shiftseg._napari import job, layers
from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg.settings import Clustering


@pytest.fixture
def widget(widget):
    """The widget with naive stitching, whose seams can be seen."""
    widget.segment.stitch.switch.choose("naive")
    return widget


@pytest.fixture
def tab(widget):
    return widget.segment


@pytest.fixture
def wavy(viewer, widget):
    """An image on which the bands are in every frame: the network does not look at it."""
    pixels = np.random.default_rng(0).random((3, 48, 40)).astype(np.float32)
    return viewer.add_image(pixels, name="series", scale=(2, 0.5, 0.5), translate=(10, 1, 0))


def run(qtbot, widget, button=None):
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        (button or widget.segment.run.run).click()
    rest(qtbot, widget)


def rest(qtbot, widget):
    qtbot.waitUntil(lambda: not widget.turns.busy, timeout=PATIENCE)


def wait_live(qtbot, widget):
    qtbot.waitUntil(lambda: not widget.control.live.busy, timeout=PATIENCE)
    rest(qtbot, widget)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def results(viewer):
    return [name for name in names(viewer) if "(" in name]


def labels_of(viewer):
    return next(layer for layer in viewer.layers if layer.name.startswith("Labels"))


def threads_end(qtbot):
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(lambda: pool.activeThreadCount() == 0, timeout=PATIENCE)


class TestModel:
    def test_the_card_says_what_the_model_is(self, tab):
        text = tab.model.card.text()
        for words in ("2-D", "period <b>8 px</b>", "context 0 px", "Valid padding", "learnt",
                      "capacity 64", "12 px: exceeds the period", "0.88", "CC0-1.0"):  # fmt: skip
            assert words in text
        assert tab.model.warning.isHidden()

    def test_one_trained_within_its_period_warns(self, tab, image, tmp_path, notifications):
        tab.model.open_model(save_bands(tmp_path / "narrow.safetensors", window=8))
        assert tab.model.combo.currentText() == "narrow"
        assert "does not exceed the period" in tab.model.card.text()
        assert not tab.model.warning.isHidden()
        [(severity, message)] = notifications()
        assert severity == "warning" and "does not exceed its period" in message

    def test_it_computes_in_bfloat16_if_that_is_wanted(
        self, qtbot, tab, widget, image, viewer, reopen
    ):
        tab.model.rounded.click()
        run(qtbot, widget)
        assert labels_of(viewer).metadata["shiftseg"]["provenance"]["precision"] == "bfloat16"
        assert reopen().segment.model.rounded.isChecked()

    def test_opening_what_is_none_changes_nothing(self, tab, tmp_path, notifications, monkeypatch):
        path = tmp_path / "notes.safetensors"
        path.write_text("not a model")
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(path), ""))
        tab.model.open_button.click()
        assert tab.model.combo.currentText() == "bands"
        [(severity, message)] = notifications()
        assert severity == "error" and "not a safetensors file" in message

    def test_opened_models_are_offered_again_and_the_last_one_is_chosen(
        self, tab, tmp_path, reopen
    ):
        tab.model.open_model(save_bands(tmp_path / "mine.safetensors"))
        tab.model.open_model(save_bands(tmp_path / "gone.safetensors"))
        (tmp_path / "gone.safetensors").unlink()
        tab.model.combo.setCurrentText("mine")
        combo = reopen().segment.model.combo
        offered = [combo.itemText(i) for i in range(combo.count())]
        assert combo.currentText() == "mine" and "gone" not in offered


class TestImage:
    def test_without_one_nothing_can_run(self, tab):
        assert not tab.run.run.isEnabled()
        assert not tab.run.preview.isEnabled()
        assert "Open an image" in tab.stitch.sentence.text()

    def test_the_combo_follows_the_layer_list(self, viewer, tab, image):
        choice = tab.image.image
        image.name = "renamed"
        assert choice.currentText() == "renamed"
        viewer.add_image(np.zeros((9, 9)), name="other")
        assert [choice.itemText(i) for i in range(choice.count())] == ["renamed", "other"]
        assert choice.layer is image
        viewer.layers.remove(image)
        assert choice.currentText() == "other"

    def test_frames_of_a_series_are_segmented_one_by_one(self, qtbot, viewer, widget, tab, wavy):
        assert "3 frames of 48 x 40 px, each segmented alone" in tab.image.frames.text()
        run(qtbot, widget)
        labels = labels_of(viewer)
        assert labels.data.shape == (3, 48, 40)
        np.testing.assert_array_equal(labels.scale, wavy.scale)
        np.testing.assert_array_equal(labels.translate, wavy.translate)
        values = [set(np.unique(frame[frame > 0]).tolist()) for frame in labels.data]
        assert values[0] and not values[0] & values[1]

    @pytest.mark.parametrize(
        ("axes", "words"), [("t", "3 time points"), ("z", "3 slices"), ("c", "3 channels")]
    )
    def test_named_axes_are_called_by_their_names(self, viewer, tab, axes, words):
        viewer.add_image(np.zeros((3, 48, 40), np.uint8), axis_labels=(axes, "y", "x"))
        assert words in tab.image.frames.text()

    def test_a_lazy_series_runs(self, qtbot, viewer, widget):
        lazy = da.zeros((2, 48, 40), chunks=(1, 20, 20), dtype=np.uint16)
        viewer.add_image(lazy, name="lazy", contrast_limits=(0, 1))
        run(qtbot, widget)
        assert labels_of(viewer).data.shape == (2, 48, 40)

    def test_a_volume_runs_with_a_model_of_three_axes(self, qtbot, viewer, widget, tab):
        tab.model.combo.setCurrentText("volume")
        viewer.add_image(np.zeros((14, 20, 20), np.uint8), name="stack", translate=(3, 0, 0))
        tab.stitch.tile.setValue(14)
        run(qtbot, widget)
        assert labels_of(viewer).data.shape == (14, 20, 20)
        np.testing.assert_array_equal(labels_of(viewer).translate, (3, 0, 0))

    def test_an_image_of_too_few_axes_is_one_notification(self, viewer, tab, notifications):
        tab.model.combo.setCurrentText("volume")
        viewer.add_image(np.zeros((30, 30), np.uint8), name="flat")
        assert "3 spatial axes" in tab.stitch.sentence.text()
        tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "(30, 30)" in message

    def test_colour_is_one_notification(self, viewer, tab, notifications):
        viewer.add_image(np.zeros((30, 30, 3), np.uint8), name="photo", rgb=True)
        tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "Split RGB" in message

    def test_a_turned_image_is_one_notification(self, viewer, tab, notifications):
        viewer.add_image(np.zeros((30, 30), np.uint8), name="askew", rotate=30)
        tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "'askew' is rotated" in message

    def test_pixels_that_are_no_numbers_are_one_notification(
        self, qtbot, viewer, widget, tab, notifications
    ):
        viewer.add_image(np.full((30, 30), np.nan, np.float32), contrast_limits=(0, 1))
        with qtbot.waitSignal(widget.runner.failed, timeout=PATIENCE):
            tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "not finite" in message
        assert not widget.runner.running and tab.run.run.isEnabled()


class TestRegion:
    def test_what_is_on_screen_is_segmented_where_it_lies(self, qtbot, viewer, widget, tab, image):
        image.corner_pixels = np.array([[8, 5], [31, 29]])
        tab.image.region.buttons["screen"].click()
        tab.stitch.switch.buttons["corrected"].click()
        run(qtbot, widget)
        labels = labels_of(viewer)
        assert labels.data.shape == (24, 25)
        np.testing.assert_allclose(labels.translate, (8 * 0.5, 5 * 0.5))

    def test_a_drawn_rectangle_is_segmented(self, qtbot, viewer, widget, tab, image):
        tab.image.region.buttons["drawn"].click()
        assert "Draw a rectangle" in tab.stitch.estimate.text()
        region = viewer.layers["Region"]
        assert region.mode == "add_rectangle"
        region.add_rectangles(np.array([[3.6, 7.7], [3.6, 20.2], [30.1, 20.2], [30.1, 7.7]]))
        assert "tile" in tab.stitch.estimate.text()
        run(qtbot, widget)
        assert labels_of(viewer).data.shape == (27, 13)
        np.testing.assert_allclose(labels_of(viewer).translate, (4 * 0.5, 8 * 0.5))

    def test_another_rectangle_is_drawn_after_a_run(self, qtbot, viewer, widget, tab, image):
        tab.image.region.buttons["drawn"].click()
        region = viewer.layers["Region"]
        region.add_rectangles(np.array([[3, 7], [3, 20], [30, 20], [30, 7]]))
        run(qtbot, widget)
        assert region.visible
        region.visible = False
        tab.image.region.buttons["whole"].click()
        tab.image.region.buttons["drawn"].click()
        assert region.visible and region.mode == "add_rectangle"

    @pytest.mark.parametrize(
        ("corners", "pixels"),
        [((10, 11), 2), ((11, 12), 2), ((11, 14), 4), ((10.2, 10.4), 1), ((9.6, 10.4), 1)],
    )
    def test_a_rectangle_has_the_pixels_that_it_covers(
        self, viewer, widget, tab, image, corners, pixels
    ):
        tab.image.region.buttons["drawn"].click()
        low, high = corners
        viewer.layers["Region"].add_rectangles(
            np.array([[low, 5], [low, 20], [high, 20], [high, 5]])
        )
        (rows, columns) = widget.control.subject().region
        assert rows.stop - rows.start == pixels and columns == slice(5, 21)
        assert rows.start in (round(low), round(low) + 1)

    def test_in_a_rolled_stack_it_goes_through_what_is_not_on_screen(self, viewer, widget, tab):
        stack = viewer.add_image(np.zeros((6, 48, 40), np.uint8), name="stack")
        tab.image.image.choose(stack)
        tab.image.region.buttons["drawn"].click()
        viewer.dims.order = (1, 0, 2)
        corners = [[20, 5], [20, 30], [20, 30], [20, 5]]
        viewer.layers["Region"].add_rectangles(np.array(corners))
        assert widget.control.subject().region == (slice(0, 48), slice(5, 31))

    def test_without_a_rectangle_there_is_one_notification(self, tab, image, notifications):
        tab.image.region.buttons["drawn"].click()
        tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "draw a rectangle" in message

    def test_an_image_out_of_sight_is_one_notification(self, tab, image, notifications):
        image.corner_pixels = np.array([[60, 5], [70, 29]])
        tab.image.region.buttons["screen"].click()
        tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "on screen" in message


class TestPreview:
    @pytest.mark.parametrize("mode", ["naive", "corrected", "whole", "blended"])
    def test_is_that_part_of_the_full_run(self, qtbot, viewer, widget, tab, image, mode):
        image.corner_pixels = np.array([[7, 6], [30, 25]])
        tab.stitch.switch.buttons[mode].click()
        run(qtbot, widget, tab.run.preview)
        part = widget.results.current.segmentation
        assert labels_of(viewer).name.startswith("Labels (preview")
        run(qtbot, widget)
        whole = widget.results.current.segmentation
        inside = (slice(None), slice(7, 31), slice(6, 26))
        np.testing.assert_array_equal(part.prediction.embedding, whole.prediction.embedding[inside])
        assert "Labels (preview" not in " ".join(names(viewer))

    def test_is_of_the_frame_on_show(self, qtbot, viewer, widget, tab, wavy):
        wavy.corner_pixels = np.array([[0, 0, 0], [0, 47, 39]])
        viewer.dims.set_point(0, 14)
        run(qtbot, widget, tab.run.preview)
        labels = labels_of(viewer)
        assert labels.data.shape == (1, 48, 40)
        assert labels.translate[0] == 14

    def test_of_a_large_screen_is_its_middle(self, qtbot, viewer, widget, tab, monkeypatch):
        large = viewer.add_image(np.zeros((900, 800), np.uint8))
        large.corner_pixels = np.array([[0, 0], [899, 799]])
        monkeypatch.setattr(widget.control.resolver._estimate, "_rates", {"float32": 1e6})
        run(qtbot, widget, tab.run.preview)
        size = labels_of(viewer).data.shape
        assert size[0] < 300
        middle = labels_of(viewer).translate + np.array(size) / 2
        np.testing.assert_allclose(middle, (450, 400), atol=2)


class TestRun:
    @pytest.mark.parametrize("mode", ["naive", "corrected", "whole", "blended"])
    def test_each_mode_runs(self, qtbot, viewer, widget, tab, image, mode):
        tab.stitch.switch.buttons[mode].click()
        run(qtbot, widget)
        labels = labels_of(viewer)
        assert mode in labels.name
        assert labels.data.shape == (48, 40)
        np.testing.assert_array_equal(labels.scale, image.scale)
        assert labels.metadata["shiftseg"]["provenance"]["stitch"] == mode

    def test_the_price_is_named_before(self, tab, image):
        price = r"16 tiles, about 1 s, \d+ kB of memory"
        assert re.fullmatch(price, tab.stitch.estimate.text())
        tab.stitch.tile.setValue(24)
        assert tab.stitch.estimate.text().startswith("4 tiles")

    def test_a_large_result_follows_a_preview_and_is_labelled_anew(
        self, qtbot, viewer, widget, tab, image, monkeypatch
    ):
        monkeypatch.setattr(layers, "_PYRAMID", 40)
        monkeypatch.setattr(layers, "_COARSEST", 20)
        image.corner_pixels = np.array([[7, 6], [30, 25]])
        run(qtbot, widget, tab.run.preview)
        assert not labels_of(viewer).multiscale
        for _ in range(2):
            run(qtbot, widget)
            labels = labels_of(viewer)
            assert [level.shape for level in labels.data] == [(48, 40), (24, 20)]
        with qtbot.waitSignal(widget.control.live.done, timeout=PATIENCE):
            tab.clusters.controls["min_size"].setValue(10**6)
        rest(qtbot, widget)
        assert not np.any(labels_of(viewer).data[0])

    def test_a_cancelled_second_run_puts_the_picture_back(
        self, qtbot, viewer, widget, tab, image, gate, monkeypatch
    ):
        monkeypatch.setattr(job, "_colours_need_no_measure", lambda subject: True)
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
            gate.let_through(2)
            qtbot.waitUntil(lambda: "Running…" in viewer.layers, timeout=PATIENCE)
            gate.let_through(15)
        rest(qtbot, widget)
        picture = viewer.layers["Embedding (naive, 12 px)"]
        before = picture.data.copy()
        tab.run.run.click()
        gate.let_through(2)
        qtbot.waitUntil(lambda: tab.run.bar.value() > 100, timeout=PATIENCE)
        rest(qtbot, widget)
        assert picture.visible and (picture.data != before).any()
        assert not viewer.layers["Labels (naive, 12 px)"].visible
        tab.run.cancel.click()
        gate.open()
        threads_end(qtbot)
        rest(qtbot, widget)
        np.testing.assert_array_equal(picture.data, before)
        assert not picture.visible and "Running…" not in viewer.layers
        assert viewer.layers["Labels (naive, 12 px)"].visible

    def test_progress_is_shown_tile_by_tile(self, qtbot, viewer, widget, tab, image, gate):
        tab.run.run.click()
        gate.let_through(3)
        qtbot.waitUntil(lambda: tab.run.bar.text() == "Naive: tile 3 of 16", timeout=PATIENCE)
        assert tab.run.bar.value() == pytest.approx(1000 * 3 / 17, abs=1)
        assert tab.run.cancel.isEnabled()

    def test_finished_tiles_are_seen_before_the_others(
        self, qtbot, viewer, widget, tab, image, gate, monkeypatch
    ):
        monkeypatch.setattr(job, "_colours_need_no_measure", lambda subject: True)
        tab.run.run.click()
        gate.let_through(3)
        qtbot.waitUntil(lambda: tab.run.bar.text() == "Naive: tile 3 of 16", timeout=PATIENCE)
        rest(qtbot, widget)
        picture = viewer.layers["Running…"].data
        assert picture[:12, :36].any() and not picture[12:].any() and not picture[:, 36:].any()
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            gate.open()
        rest(qtbot, widget)
        assert "Running…" not in viewer.layers

    def test_finished_tiles_of_a_series_are_seen_in_their_frame(
        self, qtbot, viewer, widget, tab, wavy, gate, monkeypatch
    ):
        monkeypatch.setattr(job, "_colours_need_no_measure", lambda subject: True)
        tab.run.run.click()
        gate.let_through(17)
        text = "Naive: tile 1 of 16, frame 2 of 3"
        qtbot.waitUntil(lambda: tab.run.bar.text() == text, timeout=PATIENCE)
        rest(qtbot, widget)
        picture = viewer.layers["Running…"]
        assert picture.data.shape == (3, 48, 40, 3)
        assert picture.data[0].any() and picture.data[1].any() and not picture.data[2].any()
        np.testing.assert_array_equal(picture.scale, wavy.scale)
        tab.run.cancel.click()

    def test_cancel_in_mid_run_leaves_nothing_behind(self, qtbot, viewer, widget, tab, image, gate):
        before = names(viewer)
        tab.run.run.click()
        gate.let_through(2)
        qtbot.waitUntil(lambda: tab.run.bar.value() > 0, timeout=PATIENCE)
        tab.run.cancel.click()
        assert not widget.runner.running and not tab.run.cancel.isEnabled()
        gate.let_through(1)  # one tile more, and the thread is gone
        threads_end(qtbot)
        rest(qtbot, widget)
        assert names(viewer) == before
        assert widget.results.current is None

    def test_of_two_started_in_a_row_only_the_second_is_shown(
        self, qtbot, viewer, widget, tab, image, gate
    ):
        tab.run.run.click()
        gate.let_through(2)
        qtbot.waitUntil(lambda: tab.run.bar.value() > 0, timeout=PATIENCE)
        tab.stitch.switch.buttons["corrected"].click()
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            tab.run.run.click()
            gate.open()
        threads_end(qtbot)
        rest(qtbot, widget)
        assert results(viewer) == ["Labels (corrected, 8 px)"]

    def test_deleting_the_image_in_mid_run_cancels_with_a_word(
        self, qtbot, viewer, widget, tab, image, gate, notifications
    ):
        tab.run.run.click()
        gate.let_through(2)
        qtbot.waitUntil(lambda: tab.run.bar.value() > 0, timeout=PATIENCE)
        viewer.layers.remove(image)
        gate.open()
        threads_end(qtbot)
        rest(qtbot, widget)
        assert len(viewer.layers) == 0
        [(severity, message)] = notifications()
        assert severity == "info" and "field, was removed" in message

    def test_another_model_in_mid_run_changes_nothing_about_it(
        self, qtbot, viewer, widget, tab, image, gate
    ):
        tab.run.run.click()
        gate.let_through(2)
        qtbot.waitUntil(lambda: tab.run.bar.value() > 0, timeout=PATIENCE)
        tab.model.combo.setCurrentText("volume")
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            gate.open()
        rest(qtbot, widget)
        assert widget.results.current.subject.model.description.name == "bands"

    def test_a_defect_ends_with_a_notification(
        self, qtbot, widget, tab, image, notifications, monkeypatch, caplog
    ):
        def broken(*arguments, **keywords):
            raise RuntimeError("out of order")
            yield

        monkeypatch.setattr(job, "segment_events", broken)
        with qtbot.waitSignal(widget.runner.failed, timeout=PATIENCE):
            tab.run.run.click()
        [(severity, message)] = notifications()
        assert severity == "error" and "out of order" in message
        assert not widget.runner.running

    def test_closing_the_dock_ends_it(
        self, qtbot, viewer, widget, tab, image, gate, delete, close_dock
    ):
        tab.run.run.click()
        close_dock(widget)
        gate.open()
        threads_end(qtbot)
        assert names(viewer) == ["field"]
        delete(widget)


class TestResult:
    def test_a_second_run_replaces_its_own_layers_and_no_others(
        self, qtbot, viewer, widget, tab, image
    ):
        mine = viewer.add_labels(np.ones((48, 40), int), name="Labels (naive, 12 px) of mine")
        run(qtbot, widget)
        kept = viewer.layers["Labels (naive, 12 px)"]
        kept.opacity = 0.3
        run(qtbot, widget)
        assert results(viewer).count("Labels (naive, 12 px)") == 1
        assert viewer.layers["Labels (naive, 12 px)"].opacity == 0.3
        assert mine in viewer.layers
        viewer.layers["Labels (naive, 12 px)"].name = "precious"
        run(qtbot, widget)
        assert "precious" in viewer.layers
        assert "Labels (naive, 12 px)" in viewer.layers

    def test_edited_labels_are_never_replaced(
        self, qtbot, viewer, widget, tab, image, notifications
    ):
        run(qtbot, widget)
        edited = viewer.layers["Labels (naive, 12 px)"]
        edited.data_setitem((np.array([0, 1]), np.array([0, 0])), 77)
        tab.clusters.controls["min_size"].setValue(60)
        wait_live(qtbot, widget)
        assert edited.name == "Labels (naive, 12 px), edited"
        assert edited.data[0, 0] == 77
        assert viewer.layers["Labels (naive, 12 px)"] is not edited
        assert "kept in the hidden layer “Labels (naive, 12 px), edited”" in notifications()[-1][1]

    def test_results_are_chosen_and_viewed(self, qtbot, viewer, widget, tab, image):
        run(qtbot, widget)
        tab.stitch.switch.buttons["corrected"].click()
        run(qtbot, widget)
        assert [tab.result.choice.itemText(i) for i in range(2)] == [
            "Naive, 12 px", "Corrected, 8 px",
        ]  # fmt: skip
        assert not viewer.layers["Labels (naive, 12 px)"].visible
        tab.result.choice.setCurrentIndex(0)
        tab.result.choice.activated.emit(0)
        assert viewer.layers["Labels (naive, 12 px)"].visible
        assert not viewer.layers["Labels (corrected, 8 px)"].visible
        tab.result.view.buttons["embedding"].click()
        rest(qtbot, widget)
        assert viewer.layers["Embedding (naive, 12 px)"].visible
        assert not viewer.layers["Labels (naive, 12 px)"].visible
        assert image.visible

    def test_results_of_two_models_bear_their_names(
        self, qtbot, viewer, widget, tab, image, tmp_path
    ):
        other = save_bands(tmp_path / "other.safetensors")
        run(qtbot, widget)
        tab.model.open_model(other)
        tab.stitch.tile.setValue(12)
        run(qtbot, widget)
        assert [tab.result.choice.itemText(i) for i in range(2)] == [
            "Naive, 12 px, bands", "Naive, 12 px, other",
        ]  # fmt: skip
        assert "Labels (naive, 12 px, other)" in names(viewer)

    def test_deleting_its_labels_forgets_it(self, qtbot, viewer, widget, tab, image):
        run(qtbot, widget)
        del viewer.layers["Labels (naive, 12 px)"]
        assert tab.result.choice.count() == 0
        assert not tab.result.export.isEnabled()

    def test_colours_of_two_runs_on_one_image_can_be_compared(
        self, qtbot, viewer, widget, tab, image
    ):
        run(qtbot, widget)
        tab.result.view.buttons["embedding"].click()
        rest(qtbot, widget)
        tab.stitch.switch.buttons["whole"].click()
        run(qtbot, widget)
        widget.results.view("embedding")
        rest(qtbot, widget)
        naive = viewer.layers["Embedding (naive, 12 px)"].data
        whole = viewer.layers["Embedding (whole image)"].data
        np.testing.assert_array_equal(naive[:12], whole[:12])

    def test_colours_can_be_chosen(self, qtbot, viewer, widget, tab, image):
        run(qtbot, widget)
        first = widget.results.current.colouring
        tab.result.colours.setCurrentIndex(1)
        tab.result.colours.activated.emit(1)
        wait_live(qtbot, widget)
        assert widget.results.current.colouring is not first
        run(qtbot, widget)
        assert widget.results.current.colouring is not first

    def test_jumps_are_a_layer_of_their_own(self, qtbot, viewer, widget, tab, image):
        run(qtbot, widget)
        tab.result.jumps.click()
        wait_live(qtbot, widget)
        jumps = viewer.layers["Jumps (naive, 12 px)"]
        assert set(np.flatnonzero(jumps.data[:, 20])) >= {4, 8, 16}
        np.testing.assert_array_equal(jumps.scale, image.scale)
        tab.result.jumps.click()
        assert not jumps.visible
        tab.result.jumps.click()
        wait_live(qtbot, widget)
        assert jumps.visible
        assert sum(name.startswith("Jumps") for name in names(viewer)) == 1

    def test_an_image_without_objects_says_so(
        self, qtbot, viewer, widget, tab, image, notifications
    ):
        tab.clusters.controls["min_size"].setValue(500)
        run(qtbot, widget)
        assert tab.result.caption.text() == "No objects were found."
        assert ("info", "No objects were found.") in notifications()


class TestClustering:
    def test_the_form_starts_with_the_models_own_settings(self, tab):
        assert tab.clusters.settings == Clustering(bandwidth=2, min_size=1)
        assert tab.clusters.controls["bandwidth"].toolTip().startswith("How alike embeddings")

    def test_labels_follow_the_sliders_without_the_network(
        self, qtbot, viewer, widget, tab, image, monkeypatch
    ):
        run(qtbot, widget)
        labels = labels_of(viewer)
        assert labels.data.max() > 5
        monkeypatch.setattr(job, "segment_events", None)
        tab.clusters.controls["bandwidth"].setValue(4.9)
        tab.clusters.split.click()
        wait_live(qtbot, widget)
        assert labels.data.max() == 2
        assert labels.metadata["shiftseg"]["provenance"]["clustering"]["bandwidth"] == 4.9
        assert "2 objects" in tab.result.caption.text()

    def test_the_run_uses_them(self, qtbot, viewer, widget, tab, image):
        tab.clusters.controls["min_size"].setValue(61)
        run(qtbot, widget)
        sizes = np.bincount(labels_of(viewer).data.ravel())
        assert sizes[1:].min() > 60


def test_the_tab_correct_follows_the_layer_list(viewer, widget, image):
    first = viewer.add_labels(np.ones((48, 40), int), name="first")
    viewer.add_labels(np.ones((48, 40), int), name="second")
    viewer.layers.selection.active = first
    assert widget.correct.layers.currentText() == "first"
    viewer.layers.selection.active = image
    widget.correct.tools.buttons["merge"].click()
    assert viewer.layers.selection.active is first
    assert widget.correct.instruction.text().startswith("Click one piece")


def test_rings_go_with_what_is_mended_and_come_back_when_it_is_undone(qtbot, viewer, widget, image):
    widget.compare.rows[0].tile.setValue(14)
    with qtbot.waitSignal(widget.compare_control.runner.succeeded, timeout=PATIENCE):
        widget.compare.run.run.click()
    rest(qtbot, widget)
    rings = viewer.layers["Cut at seams (naive, 14 px)"]
    assert len(rings.data) > 1 and rings.border_color[:, 3].all()
    widget.correct.layers.choose(viewer.layers["Labels (naive, 14 px)"])
    widget.correct.mend.click()
    assert not rings.border_color[:, 3].any()
    widget.correct.undo.click()
    assert rings.border_color[:, 3].all()


def test_a_first_window_stitches_without_seams(open_dock):
    assert open_dock("Segment").segment.stitch.mode == "corrected"


def test_choices_are_remembered(widget, image, reopen):
    widget.segment.stitch.switch.buttons["blended"].click()
    widget.segment.stitch.grid.click()
    again = reopen()
    assert again.segment.stitch.mode == "blended"
    assert not again.segment.stitch.grid.isChecked()
    for damaged in (["blended"], "of a later version"):
        Remembered().keep("mode", damaged)
        assert reopen().segment.stitch.mode == "corrected"


def test_warnings_change_colour_with_the_theme(viewer, widget, image):
    dark = widget.styleSheet()
    viewer.theme = "light"
    assert widget.styleSheet() != dark


def test_every_control_says_what_it_does(widget):
    from qtpy.QtWidgets import QAbstractButton, QComboBox, QSlider

    controls = [c for kind in (QAbstractButton, QComboBox, QSlider)
                for c in widget.segment.findChildren(kind)]  # fmt: skip
    mute = [c for c in controls if not (c.toolTip() or c.parent().toolTip())]
    assert not mute
