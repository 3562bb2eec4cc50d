"""What is written is what is read, whichever format the suffix asks for."""

import os

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_shiftseg import files
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import file_beside, write_text
from napari_shiftseg.image import tiff
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import (
    open_image,
    open_images,
    write_embedding,
    write_image,
    write_labels,
)

SUFFIXES = [".tif", ".tiff", ".TIF", ".ome.tif", ".ome.zarr", ".zarr"]
VOXELS = Calibration.of("zyx", (2, 0.5, 0.25), ("micrometer",) * 3, (10, 20, 30))
PROVENANCE = {"model": "nuclei-2d", "tile": [96, 96], "clustering": {"bandwidth": 1.5}}
LABELS = np.random.default_rng(0).integers(0, 300, (3, 40, 50))


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"Objekte 細胞 1{request.param}"


def test_labels_keep_values_place_and_provenance(path):
    write_labels(path, LABELS, axes=VOXELS, provenance=PROVENANCE)
    read = open_image(path)
    np.testing.assert_array_equal(read.pixels, LABELS)
    assert isinstance(read.pixels, np.ndarray) and read.pixels.dtype == np.uint16
    assert read.calibration == VOXELS
    assert (read.name, read.kind, read.provenance) == ("Objekte 細胞 1", "labels", PROVENANCE)


def test_labels_above_65535_are_kept(path):
    write_labels(path, LABELS + 70000, axes="zyx")
    assert open_image(path).pixels.dtype == np.uint32
    np.testing.assert_array_equal(open_image(path).pixels, LABELS + 70000)


@pytest.mark.parametrize(("shape", "axes"), [((8, 40, 50), "cyx"), ((2, 8, 5, 40, 50), "tczyx")])
def test_embeddings_keep_values_place_and_provenance(path, shape, axes):
    vectors = np.random.default_rng(0).random(shape, np.float32)
    calibration = Calibration.of(axes, (3.0, 1.0, 2.0, 0.5, 0.25)[-len(axes) :])
    write_embedding(path, vectors, axes=calibration, provenance=PROVENANCE)
    read = open_image(path)
    np.testing.assert_array_equal(read.pixels, vectors)
    assert (read.calibration, read.pixels.dtype) == (calibration, np.float32)
    assert (read.kind, read.provenance) == ("embedding", PROVENANCE)
    assert read.split() == (read,)


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_stay_colours(path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, channels), np.uint8)
    calibration = Calibration.of("yxs", (0.5, 0.25, 1), ("micrometer", "micrometer", "pixel"))
    write_image(path, pixels, axes=calibration)
    read = open_image(path)
    assert read.rgb and read.calibration == calibration
    np.testing.assert_array_equal(read.pixels, pixels)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "bool"])
def test_images_keep_their_type(path, dtype):
    pixels = np.random.default_rng(0).integers(0, 2, (40, 50)).astype(dtype)
    write_image(path, pixels, axes="yx")
    read = open_image(path)
    np.testing.assert_array_equal(read.pixels, pixels)
    assert (read.pixels.dtype, read.kind) == (pixels.dtype, "image")


def test_what_was_there_is_replaced_and_nothing_else_is_left(path):
    for value in (1, 2):
        write_labels(path, np.full((5, 6), value), axes="yx")
    assert open_image(path).pixels.max() == 2
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(path, monkeypatch):
    write_labels(path, np.ones((5, 6), int), axes="yx")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(ShiftSegError, match=r"細胞.* cannot be written: No space left"):
        write_labels(path, np.zeros((5, 6), int), axes="yx")
    monkeypatch.undo()
    assert open_image(path).pixels.min() == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_in_the_middle_leaves_nothing(path, monkeypatch):
    def half(file, *_, **__):
        file.write_bytes(b"II*\0")
        raise OSError(28, "No space left on device")

    def rows(block, block_info):
        if block_info[0]["chunk-location"][0] == 1:
            raise OSError(28, "No space left on device")
        return block

    monkeypatch.setattr(tiff.tifffile, "imwrite", half)
    pixels = da.zeros((2000, 60), chunks=(1024, 60))
    if path.suffix == ".zarr":
        pixels = pixels.map_blocks(rows, meta=pixels)
    with pytest.raises(ShiftSegError, match="cannot be written: No space left on device"):
        write_image(path, pixels, axes="yx")
    assert list(path.parent.iterdir()) == []


def test_a_missing_folder_is_refused_and_not_made(path):
    with pytest.raises(ShiftSegError, match="no such folder"):
        write_labels(path.parent / "absent" / path.name, LABELS, axes="zyx")
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be written here")
def test_a_folder_that_may_not_be_written_is_refused(path):
    path.parent.chmod(0o500)
    with pytest.raises(ShiftSegError, match="cannot be written: Permission denied"):
        write_labels(path, LABELS, axes="zyx")
    path.parent.chmod(0o700)


def test_the_wrong_number_of_axes_is_refused(path):
    with pytest.raises(ShiftSegError, match="'yx' do not name the 3 axes"):
        write_labels(path, LABELS, axes="yx")


@pytest.mark.parametrize("labels", [np.zeros((5, 6)), np.full((5, 6), -1)])
def test_what_are_no_labels_is_refused(path, labels):
    with pytest.raises(ShiftSegError, match="labels are integers, 0 for background"):
        write_labels(path, labels, axes="yx")


@pytest.mark.parametrize(("name", "given"), [("a.jpg", ".jpg"), ("a", "no suffix")])
def test_other_suffixes_are_refused(tmp_path, name, given):
    message = f"ends in {given}; legal: .tif, .tiff, .ome.zarr, .zarr"
    with pytest.raises(ShiftSegError, match=message):
        write_labels(tmp_path / name, LABELS, axes="zyx")
    with pytest.raises(ShiftSegError, match=message):
        open_images(tmp_path / name)


def test_fiji_finds_voxel_size_and_dimensions(tmp_path):
    calibration = Calibration.of("tzyx", (30, 2, 0.5, 0.25), ("s", "µm", "µm", "µm"))
    write_labels(tmp_path / "a.tif", np.ones((2, 3, 5, 6), int), axes=calibration)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        words = file.imagej_metadata
        x, y = (file.pages[0].tags[f"{axis}Resolution"].value for axis in "XY")
    assert (words["unit"], words["spacing"]) == ("micron", 2)
    assert (words["frames"], words["slices"]) == (2, 3)
    assert (words["finterval"], words["tunit"]) == (30, "second")
    assert (x[0] / x[1], y[0] / y[1]) == (4, 2)


@pytest.mark.parametrize("suffix", [".btf", ".ome.btf", ".tf8"])
def test_bigtiff_is_read_by_its_own_names(tmp_path, suffix):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    tifffile.imwrite(tmp_path / f"image{suffix}", pixels, bigtiff=True)
    assert np.array_equal(open_image(tmp_path / f"image{suffix}").levels[0], pixels)


def test_who_has_a_file_of_a_microscope_is_told_what_converts_it(tmp_path):
    with pytest.raises(ShiftSegError, match=r"ends in .czi; legal: .* with Fiji or bioformats2raw"):
        open_image(tmp_path / "a.czi")


@pytest.mark.parametrize("suffix", [".ome.tif", ".OME.TIFF"])
def test_a_file_that_is_named_an_ome_tiff_is_one(tmp_path, suffix):
    calibration = Calibration.of("tzyx", (30, 2, 0.5, 0.25), ("s", "µm", "µm", "nm"))
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        path = folder / f"labels{suffix}"
        write_labels(path, np.ones((2, 3, 5, 6), int), axes=calibration, provenance=PROVENANCE)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    with tifffile.TiffFile(path) as file:
        image = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    sizes = {name: image[name] for name in ("SizeT", "SizeZ", "SizeC", "SizeY", "SizeX", "Type")}
    assert list(sizes.values()) == [2, 3, 1, 5, 6, "uint16"]
    assert (image["TimeIncrement"], image["PhysicalSizeZ"], image["PhysicalSizeX"]) == (30, 2, 0.25)
    assert (image["PhysicalSizeYUnit"], image["PhysicalSizeXUnit"]) == ("µm", "nm")


def test_what_ome_has_no_words_for_is_kept_all_the_same(tmp_path):
    for array, axes in ((np.ones((3, 5, 6)), "qyx"), (np.ones((5, 6), np.int64), "yx")):
        write_image(tmp_path / "a.ome.tif", array, axes=axes)
        read = open_image(tmp_path / "a.ome.tif")
        assert (read.calibration.axes, read.pixels.dtype) == (axes, array.dtype)


def test_an_integer_tiff_of_an_older_version_with_provenance_is_labels(tmp_path):
    described = {"axes": "YX", "shiftseg": '{"tile": [96, 96]}'}
    for dtype, kind in ((np.uint16, "labels"), (np.float32, "image")):
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6), dtype), metadata=described)
        read = open_image(tmp_path / "a.tif")
        assert (read.kind, read.provenance) == (kind, {"tile": [96, 96]})


@pytest.mark.parametrize("kept", ["not JSON", "[1, 2]"])
def test_a_provenance_that_is_damaged_is_none(tmp_path, kept):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6), "u1"), metadata={"shiftseg": kept})
    read = open_image(tmp_path / "a.tif")
    assert (read.kind, read.provenance) == ("image", {})


def test_a_new_file_may_be_read_by_whom_other_new_files_may(tmp_path):
    """Whatever the library that writes it thinks."""
    (tmp_path / "usual").touch()
    with file_beside(tmp_path / "new") as partial:
        partial.touch(0o600)
        partial.write_text("new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "new").chmod(0o640)
    write_text(tmp_path / "new", "again")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ShiftSegError, match="is a device"):
        write_text(tmp_path / "pipe", "text")
    assert (tmp_path / "pipe").is_fifo()
