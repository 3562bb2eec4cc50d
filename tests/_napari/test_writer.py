"""File ▸ Save, and what is read back."""

import dask.array as da
import npe2
import numpy as np
import pytest

from napari_shiftseg.image.files import open_image

PLUGIN = "napari-shiftseg"
LABELS = np.random.default_rng(0).integers(0, 300, (3, 40, 50))
PLACE = {
    "scale": (2, 0.5, 0.25),
    "translate": (1, 2, 3),
    "units": ("um",) * 3,
    "axis_labels": ("z", "y", "x"),
}


@pytest.fixture(params=[".tif", ".ome.zarr"])
def path(request, tmp_path):
    return str(tmp_path / f"saved 細胞{request.param}")


def test_napari_offers_each_suffix(viewer):
    manager = npe2.PluginManager.instance()
    for kind in ("labels", "image"):
        for name in ("a.tif", "a.tiff", "a.ome.zarr", "a.zarr"):
            writer, target = manager.get_writer(name, [kind], PLUGIN)
            assert (writer.plugin_name, target) == (PLUGIN, name)


def test_labels_keep_values_place_and_provenance(viewer, path):
    metadata = {"shiftseg": {"mode": "naive", "provenance": {"tile": [96, 96]}}}
    layer = viewer.add_labels(LABELS, metadata=metadata, **PLACE)
    assert layer.save(path, plugin=PLUGIN) == [path]
    read = open_image(path)
    np.testing.assert_array_equal(read.pixels, LABELS)
    assert (read.kind, read.provenance) == ("labels", {"tile": [96, 96]})
    assert read.calibration.axes == "zyx"
    assert read.calibration.scale == (2, 0.5, 0.25)
    assert read.calibration.translate == (1, 2, 3)
    assert read.calibration.units == ("micrometer",) * 3


def test_what_is_saved_is_opened_the_same(viewer, path):
    layer = viewer.add_labels(LABELS, **PLACE)
    layer.save(path, plugin=PLUGIN)
    (again,) = viewer.open(path, plugin=PLUGIN)
    assert again._type_string == "labels"
    np.testing.assert_array_equal(again.data, layer.data)
    np.testing.assert_array_equal(again.scale, layer.scale)
    assert (again.units, again.axis_labels) == (layer.units, layer.axis_labels)


def test_colours_are_saved_as_colours(viewer, path):
    pixels = np.random.default_rng(0).random((40, 50, 3), np.float32)
    viewer.add_image(pixels, rgb=True, scale=(0.5, 0.25)).save(path, plugin=PLUGIN)
    (again,) = viewer.open(path, plugin=PLUGIN)
    assert again.rgb
    np.testing.assert_array_equal(again.data[0] if again.multiscale else again.data, pixels)
    np.testing.assert_array_equal(again.scale, (0.5, 0.25))


@pytest.mark.parametrize(
    ("shape", "axes"), [((40, 50), "yx"), ((3, 40, 50), "zyx"), ((2, 3, 40, 50), "tzyx")]
)
def test_axes_without_names_are_the_usual_ones(viewer, path, shape, axes):
    viewer.add_image(np.zeros(shape, np.uint8)).save(path, plugin=PLUGIN)
    assert open_image(path).calibration.axes == axes


@pytest.mark.parametrize(("period", "axes"), [([8, 8], "tyx"), ([8, 8, 8], "zyx"), (8, "zyx")])
def test_axes_of_labels_without_names_are_those_of_their_model(viewer, path, period, axes):
    metadata = {"shiftseg": {"provenance": {"period": period}}}
    viewer.add_labels(LABELS, metadata=metadata).save(path, plugin=PLUGIN)
    assert open_image(path).calibration.axes == axes


def test_names_of_axes_in_words_are_understood(viewer, path):
    viewer.add_labels(LABELS, axis_labels=("Time", "y", "x")).save(path, plugin=PLUGIN)
    assert open_image(path).calibration.axes == "tyx"


@pytest.mark.parametrize("edit", [True, False])
def test_labels_that_were_opened_and_edited_say_so(viewer, path, tmp_path, edit):
    metadata = {"shiftseg": {"provenance": {"tile": [96, 96]}}}
    viewer.add_labels(LABELS, metadata=metadata).save(path, plugin=PLUGIN)
    (again,) = viewer.open(path, plugin=PLUGIN)
    if edit:
        again.data_setitem((np.array([0]), np.array([0]), np.array([0])), 999)
    again.save(str(tmp_path / "again.tif"), plugin=PLUGIN)
    assert open_image(tmp_path / "again.tif").provenance.get("edited", False) is edit


@pytest.mark.parametrize(
    ("place", "lost"),
    [({"rotate": 30}, "rotate"), ({"scale": (-2, 1)}, "mirroring"), ({"shear": [1]}, "shear")],
)
def test_what_is_lost_of_a_place_is_said(viewer, path, notifications, place, lost):
    layer = viewer.add_labels(LABELS[0], name="askew", **place)
    layer.save(path, plugin=PLUGIN)
    assert ("warning", f"askew: saved without its {lost}") in notifications()
    np.testing.assert_array_equal(open_image(path).pixels, LABELS[0])
    assert open_image(path).calibration.scale == (abs(layer.scale[0]), 1)


def test_a_pyramid_is_saved_at_full_resolution(viewer, path):
    full = da.random.default_rng(0).integers(0, 255, (80, 100), dtype=np.uint8).persist()
    viewer.add_image([full, full[::2, ::2]], multiscale=True).save(path, plugin=PLUGIN)
    np.testing.assert_array_equal(open_image(path).pixels, full)


def test_all_layers_of_the_selection_can_be_saved_one_by_one(viewer, tmp_path):
    viewer.add_labels(LABELS, name="one")
    viewer.layers.save(str(tmp_path / "one.tif"), plugin=PLUGIN)
    assert (tmp_path / "one.tif").is_file()


def test_what_cannot_be_saved_is_said_and_not_passed_over(viewer, path, tmp_path):
    layer = viewer.add_labels(LABELS)
    with pytest.raises(OSError, match="no such folder"):
        layer.save(str(tmp_path / "absent" / "a.tif"), plugin=PLUGIN)


def test_a_folder_of_the_users_is_not_replaced(viewer, tmp_path):
    (tmp_path / "data.zarr").mkdir()
    (tmp_path / "data.zarr" / "thesis.txt").write_text("mine")
    layer = viewer.add_labels(LABELS)
    with pytest.raises(OSError, match="is not replaced"):
        layer.save(str(tmp_path / "data.zarr"), plugin=PLUGIN)
    assert (tmp_path / "data.zarr" / "thesis.txt").read_text() == "mine"
