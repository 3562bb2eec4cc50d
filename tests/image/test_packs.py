import zipfile

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.packs import read_pack

IMAGE = np.arange(30, dtype=np.uint8).reshape(5, 6)
MASK = (IMAGE > 10).astype(np.uint16)


def write_folder(folder, images=("b", "a"), masks=("b", "a"), mask=MASK):
    for kind, names, pixels in (("images", images, IMAGE), ("masks", masks, mask)):
        (folder / kind).mkdir(parents=True)
        for name in names:
            tifffile.imwrite(folder / kind / f"{name}.tif", pixels)
    return folder


def zipped(folder, prefix=""):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.*"):
            archive.write(file, prefix + str(file.relative_to(folder)))
    return path


def assert_holds_a_and_b(path):
    pairs = list(read_pack(path))
    assert [pair.name for pair in pairs] == ["a", "b"]
    for pair in pairs:
        np.testing.assert_array_equal(pair.image, IMAGE)
        np.testing.assert_array_equal(pair.mask, MASK)


def test_a_folder(tmp_path):
    assert_holds_a_and_b(write_folder(tmp_path / "pack"))


@pytest.mark.parametrize("prefix", ["", "nested/pack/"])
def test_a_zip(tmp_path, prefix):
    assert_holds_a_and_b(zipped(write_folder(tmp_path / "pack"), prefix))


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_png_files(tmp_path, form):
    pack = tmp_path / "pack"
    for kind, pixels in (("images", IMAGE), ("masks", MASK)):
        (pack / kind).mkdir(parents=True)
        for name in "ab":
            (pack / kind / f"{name}.png").write_bytes(imagecodecs.png_encode(pixels))
    assert_holds_a_and_b(pack if form == "folder" else zipped(pack))


def test_other_files_are_passed_over(tmp_path):
    pack = write_folder(tmp_path / "pack")
    (pack / "images" / "notes.txt").write_text("not an image")
    assert_holds_a_and_b(pack)


def test_what_a_mac_puts_beside_files_is_passed_over(tmp_path):
    pack = write_folder(tmp_path / "pack")
    for folder in (pack, pack / "__MACOSX"):
        for kind in ("images", "masks"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            (folder / kind / "._a.tif").write_bytes(b"\0\5\x16\7")
    assert_holds_a_and_b(pack)
    assert_holds_a_and_b(zipped(pack))


def test_a_zip_of_two_packs_is_refused(tmp_path):
    for part in ("train", "test"):
        write_folder(tmp_path / "both" / part)
    with pytest.raises(ShiftSegError, match=r"several folders images/ \(test/images, train/images"):
        list(read_pack(zipped(tmp_path / "both")))


def test_a_mask_without_an_image_is_named(tmp_path):
    pack = write_folder(tmp_path / "pack", masks=("a", "b", "c"))
    with pytest.warns(ShiftSegWarning, match=r"no TIFF or PNG called c.tif \(1 such masks"):
        assert_holds_a_and_b(pack)


def test_a_missing_mask_is_named(tmp_path):
    pack = write_folder(tmp_path / "pack", images=("a", "b", "c"), masks=("a",))
    for path in (pack, zipped(pack)):
        with pytest.raises(ShiftSegError, match=r"lacks b.tif \(2 missing in all\)"):
            list(read_pack(path))


def test_a_mask_of_another_shape_is_refused(tmp_path):
    pack = write_folder(tmp_path / "pack", mask=MASK.T)
    with pytest.raises(ShiftSegError, match=r"image of shape \(5, 6\) and a mask of \(6, 5\)"):
        list(read_pack(pack))


def test_masks_of_whole_numbers_may_be_floats(tmp_path):
    assert_holds_a_and_b(write_folder(tmp_path / "pack", mask=MASK.astype(np.float32)))
    assert next(read_pack(tmp_path / "pack")).mask.dtype == np.int64


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 1e30])
def test_masks_of_other_numbers_are_refused_by_name(tmp_path, value):
    mask = MASK.astype(np.float32)
    mask[0, 0] = value
    pack = write_folder(tmp_path / "pack", mask=mask)
    with pytest.raises(ShiftSegError, match=r"masks/a.tif holds float32 pixels that are no whole"):
        list(read_pack(pack))


def test_what_is_no_pack_is_refused(tmp_path):
    with pytest.raises(ShiftSegError, match="no such data pack"):
        list(read_pack(tmp_path / "absent"))
    with pytest.raises(ShiftSegError, match="no TIFF or PNG files in images/"):
        list(read_pack(tmp_path))
    file = tmp_path / "pack.zip"
    file.write_bytes(b"not a ZIP")
    with pytest.raises(ShiftSegError, match="is not a folder or a ZIP file"):
        list(read_pack(file))


def test_a_damaged_image_is_named(tmp_path):
    pack = write_folder(tmp_path / "pack")
    (pack / "masks" / "b.tif").write_bytes(b"II*\0 no more")
    for path in (pack, zipped(pack)):
        with pytest.raises(ShiftSegError, match=r"masks/b.tif is not a TIFF file that can be read"):
            list(read_pack(path))


def test_a_zip_of_a_later_version_is_refused(tmp_path):
    path = zipped(write_folder(tmp_path / "pack"))
    content = path.read_bytes()
    central = content.index(b"PK\1\2") + 6
    path.write_bytes(content[:central] + b"\xff" + content[central + 1 :])
    with pytest.raises(ShiftSegError, match="is not a folder or a ZIP file that can be read"):
        list(read_pack(path))


def test_a_png_of_a_palette_is_a_mask_of_its_numbers(tmp_path):
    folder = write_folder(tmp_path / "pack", images=("a",), masks=())
    picture = Image.fromarray(MASK.astype(np.uint8), mode=None)
    picture.putpalette([0, 0, 0, 250, 20, 20])
    picture.save(folder / "masks" / "a.png")
    imagecodecs.imwrite(folder / "images" / "a.png", IMAGE)
    (folder / "images" / "a.tif").unlink()
    (pair,) = read_pack(folder)
    np.testing.assert_array_equal(pair.mask, MASK)


def test_a_mask_in_colours_is_said_to_be_one(tmp_path):
    colours = np.stack([MASK, IMAGE, IMAGE], axis=-1)
    folder = write_folder(tmp_path / "pack", images=("a",), masks=("a",), mask=colours)
    with pytest.raises(ShiftSegError, match="one number for each object, not colours"):
        list(read_pack(folder))


def test_channels_may_lie_between_the_axes_of_space(tmp_path):
    volume = np.arange(7 * 2 * 5 * 6).reshape(7, 2, 5, 6).astype(np.uint16)
    folder = write_folder(tmp_path / "pack", images=(), masks=())
    tifffile.imwrite(folder / "images" / "a.tif", volume)
    tifffile.imwrite(folder / "masks" / "a.tif", volume[:, 0] > 5)
    (pair,) = read_pack(folder)
    np.testing.assert_array_equal(pair.seen_by(2, 3).image, volume.transpose(1, 0, 2, 3))
    np.testing.assert_array_equal(pair.seen_by(2, 2).image, volume)


@pytest.mark.parametrize("lone", [(0, 1), (1, 1), (1, 0), (2, 2)])
def test_one_plane_is_no_stack_of_one(tmp_path, lone):
    before = [(1,) * count for count in lone]
    folder = write_folder(tmp_path / "pack", images=(), masks=())
    for kind, pixels, axes in zip(("images", "masks"), (IMAGE, MASK), before, strict=True):
        stored = pixels.reshape(axes + pixels.shape)
        tifffile.imwrite(folder / kind / "a.tif", stored, photometric="minisblack")
    (pair,) = read_pack(folder)
    seen = pair.seen_by(1, 2)
    assert seen.mask.shape == MASK.shape and seen.image.size == IMAGE.size
    assert not Frames.of(seen.image, ndim=2, in_channels=1, axes=seen.axes).loops


def test_colours_that_lie_in_planes_come_last(tmp_path):
    folder = write_folder(tmp_path / "pack", images=(), masks=("a",))
    stored = np.stack([IMAGE, IMAGE // 2, IMAGE])
    tifffile.imwrite(
        folder / "images" / "a.tif", stored, photometric="rgb", planarconfig="separate"
    )
    (pair,) = read_pack(folder)
    np.testing.assert_array_equal(pair.image, np.moveaxis(stored, 0, -1))
    assert pair.axes == "yxs"
