"""Files dropped onto the viewer."""

import subprocess
import sys
import warnings
import zipfile

import dask.array as da
import numpy as np
import pytest
import tifffile
import torch
from napari.layers import Image

from napari_shiftseg._napari.files.model_reader import get_model_reader
from napari_shiftseg._napari.files.reader import get_tiff_reader, get_zarr_reader
from napari_shiftseg.image import opened
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import write_embedding, write_image, write_labels

PLUGIN = "napari-shiftseg"
VOXELS = Calibration.of("zyx", (2, 0.5, 0.25), ("micrometer",) * 3, (10, 20, 30))
PIXELS = np.arange(240, dtype=np.uint16).reshape(8, 5, 6)


@pytest.fixture
def open_file(viewer, tmp_path):
    """Open a file as drag-and-drop does, and return the layers that came."""

    def opened_by(name):
        return viewer.open(str(tmp_path / name), plugin=PLUGIN)

    return opened_by


def units(layer):
    return [str(unit) for unit in layer.units]


def test_lengths_have_one_unit_for_the_viewer(open_file, tmp_path):
    mixed = Calibration.of("zyx", (2, 5, 5), ("µm", "nm", "nm"), (1, 0, 0))
    write_image(tmp_path / "a.ome.tif", PIXELS, axes=mixed)
    (layer,) = open_file("a.ome.tif")
    assert units(layer) == ["nanometer"] * 3
    np.testing.assert_allclose(layer.scale, (2000, 5, 5))
    np.testing.assert_allclose(layer.translate, (1000, 0, 0))


def test_channels_of_a_hyperstack_become_layers(open_file, tmp_path):
    pixels = PIXELS.reshape(2, 2, 2, 5, 6)
    tifffile.imwrite(
        tmp_path / "cells 細胞.tif",
        pixels,
        imagej=True,
        resolution=(4, 2),
        metadata={
            "axes": "TZCYX",
            "unit": "um",
            "spacing": 2.5,
            "finterval": 30.0,
            "Labels": ["DAPI", "GFP"],
        },
    )
    first, second = open_file("cells 細胞.tif")
    assert (first.name, second.name) == ("DAPI", "GFP")
    assert (first.colormap.name, second.colormap.name) == ("magenta", "green")
    assert first.blending == second.blending == "additive"
    assert first.axis_labels == ("t", "z", "y", "x")
    np.testing.assert_array_equal(first.scale, (30, 2.5, 0.5, 0.25))
    assert units(first) == ["second", *["micrometer"] * 3]
    np.testing.assert_array_equal(second.data, pixels[:, :, 1])


def test_channels_look_as_their_file_says(open_file, tmp_path):
    green, grey = np.zeros((2, 3, 256), np.uint8)
    green[1] = grey[:] = np.arange(256)
    looks = {"LUTs": [green, grey], "Ranges": (10.0, 200.0, 0.0, 70000.0)}
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[:2], imagej=True, metadata={"axes": "CYX"} | looks)
    first, second = open_file("a.tif")
    np.testing.assert_array_equal(first.colormap.colors, [[0, 0, 0, 1], [0, 1, 0, 1]])
    assert second.colormap.name == "gray"
    assert first.blending == second.blending == "additive"
    assert (first.contrast_limits, second.contrast_limits) == ([10, 200], [0, 70000])


def test_many_channels_have_colours_of_their_own(open_file, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, metadata={"axes": "CYX"}, photometric="minisblack")
    layers = open_file("a.tif")
    assert [layer.name for layer in layers] == [f"a: channel {i}" for i in range(1, 9)]
    assert len({layer.colormap.name for layer in layers}) == 6


def test_colours_are_shown_as_colours(open_file, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6, 3), "u1"), photometric="rgb")
    (layer,) = open_file("a.tif")
    assert layer.rgb and layer.axis_labels == ("y", "x")


def test_plain_pages_have_axes_without_names(open_file, tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in PIXELS:
            file.write(page, metadata=None, contiguous=False)
    (layer,) = open_file("a.tif")
    assert layer.data.shape == (8, 5, 6)
    assert layer.axis_labels == Image(PIXELS).axis_labels
    assert layer.name == "a"


def test_a_pyramid_is_shown_at_the_resolution_of_the_screen(open_file, tmp_path):
    full = np.zeros((128, 96), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(full, subifds=1, tile=(16, 16), metadata={"axes": "YX"})
        file.write(full[::2, ::2], subfiletype=1, tile=(16, 16))
    (layer,) = open_file("a.tif")
    assert layer.multiscale and [level.shape for level in layer.data] == [(128, 96), (64, 48)]


def test_each_series_is_a_layer(open_file, tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        for name in ("left", "right"):
            file.write(PIXELS[0], metadata={"axes": "YX", "Name": name})
    assert [layer.name for layer in open_file("a.ome.tif")] == ["a: left", "a: right"]


def test_a_large_image_stays_in_its_file(open_file, tmp_path, monkeypatch):
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    write_image(tmp_path / "a.tif", PIXELS, axes=VOXELS)
    (layer,) = open_file("a.tif")
    assert isinstance(layer.data, da.Array)
    np.testing.assert_array_equal(layer.data, PIXELS)


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_our_labels_are_labels_with_their_provenance(open_file, tmp_path, suffix):
    write_labels(tmp_path / f"a{suffix}", PIXELS, axes=VOXELS, provenance={"tile": [96, 96]})
    (layer,) = open_file(f"a{suffix}")
    assert layer._type_string == "labels" and layer.editable
    assert layer.metadata["shiftseg"]["provenance"] == {"tile": [96, 96]}
    np.testing.assert_array_equal(layer.data, PIXELS)
    np.testing.assert_array_equal(layer.scale, (2, 0.5, 0.25))
    np.testing.assert_array_equal(layer.translate, (10, 20, 30))
    assert units(layer) == ["micrometer"] * 3 and layer.axis_labels == ("z", "y", "x")


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_our_embedding_is_one_layer(open_file, tmp_path, suffix):
    write_embedding(tmp_path / f"a{suffix}", PIXELS / 7, axes="cyx", provenance={"model": "m"})
    (layer,) = open_file(f"a{suffix}")
    assert layer.axis_labels == ("c", "y", "x")
    assert layer.metadata["shiftseg"]["provenance"] == {"model": "m"}


def test_a_folder_of_zarr_is_opened_lazily(open_file, tmp_path):
    write_image(tmp_path / "a.zarr", np.zeros((2, 300, 40), np.uint8), axes="cyx")
    first, second = open_file("a.zarr")
    assert first.multiscale and isinstance(first.data[0], da.Array)
    assert (first.colormap.name, second.colormap.name) == ("magenta", "green")


@pytest.mark.parametrize("content", [b"", b"not a TIFF", b"II*\0"])
def test_a_broken_file_is_one_notification_and_no_layer(
    open_file, tmp_path, notifications, content
):
    (tmp_path / "a.tif").write_bytes(content)
    assert open_file("a.tif") == []
    ((severity, message),) = notifications()
    assert severity == "error" and "a.tif is not a TIFF file" in message


def test_a_broken_zarr_is_one_notification(open_file, tmp_path, notifications):
    write_image(tmp_path / "a.zarr", np.zeros((30, 40)), axes="yx")
    (tmp_path / "a.zarr" / "0" / ".zarray").write_text("{")
    assert open_file("a.zarr") == []
    assert [severity for severity, _ in notifications()] == ["error"]


def test_opening_files_loads_neither_torch_nor_scikit_learn(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.tif", "a.zarr")]
    for path in paths:
        write_labels(path, PIXELS, axes="zyx")
    code = (
        "import sys; from napari_shiftseg._napari.files import model_reader, reader, writer;"
        f"[reader.read_images(path) for path in {paths}];"
        "print(sorted({'torch', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_readers_leave_to_others_what_is_not_theirs(tmp_path):
    for reader in (get_tiff_reader, get_zarr_reader, get_model_reader):
        assert reader(str(tmp_path / "a.png")) is None
        assert reader([str(tmp_path / f"{name}.tif") for name in "ab"]) is None
    archive(tmp_path / "other.zip", "a.txt", "images/a.tif")
    assert get_model_reader(str(tmp_path / "other.zip")) is None
    later = bytearray((tmp_path / "other.zip").read_bytes())
    later[later.index(b"PK\1\2") + 6] = 0xFF  # of a version to come
    (tmp_path / "later.zip").write_bytes(later)
    assert get_model_reader(str(tmp_path / "later.zip")) is None
    other = tmp_path / "other.zarr"
    other.mkdir()
    assert get_zarr_reader(str(other)) is None
    (other / "zarr.json").write_text('{"zarr_format": 3, "node_type": "array"}')
    assert get_zarr_reader(str(other)) is None


def test_an_image_within_a_zarr_group_is_opened_by_its_folder(viewer, tmp_path):
    write_image(tmp_path / "image.zarr", np.zeros((30, 40)), axes="yx")
    (tmp_path / "plate.zarr" / "A").mkdir(parents=True)
    (tmp_path / "image.zarr").rename(tmp_path / "plate.zarr" / "A" / "0")
    (layer,) = viewer.open(str(tmp_path / "plate.zarr" / "A" / "0"), plugin=PLUGIN)
    assert layer.data.shape == (30, 40)


def test_a_model_dropped_onto_the_viewer_opens_the_widget(qtbot, open_dock, open_file, bundled):
    path = bundled["volume"].rename(bundled["volume"].with_name("my model.safetensors"))
    assert open_file(path.name) == []
    chosen = open_dock("Segment").model.combo.currentData
    qtbot.waitUntil(lambda: chosen() == str(path))


def test_a_second_model_goes_to_the_widget_that_is_there(viewer, widget, open_file, bundled):
    open_file(bundled["volume"].name)
    assert widget.model.combo.currentText() == "volume"


@pytest.mark.parametrize("name", ["network.pt", "network.ts"])
def test_a_recorded_network_goes_to_the_audit(qtbot, open_dock, open_file, tmp_path, name):
    path = tmp_path / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out
        torch.jit.script(torch.nn.Conv2d(1, 1, 3)).save(path)
    assert open_file(name) == []
    network = open_dock("Audit model").view.network
    qtbot.waitUntil(lambda: network.asked.source == str(path))


def test_a_package_of_the_model_zoo_goes_to_the_audit(qtbot, open_dock, open_file, tmp_path):
    archive(tmp_path / "package.zip", "rdf.yaml", "weights.pt")
    assert open_file("package.zip") == []
    network = open_dock("Audit model").view.network
    qtbot.waitUntil(lambda: network.asked.source == str(tmp_path / "package.zip"))


def test_a_data_pack_goes_to_train(qtbot, open_dock, open_file, tmp_path):
    archive(tmp_path / "pack.zip", "images/a.tif", "masks/a.tif")
    assert open_file("pack.zip") == []
    data = open_dock("Train").view.data
    qtbot.waitUntil(lambda: data.pack.text() == str(tmp_path / "pack.zip"))
    assert data.kind.value == "pack"


def archive(path, *names):
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_what_is_no_model_is_a_notification(
    qtbot, viewer, open_file, tmp_path, notifications, suffix
):
    (tmp_path / f"a{suffix}").write_bytes(b"no model")
    assert open_file(f"a{suffix}") == []
    qtbot.waitUntil(lambda: [severity for severity, _ in notifications()] == ["error"])
