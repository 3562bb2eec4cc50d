"""The Export button beside the result."""

import json

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QFileDialog, QMessageBox
from window import PATIENCE

from napari_shiftseg._napari.axis_names import loops_of
from napari_shiftseg.image.axes import Reads
from napari_shiftseg.image.files import open_image


@pytest.fixture
def widget(widget):
    """The widget with naive stitching, whose seams can be seen."""
    widget.segment.stitch.switch.choose("naive")
    return widget


@pytest.fixture
def result(qtbot, viewer, widget, image, rest):
    """A run on the field, and its labels layer."""
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()
    return viewer.layers["Labels (naive, 12 px)"]


@pytest.fixture
def export(qtbot, widget, monkeypatch):
    """Press the button and answer the dialog."""

    def press(path, kind):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), kind))
        widget.segment.result.export.click()
        qtbot.waitUntil(lambda: not widget.result_control.writing.busy, timeout=PATIENCE)

    return press


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_labels_keep_values_scale_and_provenance(export, result, tmp_path, suffix, notifications):
    result.data_setitem((np.array([5]), np.array([5])), 99)
    kind = "Labels as TIFF (*.tif)" if suffix == ".tif" else "Labels as OME-Zarr (*.ome.zarr)"
    export(tmp_path / f"out{suffix}", kind)
    opened = open_image(tmp_path / f"out{suffix}")
    np.testing.assert_array_equal(np.asarray(opened.pixels), result.data)
    assert opened.calibration.scale == (0.5, 0.5)
    assert opened.kind == "labels"
    made = opened.provenance
    assert (made["model"], made["stitch"], made["tile"]) == ("bands", "naive", [12, 12])
    assert len(made["model_sha256"]) == 64 and made["clustering"]["bandwidth"] == 2
    assert ("info", f"Written: {tmp_path / f'out{suffix}'}") in notifications()


@pytest.mark.parametrize(
    ("typed", "kind", "written"),
    [
        ("a.ome.zarr", "Labels as TIFF (*.tif)", "a.ome.zarr"),
        ("a.zarr", "Labels as OME-Zarr (*.ome.zarr)", "a.zarr"),
        ("a.tif", "Labels as OME-Zarr (*.ome.zarr)", "a.ome.zarr"),
        ("a", "Labels as OME-Zarr (*.ome.zarr)", "a.ome.zarr"),
        ("a.png", "Labels as TIFF (*.tif)", "a.tif"),
        ("a.tiff", "Labels as TIFF (*.tif)", "a.tiff"),
        ("a.TIF", "Labels as OME-Zarr (*.ome.zarr)", "a.ome.zarr"),
        ("a.ome.tif", "Embedding as OME-Zarr (*.ome.zarr)", "a.ome.zarr"),
        ("a.0.5um", "Labels as TIFF (*.tif)", "a.0.5um.tif"),
        ("a.0.5um", "Labels as OME-Zarr (*.ome.zarr)", "a.0.5um.ome.zarr"),
    ],
)
def test_a_typed_ending_and_a_chosen_kind(export, result, tmp_path, typed, kind, written):
    export(tmp_path / typed, kind)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("a.")] == [written]


def test_what_is_exported_meanwhile_is_written_too(qtbot, widget, result, tmp_path, monkeypatch):
    asked = [tmp_path / f"{number}.tif" for number in range(3)]
    names = iter(asked)
    kind = "Labels as TIFF (*.tif)"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(next(names)), kind))
    for _ in asked:
        widget.segment.result.export.click()
    qtbot.waitUntil(lambda: not widget.result_control.writing.busy, timeout=PATIENCE)
    assert all(path.is_file() for path in asked)


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_embeddings_are_exported_with_their_channels(export, widget, result, tmp_path, suffix):
    kind = "Embedding as TIFF (*.tif)" if suffix == ".tif" else "Embedding as OME-Zarr (*.ome.zarr)"
    export(tmp_path / f"out{suffix}", kind)
    opened = open_image(tmp_path / f"out{suffix}")
    embedding = widget.results.current.segmentation.prediction.embedding
    np.testing.assert_array_equal(np.asarray(opened.pixels), embedding)
    assert opened.calibration.axes == "cyx"
    assert opened.kind == "embedding"


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
@pytest.mark.parametrize(
    ("shape", "scale", "axes"),
    [
        ((1, 2, 16, 18, 20), (1, 1, 2, 0.5, 0.25), "tczyx"),
        ((16, 18, 20), (-2, 0.5, 0.25), "zyx"),
    ],
    ids=["unnamed", "mirrored"],
)
def test_volumes_are_exported_whatever_their_layer_is_like(
    qtbot, viewer, widget, export, rest, tmp_path, suffix, shape, scale, axes, notifications
):
    widget.segment.model.combo.setCurrentText("volume")
    viewer.add_image(np.zeros(shape, np.uint8), scale=scale)
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()
    kind = "Labels as TIFF (*.tif)" if suffix == ".tif" else "Labels as OME-Zarr (*.ome.zarr)"
    export(tmp_path / f"out{suffix}", kind)
    opened = open_image(tmp_path / f"out{suffix}")
    assert opened.calibration.axes == axes
    assert opened.calibration.scale == tuple(map(abs, scale))
    said = ("warning", f"Written without its mirroring: {tmp_path / f'out{suffix}'}")
    assert (said in notifications()) == (min(scale) < 0)
    np.testing.assert_array_equal(opened.pixels, widget.results.current.segmentation.labels)


@pytest.mark.parametrize(
    ("axes", "reads", "loops"),
    [
        ("tyx", Reads("yx", 1), "t"),
        ("tcyx", Reads("yx", 1), "tc"),
        ("czyx", Reads("yx", 2), "z"),
        ("zcyx", Reads("yx", 2), "z"),
        ("tczyx", Reads("zyx", 2), "t"),
        ("zyxs", Reads("yx", 1), "z"),
        ("", Reads("yx", 1), "t"),
        ("qyx", Reads("yx", 1), "q"),
    ],
)
def test_axes_that_the_network_does_not_see_keep_their_names(axes, reads, loops):
    assert loops_of(axes, reads, 1 if len(loops) == 1 else 2) == loops


def test_the_proposed_name_is_one_that_any_file_system_takes(
    export, widget, image, rest, qtbot, monkeypatch
):
    asked = []
    image.name = "a/b: channel 1, dapi"
    with qtbot.waitSignal(widget.runner.succeeded, timeout=PATIENCE):
        widget.segment.run.run.click()
    rest()
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a, **k: asked.append(a[2]) or ("", "")
    )
    widget.segment.result.export.click()
    assert asked == ["a-b-channel-1-dapi-naive-12-px.tif"]


def test_a_name_without_ending_gets_one(export, result, tmp_path):
    export(tmp_path / "bare", "Labels as TIFF (*.tif)")
    assert tifffile.imread(tmp_path / "bare.tif").shape == (48, 40)


@pytest.mark.parametrize("answer", ["Yes", "No"])
def test_a_folder_is_replaced_only_if_one_says_so(export, result, tmp_path, monkeypatch, answer):
    path = tmp_path / "out.ome.zarr"
    export(path, "Labels as OME-Zarr (*.ome.zarr)")
    result.data_setitem((np.array([5]), np.array([5])), 99)
    monkeypatch.setattr(QMessageBox, "question", lambda *a: QMessageBox.StandardButton[answer])
    export(path, "Labels as OME-Zarr (*.ome.zarr)")
    assert (np.asarray(open_image(path).pixels)[5, 5] == 99) is np.bool_(answer == "Yes")


def test_what_cannot_be_written_is_one_notification(export, result, tmp_path, notifications):
    export(tmp_path / "absent" / "out.tif", "Labels as TIFF (*.tif)")
    [message] = [text for severity, text in notifications() if severity == "error"]
    assert "no such folder" in message


def test_file_save_keeps_the_provenance_too(result, tmp_path):
    [path] = result.save(str(tmp_path / "saved.tif"), plugin="napari-shiftseg")
    made = open_image(path).provenance
    assert made["stitch"] == "naive" and json.dumps(made)


def test_the_caption_says_that_its_numbers_are_those_before_a_correction(qtbot, widget, result):
    caption = widget.segment.result.caption
    before = caption.text()
    result.data_setitem((np.array([5]), np.array([5])), 99)
    qtbot.waitUntil(lambda: "before its labels were corrected" in caption.text())
    assert caption.text().startswith(before)
