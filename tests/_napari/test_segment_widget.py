"""What a user does with the Segment widget, through its own controls."""

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QFileDialog

from conftest import save_bands
from napari_shiftseg._napari import job
from napari_shiftseg._napari.camera import camera_of

PATIENCE = 20_000  # milliseconds


def click_and_wait(qtbot, widget, button):
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        button.click()


def names(viewer):
    return [layer.name for layer in viewer.layers]


def results(viewer):
    return [name for name in names(viewer) if "(" in name]


def cells(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def threads_end(qtbot):
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(lambda: pool.activeThreadCount() == 0, timeout=PATIENCE)


def test_without_an_image_nothing_can_run(widget):
    assert not widget.run.run.isEnabled()
    assert not widget.run.compare.isEnabled()
    assert "Open an image" in widget.stitch.sentence.text()


def test_the_card_says_what_the_model_is(widget):
    text = widget.model.card.text()
    for words in ("2-D", "period <b>8 px</b>", "context 0 px", "12 px windows: exceeds", "0.88"):
        assert words in text
    assert widget.model.warning.isHidden()


def test_combos_follow_the_layer_list(viewer, widget, image, truth):
    choice = widget.image.image
    image.name = "renamed"
    assert choice.currentText() == "renamed"
    viewer.add_image(np.zeros((9, 9)), name="other")
    assert [choice.itemText(i) for i in range(choice.count())] == ["renamed", "other"]
    assert choice.layer is image
    viewer.layers.remove(image)
    assert choice.currentText() == "other"
    assert [widget.image.truth.itemText(i) for i in range(2)] == ["none", "bands"]


@pytest.mark.parametrize("mode", ["naive", "corrected", "whole", "blended"])
def test_each_mode_runs(qtbot, viewer, widget, image, mode):
    widget.stitch.switch.buttons[mode].click()
    click_and_wait(qtbot, widget, widget.run.run)
    labels = next(layer for layer in viewer.layers if layer.name.startswith("Labels"))
    assert mode in labels.name
    assert labels.data.shape == (48, 40)
    np.testing.assert_array_equal(labels.scale, image.scale)
    assert cells(widget.result.summary)[0][0] == mode.capitalize()
    assert not widget.run.cancel.isEnabled()


def test_one_run_without_truth_says_how_to_find_cut_objects(qtbot, widget, image):
    click_and_wait(qtbot, widget, widget.run.run)
    assert "choose a ground truth" in widget.result.caption.text()
    assert widget.result.splits.isHidden()


def test_one_run_with_truth_lists_what_its_seams_cut(qtbot, widget, image, truth):
    widget.image.truth.choose(truth)
    widget.stitch.tile.setValue(6)
    click_and_wait(qtbot, widget, widget.run.run)
    [row] = cells(widget.result.summary)
    assert row[0] == "Naive" and int(row[4]) > 0
    assert widget.result.splits.rowCount() == int(row[4])


def test_comparing_circles_what_naive_seams_cut(qtbot, viewer, widget, image):
    widget.stitch.tile.setValue(14)
    click_and_wait(qtbot, widget, widget.run.compare)
    naive, corrected = cells(widget.result.summary)
    assert int(naive[4]) > 0
    assert corrected == ["Corrected", "12", "–", "–", "0"]
    rings = viewer.layers["Cut at seams (naive, 14 px)"]
    assert len(rings.data) == int(naive[4])
    np.testing.assert_array_equal(rings.scale, image.scale)
    assert "Embedding (corrected, 8 px)" in viewer.layers
    assert names(viewer)[-2:] == ["Tile grid", rings.name]


def test_clicking_a_split_takes_the_camera_there(qtbot, viewer, widget, image):
    widget.stitch.tile.setValue(14)
    click_and_wait(qtbot, widget, widget.run.compare)
    position = cells(widget.result.splits)[-1][1]
    widget.result.splits.selectRow(widget.result.splits.rowCount() - 1)
    expected = [float(v) * 0.5 for v in position.split(", ")]
    assert camera_of(viewer).center[-2:] == pytest.approx(expected, abs=0.5)
    assert camera_of(viewer).zoom >= 12


def test_a_row_of_the_summary_shows_that_result(qtbot, viewer, widget, image):
    click_and_wait(qtbot, widget, widget.run.compare)
    assert viewer.layers["Labels (naive, 12 px)"].visible
    widget.result.summary.selectRow(1)
    assert viewer.layers["Labels (corrected, 8 px)"].visible
    assert not viewer.layers["Labels (naive, 12 px)"].visible
    widget.result.view.buttons["embedding"].click()
    assert viewer.layers["Embedding (corrected, 8 px)"].visible
    assert not viewer.layers["Labels (corrected, 8 px)"].visible
    assert image.visible


def test_colours_of_two_runs_on_one_image_can_be_compared(qtbot, viewer, widget, image):
    click_and_wait(qtbot, widget, widget.run.run)
    widget.stitch.switch.buttons["whole"].click()
    click_and_wait(qtbot, widget, widget.run.run)
    naive = viewer.layers["Embedding (naive, 12 px)"].data
    whole = viewer.layers["Embedding (whole image)"].data
    np.testing.assert_array_equal(naive[:12], whole[:12])


def test_a_second_run_replaces_its_own_layers_and_no_others(qtbot, viewer, widget, image):
    mine = viewer.add_labels(np.ones((48, 40), int), name="Labels (naive, 12 px) of mine")
    click_and_wait(qtbot, widget, widget.run.run)
    kept = viewer.layers["Labels (naive, 12 px)"]
    click_and_wait(qtbot, widget, widget.run.run)
    assert results(viewer).count("Labels (naive, 12 px)") == 1
    assert kept not in viewer.layers
    assert mine in viewer.layers
    viewer.layers["Labels (naive, 12 px)"].name = "precious"
    click_and_wait(qtbot, widget, widget.run.run)
    assert "precious" in viewer.layers
    assert "Labels (naive, 12 px)" in viewer.layers


def test_progress_is_shown_tile_by_tile(qtbot, widget, image, gate):
    widget.run.run.click()
    gate.let_through(3)
    qtbot.waitUntil(lambda: widget.run.bar.text() == "Naive: tile 3 of 16", timeout=PATIENCE)
    assert widget.run.bar.value() == pytest.approx(1000 * 3 / 17, abs=1)
    assert widget.run.cancel.isEnabled()


def test_cancel_in_mid_run_leaves_nothing_behind(qtbot, viewer, widget, image, gate):
    before = names(viewer)
    widget.run.compare.click()
    gate.let_through(2)
    qtbot.waitUntil(lambda: widget.run.bar.value() > 0, timeout=PATIENCE)
    widget.run.cancel.click()
    assert not widget.runner.running and not widget.run.cancel.isEnabled()
    gate.let_through(1)  # one tile more, and the thread is gone
    threads_end(qtbot)
    assert names(viewer) == before
    assert widget.result.summary.rowCount() == 0


def test_of_two_runs_started_in_a_row_only_the_second_is_shown(qtbot, viewer, widget, image, gate):
    widget.run.run.click()
    gate.let_through(2)
    qtbot.waitUntil(lambda: widget.run.bar.value() > 0, timeout=PATIENCE)
    widget.stitch.switch.buttons["corrected"].click()
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.run.run.click()
        gate.open()
    threads_end(qtbot)
    assert results(viewer) == ["Embedding (corrected, 8 px)", "Labels (corrected, 8 px)"]
    assert len(cells(widget.result.summary)) == 1


def test_deleting_the_image_in_mid_run_cancels_with_a_word(
    qtbot, viewer, widget, image, gate, notifications
):
    widget.run.run.click()
    gate.let_through(2)
    qtbot.waitUntil(lambda: widget.run.bar.value() > 0, timeout=PATIENCE)
    viewer.layers.remove(image)
    gate.open()
    threads_end(qtbot)
    assert len(viewer.layers) == 0
    [(severity, message)] = notifications()
    assert severity == "info" and "field, was removed" in message


def test_a_volume_in_a_flat_model_is_one_notification(qtbot, viewer, widget, notifications):
    viewer.add_image(np.zeros((5, 30, 30), np.uint8), name="stack")
    assert "2 spatial axes" in widget.stitch.sentence.text()
    widget.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "(5, 30, 30)" in message
    assert not widget.runner.running


def test_pixels_that_are_no_numbers_are_one_notification(qtbot, viewer, widget, notifications):
    viewer.add_image(np.full((30, 30), np.nan, np.float32), contrast_limits=(0, 1))
    with qtbot.waitSignal(widget.runner.failed, timeout=PATIENCE):
        widget.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "not finite" in message
    assert not widget.runner.running and widget.run.run.isEnabled()


def test_truth_of_another_size_is_one_notification(qtbot, viewer, widget, image, notifications):
    widget.image.truth.choose(viewer.add_labels(np.ones((7, 7), int)))
    with qtbot.waitSignal(widget.runner.failed, timeout=PATIENCE):
        widget.run.compare.click()
    [(_, message)] = notifications()
    assert "(7, 7)" in message and "(48, 40)" in message


def test_a_defect_ends_the_run_with_a_notification(
    qtbot, widget, image, notifications, monkeypatch, caplog
):
    def broken(*arguments, **keywords):
        raise RuntimeError("out of order")
        yield

    monkeypatch.setattr(job, "segment_events", broken)
    with qtbot.waitSignal(widget.runner.failed, timeout=PATIENCE):
        widget.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "out of order" in message
    assert not widget.runner.running


def test_a_model_trained_within_its_period_warns(widget, image, tmp_path, notifications):
    widget.model.open_model(save_bands(tmp_path / "narrow.safetensors", window=8))
    assert widget.model.combo.currentText() == "narrow"
    assert not widget.model.warning.isHidden()
    [(severity, message)] = notifications()
    assert severity == "warning" and "does not exceed its period" in message


def test_opening_what_is_no_model_changes_nothing(widget, tmp_path, notifications, monkeypatch):
    path = tmp_path / "notes.safetensors"
    path.write_text("not a model")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(path), ""))
    widget.model.open_button.click()
    assert widget.model.combo.currentText() == "bands"
    [(severity, message)] = notifications()
    assert severity == "error" and "not a safetensors file" in message


def test_a_volume_runs_with_a_model_of_three_axes(qtbot, viewer, widget):
    widget.model.combo.setCurrentText("volume")
    viewer.add_image(np.zeros((14, 20, 20), np.uint8), name="stack", translate=(3, 0, 0))
    widget.stitch.tile.setValue(14)
    click_and_wait(qtbot, widget, widget.run.compare)
    labels = viewer.layers["Labels (corrected, 8 px)"]
    assert labels.data.shape == (14, 20, 20)
    np.testing.assert_array_equal(labels.translate, (3, 0, 0))
    widget.result.splits.selectRow(0)


def test_a_constant_image_without_objects_says_so(qtbot, widget, image, monkeypatch):
    from napari_shiftseg.settings import Clustering

    settings = Clustering(bandwidth=2, min_size=10**6)
    events = job.segment_events
    monkeypatch.setattr(
        job, "segment_events", lambda *a, **k: events(*a, **k | {"clustering": settings})
    )
    click_and_wait(qtbot, widget, widget.run.run)
    assert widget.result.caption.text() == "No objects were found."


def test_warnings_change_colour_with_the_theme(viewer, widget, image):
    dark = widget.styleSheet()
    viewer.theme = "light"
    assert widget.styleSheet() != dark


def test_closing_the_dock_during_a_run_ends_the_run(qtbot, viewer, widget, image, gate):
    widget.run.run.click()
    viewer.window.remove_dock_widget(widget)
    gate.open()
    threads_end(qtbot)
    assert names(viewer) == ["field"]
    with qtbot.waitSignal(widget.destroyed):
        widget.deleteLater()  # no parent does so any more
