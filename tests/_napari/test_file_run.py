"""A run that does not fit into memory: block by block into a file, and shown from there."""

from functools import partial

import dask.array as da
import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog
from window import PATIENCE

from napari_shiftseg import memory, segment
from napari_shiftseg._napari.segment import file_run
from napari_shiftseg.image.files import open_image


@pytest.fixture
def lazy(viewer, rest):
    """An image that is not in memory, in a stack of two, with a voxel size."""
    numbers = np.random.default_rng(0)
    pixels = numbers.integers(0, 250, (2, 96, 80)).astype(np.uint8)
    lazy = da.from_array(pixels, chunks=(1, 32, 32))
    layer = viewer.add_image(
        lazy,
        name="slide",
        axis_labels=("t", "y", "x"),
        scale=(2, 0.5, 0.25),
        translate=(0, 7, 9),
    )
    rest()
    return layer


@pytest.fixture
def little_memory(monkeypatch):
    """Let no run fit into memory, and blocks be small."""
    monkeypatch.setattr(memory, "free_memory", lambda: 60_000)
    small = partial(file_run.FileSettings, block_pixels=30 * 30)
    monkeypatch.setattr(file_run, "FileSettings", small)


@pytest.fixture
def into(monkeypatch):
    """Answer the dialog."""

    def answer(path):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path or ""), ""))

    return answer


@pytest.fixture
def run(qtbot, widget, rest):
    def press():
        with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
            widget.segment.run.run.click()
        rest()

    return press


@pytest.mark.parametrize("button", ["run", "plot"])
def test_what_does_not_fit_into_memory_is_not_compared(
    widget, lazy, little_memory, notifications, button
):
    tab = widget.compare
    (tab.run if button == "run" else tab.plot.run).run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "of memory" in message and "smaller region" in message
    assert not widget.compare_control.runner.running


def test_the_labels_are_those_of_a_run_in_memory(
    viewer, widget, lazy, little_memory, into, run, tmp_path, notifications
):
    path = tmp_path / "out.ome.zarr"
    into(path)
    run()
    expected = segment(np.asarray(lazy.data), widget.model.model, axes="tyx").labels
    layer = viewer.layers["Labels (out.ome.zarr)"]
    assert layer.visible
    for attribute in ("scale", "translate", "axis_labels"):
        np.testing.assert_array_equal(getattr(layer, attribute), getattr(lazy, attribute))
    opened = open_image(path)
    np.testing.assert_array_equal(np.asarray(opened.pixels), expected)
    assert opened.calibration.axes == "tyx" and opened.calibration.scale == (2, 0.5, 0.25)
    assert opened.calibration.translate == (0, 7, 9)
    assert opened.provenance["stitch"] == "corrected"
    assert ("info", f"{expected.max()} objects in {path}") in notifications()
    assert f"in the file {path.name}" in widget.segment.result.caption.text()
    assert list(tmp_path.glob("*.unfinished")) == []


def test_a_region_goes_into_a_file_too_and_lies_where_it_was_drawn(
    viewer, widget, lazy, little_memory, into, run, tmp_path
):
    path = tmp_path / "out.ome.zarr"
    into(path)
    lazy.corner_pixels = np.array([[0, 7, 6], [0, 57, 70]])
    widget.segment.image.region.buttons["screen"].click()
    run()
    layer = viewer.layers["Labels (out.ome.zarr)"]
    opened = open_image(path)
    region = (slice(7, 58), slice(6, 71))
    assert opened.provenance["region"] == [[7, 58], [6, 71]]
    whole = np.asarray(lazy.data)
    expected = segment(whole, widget.model.model, axes="tyx", region=region).labels
    np.testing.assert_array_equal(np.asarray(opened.pixels), expected)
    corner = [7 + 0.5 * region[0].start, 9 + 0.25 * region[1].start]
    np.testing.assert_allclose(layer.translate[1:], corner)
    np.testing.assert_allclose(opened.calibration.translate[1:], corner)


def test_labels_in_a_file_follow_an_image_that_is_calibrated(
    qtbot, viewer, widget, lazy, little_memory, into, run, tmp_path
):
    into(tmp_path / "out.ome.zarr")
    lazy.corner_pixels = np.array([[0, 7, 6], [0, 57, 70]])
    widget.segment.image.region.buttons["screen"].click()
    run()
    layer = viewer.layers["Labels (out.ome.zarr)"]
    first = (layer.translate - lazy.translate) / lazy.scale
    lazy.scale, lazy.translate = (2, 0.1, 0.2), (0, 1, 2)
    qtbot.waitUntil(lambda: np.allclose(layer.scale, lazy.scale), timeout=PATIENCE)
    np.testing.assert_allclose((layer.translate - lazy.translate) / lazy.scale, first)


def test_labels_in_a_file_follow_an_image_that_moved_while_the_dock_was_closed(
    qtbot, viewer, widget, lazy, little_memory, into, run, tmp_path, close_dock, delete, open_dock
):
    into(tmp_path / "out.ome.zarr")
    run()
    layer = viewer.layers["Labels (out.ome.zarr)"]
    close_dock(widget)
    delete(widget)
    lazy.translate = (0, 70, 90)
    open_dock("Segment")
    qtbot.waitUntil(lambda: np.allclose(layer.translate, lazy.translate), timeout=PATIENCE)
    lazy.translate = (0, 1, 2)
    qtbot.waitUntil(lambda: np.allclose(layer.translate, lazy.translate), timeout=PATIENCE)


def test_the_form_says_so_before(widget, lazy, little_memory):
    widget.control.resolve()
    assert "kB are not free" in widget.segment.stitch.estimate.text()


def test_nothing_runs_without_a_file(widget, lazy, little_memory, into, notifications):
    into(None)
    widget.segment.run.run.click()
    assert not widget.runner.running and notifications() == []


@pytest.mark.parametrize(
    ("mode", "button", "advice"),
    [
        ("whole", "run", "Corrected gives the same labels"),
        ("corrected", "preview", "Run goes block by block into a file"),
    ],
)
def test_what_cannot_go_block_by_block(
    widget, lazy, little_memory, into, tmp_path, notifications, mode, button, advice
):
    into(tmp_path / "out.ome.zarr")
    widget.segment.stitch.switch.buttons[mode].click()
    getattr(widget.segment.run, button).click()
    [(severity, message)] = notifications()
    assert severity == "error" and "30 kB can be had" in message and advice in message
    assert not widget.runner.running


def test_a_cancelled_run_leaves_no_file_and_goes_on_later(
    qtbot, viewer, widget, lazy, little_memory, into, say, run, gate, tmp_path, notifications
):
    path = tmp_path / "out.ome.zarr"
    into(path)
    layers = len(viewer.layers)
    widget.segment.run.run.click()
    gate.let_through(3)
    qtbot.waitUntil(lambda: "block" in widget.segment.run.bar.text(), timeout=PATIENCE)
    widget.segment.run.cancel.click()
    gate.open()
    qtbot.waitUntil(lambda: any(tmp_path.glob("*.unfinished/run.json")), timeout=PATIENCE)
    assert not path.exists() and len(viewer.layers) == layers
    [(severity, message)] = notifications()
    assert severity == "info" and "out.ome.zarr.unfinished" in message
    asked = say("No")
    widget.segment.run.run.click()
    assert not widget.runner.running
    say("Yes")
    run()
    assert len(asked) == 2 and "it goes on" in asked[0]
    assert path.exists() and "Labels (out.ome.zarr)" in viewer.layers


def test_a_file_is_replaced_only_if_one_says_so_and_shown_once(
    viewer, widget, lazy, little_memory, into, say, run, tmp_path
):
    into(tmp_path / "out")
    run()
    asked = say("No")
    widget.segment.run.run.click()
    assert not widget.runner.running
    assert asked == ["out.ome.zarr exists. Replace it?"]
    say("Yes")
    run()
    assert [layer.name for layer in viewer.layers].count("Labels (out.ome.zarr)") == 1


def test_a_folder_that_is_not_there_is_one_notification(
    qtbot, widget, lazy, little_memory, into, tmp_path, notifications
):
    into(tmp_path / "absent" / "out.ome.zarr")
    with qtbot.waitSignal(widget.runner.failed, timeout=PATIENCE):
        widget.segment.run.run.click()
    [(severity, message)] = notifications()
    assert severity == "error" and "no such folder" in message


def test_the_image_removed_in_mid_run_ends_it(
    qtbot, viewer, widget, lazy, little_memory, into, tmp_path
):
    into(tmp_path / "out.ome.zarr")
    widget.segment.run.run.click()
    viewer.layers.remove(lazy)
    assert not widget.runner.running
    assert not (tmp_path / "out.ome.zarr").exists()
