"""OME-Zarr as other programs write and read it."""

import json
import sys

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image import opened
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.channel import Channel
from napari_shiftseg.image.files import open_images, refuse_unwritable, write_image
from napari_shiftseg.image.ome_zarr import holds_image, open_ome_zarr
from napari_shiftseg.image.ome_zarr_write import write_ome_zarr

PIXELS = np.random.default_rng(0).integers(0, 1000, (2, 3, 600, 520), np.uint16)
VOXELS = Calibration.of("czyx", (1, 2, 0.5, 0.5), ("pixel", *("micrometer",) * 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "image.ome.zarr"


def written(path):
    return json.loads((path / ".zattrs").read_text())


def test_it_is_version_0_4_with_axes_and_a_transformation_per_level(path):
    write_ome_zarr(path, PIXELS, axes=VOXELS)
    (multiscale,) = written(path)["multiscales"]
    assert multiscale["version"] == "0.4"
    assert multiscale["axes"] == [
        {"name": "c", "type": "channel"},
        *({"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"),
    ]
    scales = [d["coordinateTransformations"][0]["scale"] for d in multiscale["datasets"]]
    assert scales == [[1, 2, 0.5, 0.5], [1, 2, 1, 1], [1, 2, 2, 2]]
    shifts = [d["coordinateTransformations"][1]["translation"] for d in multiscale["datasets"]]
    assert shifts == [[0, 0, 0, 0], [0, 0, 0.25, 0.25], [0, 0, 0.75, 0.75]]


def test_any_zarr_library_reads_every_level(path):
    write_ome_zarr(path, PIXELS, axes=VOXELS)
    group = zarr.open_group(str(path), mode="r")
    np.testing.assert_array_equal(group["0"][:], PIXELS)
    half = PIXELS.reshape(2, 3, 300, 2, 260, 2).mean((3, 5))
    np.testing.assert_allclose(group["1"][:], half, atol=0.5)
    assert group["2"].shape == (2, 3, 150, 130)
    assert group["0"].metadata.zarr_format == 2
    assert (path / "0" / "1" / "0" / "3" / "2").is_file()


def test_levels_of_labels_hold_no_new_labels(path):
    labels = np.random.default_rng(0).choice([0, 7, 50], (301, 400)).astype(np.uint16)
    write_ome_zarr(path, labels, axes="yx", kind="labels")
    assert "image-label" in written(path)
    group = zarr.open_group(str(path), mode="r")
    np.testing.assert_array_equal(group["1"][:], labels[::2, ::2])


def test_images_are_lazy_and_channels_can_be_split(path):
    write_ome_zarr(path, PIXELS, axes=VOXELS)
    (image,) = open_ome_zarr(path)
    assert all(isinstance(level, da.Array) for level in image.levels)
    assert image.calibration == VOXELS
    first, second = image.split()
    assert first.name == "image: channel 1" and first.calibration.axes == "zyx"
    np.testing.assert_array_equal(second.pixels, PIXELS[1])
    assert second.levels[2].shape == (3, 150, 130)


def test_axes_are_put_into_the_order_of_the_standard(path):
    write_ome_zarr(path, PIXELS, axes="zcyx")
    (image,) = open_ome_zarr(path)
    assert image.calibration.axes == "czyx"
    np.testing.assert_array_equal(image.pixels, PIXELS.swapaxes(0, 1))


def test_a_lazy_image_is_written_block_by_block(path):
    lazy = da.from_array(PIXELS, chunks=(1, 5, 100, 520))
    write_ome_zarr(path, lazy, axes="czyx")
    np.testing.assert_array_equal(open_ome_zarr(path)[0].pixels, PIXELS)


def test_a_replaced_file_is_not_taken_for_the_former_one(path):
    """Caches, as napari's, tell dask arrays apart by their names."""
    names = set()
    for value in (1, 2):
        write_ome_zarr(path, np.full((30, 40), value), axes="yx")
        names.add(open_ome_zarr(path)[0].pixels.name)
    assert len(names) == 2


def test_a_zarr_array_is_written_in_another_order_of_axes(path, tmp_path):
    array = zarr.create_array(str(tmp_path / "a.zarr"), data=PIXELS)
    write_ome_zarr(path, array, axes="zcyx")
    np.testing.assert_array_equal(open_ome_zarr(path)[0].pixels, PIXELS.swapaxes(0, 1))


def test_what_an_interrupted_write_left_is_no_hindrance(path):
    for leftover in (".image.ome.zarr.part", ".image.ome.zarr.former"):
        (path.parent / leftover / "0").mkdir(parents=True)
    for value in (1, 2):
        write_ome_zarr(path, np.full((30, 40), value), axes="yx")
    assert open_ome_zarr(path)[0].pixels.max().compute() == 2
    assert list(path.parent.iterdir()) == [path]


def test_large_labels_stay_in_the_file(path, monkeypatch):
    write_ome_zarr(path, PIXELS[0], axes="zyx", kind="labels")
    assert isinstance(open_ome_zarr(path)[0].pixels, np.ndarray)
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    assert isinstance(open_ome_zarr(path)[0].pixels, da.Array)


def save_foreign(path, attributes, zarr_format=2, where=""):
    group = zarr.open_group(str(path), mode="a", zarr_format=zarr_format)
    group = group.require_group(where) if where else group
    group.create_array("full", data=np.arange(30, dtype=np.uint8).reshape(5, 6))
    group.attrs.put(attributes)


SCALE = [{"type": "scale", "scale": [4.0, 2.0]}]
HALF = [{"type": "scale", "scale": [0.5, 0.5]}, {"type": "translation", "translation": [1, 2]}]
NAMED = [{"name": a, "type": "space", "unit": "nanometer"} for a in "yx"]
DATASETS = [{"path": "full", "coordinateTransformations": SCALE}]


def test_version_0_5_is_read(path):
    multiscale = {"axes": NAMED, "datasets": DATASETS, "coordinateTransformations": HALF}
    save_foreign(path, {"ome": {"version": "0.5", "multiscales": [multiscale]}}, zarr_format=3)
    (image,) = open_ome_zarr(path)
    assert image.calibration == Calibration.of("yx", (2, 1), ("nanometer",) * 2, (1, 2))
    assert image.pixels.sum().compute() == 435


def test_what_is_null_is_not_said(path):
    axes = [{"name": axis, "type": None, "unit": None} for axis in "cyx"]
    levels = [{"path": "full", "coordinateTransformations": None}]
    multiscale = {"name": None, "axes": axes, "datasets": levels, "coordinateTransformations": None}
    channel = {"label": None, "color": "FF0000", "window": None}
    for omero in (None, {"channels": None}, {"channels": [channel]}):
        group = zarr.open_group(str(path), mode="w", zarr_format=2)
        group.create_array("full", data=np.zeros((1, 5, 6), np.uint8))
        group.attrs.put({"multiscales": [multiscale], "omero": omero, "image-label": None})
        (image,) = open_ome_zarr(path)
        assert image.calibration == Calibration.of("cyx")
        assert {found.name for found in image.channels} <= {""}
        assert image.kind == "image"


@pytest.mark.parametrize("axes", [{}, {"axes": ["y", "x"]}])
def test_old_versions_are_read(path, axes):
    save_foreign(path, {"multiscales": [{"datasets": [{"path": "full"}], **axes}]})
    assert open_ome_zarr(path)[0].calibration == Calibration.of("yx")


@pytest.mark.parametrize("attributes", [b"{", b'{"labels": ["none"]}', b'{"labels": 3}'])
def test_labels_that_are_damaged_do_not_hide_their_image(path, attributes):
    write_ome_zarr(path, PIXELS[0], axes="zyx")
    (path / "labels").mkdir()
    (path / "labels" / ".zgroup").write_text('{"zarr_format": 2}')
    (path / "labels" / ".zattrs").write_bytes(attributes)
    with pytest.warns(ShiftSegWarning, match="the image is opened without them"):
        (image,) = open_ome_zarr(path)
    assert image.kind == "image"


def test_labels_within_an_image_are_opened_too(path):
    save_foreign(path, {"multiscales": [{"axes": NAMED, "datasets": DATASETS}]})
    described = {"multiscales": [{"axes": NAMED, "datasets": DATASETS}], "image-label": {}}
    save_foreign(path, described, where="labels/nuclei")
    zarr.open_group(str(path), mode="a")["labels"].attrs.put({"labels": ["nuclei"]})
    image, labels = open_ome_zarr(path)
    assert (image.kind, labels.kind, labels.name) == ("image", "labels", "image: nuclei")


def test_the_names_of_channels_are_read(path):
    write_ome_zarr(path, PIXELS[:, 0], axes="cyx")
    attributes = written(path) | {"omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}}
    (path / ".zattrs").write_text(json.dumps(attributes))
    assert [image.name for image in open_ome_zarr(path)[0].split()] == ["DAPI", "GFP"]


@pytest.mark.parametrize(
    ("said", "colour", "shown"),
    [
        ({"color": "00FF80", "window": {"start": 5, "end": 90}}, "#00ff80", (5, 90)),
        ({"color": "FFFFFF", "window": {"start": 0, "end": 9, "min": 0, "max": 9}}, None, None),
        ({"color": "green", "window": {"start": 9, "end": 5}}, None, None),
        ({"color": 7, "window": [1, 2]}, None, None),
    ],
)
def test_colours_and_chosen_display_ranges_are_read(path, said, colour, shown):
    write_ome_zarr(path, PIXELS[:, 0], axes="cyx")
    attributes = written(path) | {"omero": {"channels": [{"label": "a"} | said]}}
    (path / ".zattrs").write_text(json.dumps(attributes))
    assert open_ome_zarr(path)[0].channels == (Channel("a", colour, shown),)


def test_what_is_no_ome_zarr_is_refused(path, tmp_path):
    with pytest.raises(ShiftSegError, match="no such file"):
        open_ome_zarr(path)
    path.mkdir()
    with pytest.raises(ShiftSegError, match="not an OME-Zarr folder"):
        open_ome_zarr(path)
    (path / ".zgroup").write_text("{")
    with pytest.raises(ShiftSegError, match="is not an OME-Zarr image that can be read"):
        open_ome_zarr(path)
    save_foreign(tmp_path / "plain.zarr", {})
    with pytest.raises(ShiftSegError, match="without an OME-Zarr image"):
        open_ome_zarr(tmp_path / "plain.zarr")


def test_a_bare_array_is_named_as_what_it_is(path):
    zarr.save(path, np.zeros((4, 4)))
    with pytest.raises(ShiftSegError, match="bare Zarr array"):
        open_ome_zarr(path)


def test_a_missing_level_is_refused(path):
    save_foreign(path, {"multiscales": [{"axes": NAMED, "datasets": [{"path": "gone"}]}]})
    with pytest.raises(ShiftSegError, match="image lacks the pixels of its level gone"):
        open_ome_zarr(path)


def test_only_zarr_groups_are_replaced(path):
    path.mkdir()
    (path / "thesis.txt").write_text("mine")
    with pytest.raises(ShiftSegError, match="a folder that is no Zarr group, and is not replaced"):
        write_ome_zarr(path, PIXELS, axes="czyx")
    assert [file.name for file in path.iterdir()] == ["thesis.txt"]
    file = path.with_name("file.zarr")
    file.write_text("mine")
    with pytest.raises(ShiftSegError, match="is a file, and is not replaced"):
        write_ome_zarr(file, PIXELS, axes="czyx")


@pytest.mark.parametrize("axes", ["qzyx", "zzyx", "tczx"])
def test_axes_that_the_standard_lacks_are_refused(path, axes):
    with pytest.raises(ShiftSegError, match=f"the axes are '{axes}'; OME-Zarr takes"):
        write_ome_zarr(path, PIXELS, axes=axes)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("package", ["zarr", "dask.array"])
def test_a_missing_package_is_named_with_its_command(path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ShiftSegError, match=r"needs .*: pip install zarr numcodecs 'dask\[array\]'"
    ):
        write_ome_zarr(path, PIXELS, axes="czyx")


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("listed", [["1", "0"], None])
@pytest.mark.parametrize("numbers", [["0"], ["0", "1"]])
def test_each_series_of_bioformats2raw_is_an_image(path, zarr_format, listed, numbers):
    for number in numbers:
        described = {"multiscales": [{"axes": NAMED, "datasets": DATASETS}]}
        save_foreign(path, described, zarr_format, where=number)
    root = zarr.open_group(str(path), mode="a", zarr_format=zarr_format)
    layout = {"bioformats2raw.layout": 3}
    root.attrs.put({"ome": layout} if zarr_format == 3 else layout)
    series = root.require_group("OME")
    if listed:
        said = {"series": listed[-len(numbers) :]}
        series.attrs.put({"ome": said} if zarr_format == 3 else said)
    images = open_ome_zarr(path)
    expected = (listed or numbers)[-len(numbers) :]
    one = ["image"]
    names = one if len(numbers) == 1 else [f"image: {key}" for key in expected]
    assert [image.name for image in images] == names
    assert all(image.calibration.scale == (4, 2) for image in images)
    assert holds_image(path) and holds_image(path / "0")
    root.attrs.update({"plate": {}})  # of hundreds of fields one is wanted
    with pytest.raises(ShiftSegError, match="name one below it, as"):
        open_ome_zarr(path)


@pytest.mark.parametrize("below", ["0", "A/1/0"])
def test_an_image_below_a_group_is_named_by_its_path(tmp_path, below):
    plate, image = tmp_path / "plate.ome.zarr", zarr.open_group(tmp_path / "plate.ome.zarr")
    for name in below.split("/")[:-1]:
        image = image.create_group(name)
    write_image(tmp_path / "image.zarr", PIXELS[0, 0], axes="yx")
    (tmp_path / "image.zarr").rename(plate / below)
    assert open_images(plate / below)[0].pixels.shape == PIXELS.shape[2:]
    with pytest.raises(ShiftSegError, match=f"name one below it, as {plate / below}"):
        open_images(plate)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_numbers_beyond_those_of_floats_stay(path, dtype):
    largest = np.iinfo(dtype).max
    pixels = np.array([[largest, largest - 1], [2**53 + 1, 0]], dtype)
    write_ome_zarr(path, pixels, axes="yx")
    np.testing.assert_array_equal(open_ome_zarr(path)[0].pixels, pixels)


def test_labels_within_an_image_are_listed_there(path):
    write_ome_zarr(path, PIXELS[0], axes="zyx")
    (path / "labels").mkdir()
    zarr.open_group(path / "labels", mode="w", zarr_format=2).attrs["labels"] = None
    for name in ("b", "a", "b"):
        write_ome_zarr(path / "labels" / name, PIXELS[0], axes="zyx", kind="labels")
    assert [found.name for found in open_ome_zarr(path)] == ["image", "image: b", "image: a"]


def test_labels_within_an_image_of_zarr_3_are_refused(path):
    described = {"multiscales": [{"axes": NAMED, "datasets": DATASETS}]}
    save_foreign(path, {"ome": described}, zarr_format=3)
    (path / "labels").mkdir()
    with pytest.raises(ShiftSegError, match="write them beside it"):
        write_ome_zarr(path / "labels" / "a", PIXELS[0], axes="zyx", kind="labels")
    with pytest.raises(ShiftSegError, match="write them beside it"):
        refuse_unwritable(path / "labels" / "a.zarr")
