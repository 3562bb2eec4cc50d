import json

import numpy as np
import pytest
import tifffile

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.tiff import read_labels, read_tiff, smallest_label_type, write_tiff
from napari_shiftseg.image.tiff_series import open_tiff


@pytest.mark.parametrize(
    ("array", "axes"),
    [
        (np.arange(30, dtype=np.uint16).reshape(5, 6), "YX"),
        (np.arange(60, dtype=np.int32).reshape(2, 5, 6), "ZYX"),
        (np.linspace(0, 1, 60, dtype=np.float32).reshape(2, 5, 6), "CYX"),
    ],
)
def test_what_is_written_is_read(tmp_path, array, axes):
    write_tiff(tmp_path / "a.tif", array, axes=axes)
    read = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


def test_provenance_travels_with_the_pixels(tmp_path):
    write_tiff(tmp_path / "a.tif", np.zeros((5, 6), "u1"), axes="YX", provenance={"tile": [8, 8]})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        kept = file.shaped_metadata[0]["shiftseg"]
    assert json.loads(kept) == {"tile": [8, 8]}


def test_an_existing_file_is_replaced_and_nothing_else_is_left(tmp_path):
    for value in (1, 2):
        write_tiff(tmp_path / "a.tif", np.full((5, 6), value, "u1"), axes="YX")
    assert read_tiff(tmp_path / "a.tif").max() == 2
    assert [f.name for f in tmp_path.iterdir()] == ["a.tif"]


def test_a_missing_folder_is_refused_and_not_made(tmp_path):
    with pytest.raises(ShiftSegError, match="no such folder"):
        write_tiff(tmp_path / "absent" / "a.tif", np.zeros((5, 6), "u1"), axes="YX")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(tmp_path):
    (tmp_path / "a.tif").mkdir()
    with pytest.raises(ShiftSegError, match="cannot be written"):
        write_tiff(tmp_path / "a.tif", np.zeros((5, 6), "u1"), axes="YX")
    assert [f.name for f in tmp_path.iterdir()] == ["a.tif"]


def test_what_is_no_tiff_is_refused(tmp_path):
    with pytest.raises(ShiftSegError, match="no such file"):
        read_tiff(tmp_path / "absent.tif")
    with pytest.raises(ShiftSegError, match="is a folder"):
        read_tiff(tmp_path)
    for content in (b"", b"not a TIFF", b"II*\0"):
        (tmp_path / "bad.tif").write_bytes(content)
        with pytest.raises(ShiftSegError, match="not a TIFF file"):
            read_tiff(tmp_path / "bad.tif")


def test_a_truncated_tiff_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    write_tiff(path, np.random.default_rng(0).random((64, 64)), axes="YX")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ShiftSegError, match="not a TIFF file"):
        read_tiff(path)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [(np.zeros((5, 6), "f4"), "labels are integers"), (np.full((5, 6), -1, "i4"), "negative")],
)
def test_labels_are_integers_from_0_on(tmp_path, pixels, message):
    write_tiff(tmp_path / "a.tif", pixels, axes="YX")
    with pytest.raises(ShiftSegError, match=message):
        read_labels(tmp_path / "a.tif")


def test_labels_take_the_smallest_type_that_holds_them():
    assert smallest_label_type(np.array([0, 2**16 - 1])).dtype == np.uint16
    assert smallest_label_type(np.array([0, 2**16])).dtype == np.uint32
    assert smallest_label_type(np.zeros((0,), int)).dtype == np.uint16


def test_imagej_is_told_all_lengths_in_one_unit(tmp_path):
    voxels = Calibration.of("zyx", (300, 0.1, 0.1), ["nanometer", "micrometer", "micrometer"])
    write_tiff(tmp_path / "z.tif", np.zeros((4, 8, 8), np.uint8), axes=voxels)
    with tifffile.TiffFile(tmp_path / "z.tif") as file:
        told = file.pages[0].tags.getall("ImageDescription")[-1].value
    assert "spacing=0.3" in told and "unit=micron" in told


@pytest.mark.parametrize(
    ("axes", "size", "said"),
    [
        ("tczyx", (3, 1, 1), "frames=3\nhyperstack"),
        ("czyx", (1, 4), "images=4\nslices=4\n"),
        ("tczyx", (3, 2, 4), "images=24\nslices=24\n"),
    ],
    ids=["lone axes", "a lone channel", "planes in another order"],
)
def test_imagej_is_told_voxels_whatever_the_order_of_planes(tmp_path, axes, size, said):
    scale = [0.5 if axis in "yx" else 2.0 for axis in axes]
    units = ["micrometer" if axis in "zyx" else "pixel" for axis in axes]
    voxels = Calibration.of(axes, scale, units)
    pixels = np.arange(np.prod(size) * 42, dtype=np.uint16).reshape(*size, 6, 7)
    write_tiff(tmp_path / "a.tif", pixels, axes=voxels)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        told = file.pages[0].tags.getall("ImageDescription")[-1].value
        assert file.pages[0].tags.valueof("XResolution") == (2, 1)
    assert said in told and "spacing=2.0" in told and "unit=micron" in told
    (image,) = open_tiff(tmp_path / "a.tif")
    assert image.calibration == voxels
    np.testing.assert_array_equal(image.pixels, pixels)
