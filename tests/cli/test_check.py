"""Labels of any program: checked, repaired, and the repair undone."""

import json

import numpy as np
import pytest
import tifffile

from napari_shiftseg.image import opened, slabs
from napari_shiftseg.image.files import open_image, write_image, write_labels


@pytest.fixture
def whole():
    """Discs, none of them touching another."""
    labels = np.zeros((200, 230), np.uint16)
    rows, columns = np.indices(labels.shape)
    for number, (y, x) in enumerate(
        ((y, x) for y in range(12, 200, 24) for x in range(12, 230, 25)), start=1
    ):
        labels[(rows - y) ** 2 + (columns - x) ** 2 < 60 + number % 30] = number
    return labels


@pytest.fixture
def cut_file(whole, tmp_path):
    rows, columns = np.indices(whole.shape) // 40
    pieces = np.unique(whole * 100 + rows * 10 + columns, return_inverse=True)[1]
    labels = np.where(whole > 0, pieces.reshape(whole.shape) + 1, 0).astype(np.uint16)
    tifffile.imwrite(tmp_path / "cut.tif", labels)
    return tmp_path / "cut.tif"


def test_the_grid_is_found(shiftseg, cut_file):
    answer = shiftseg("check", cut_file)
    assert answer.code == 0
    assert "cut pairs: tiles of 40 px" in answer.out
    values = json.loads(shiftseg("check", cut_file, "--json", "-").out)
    assert values["tile"] == [40, 40]
    assert values["offset"] == [0, 0]
    assert values["p_value"] < 1e-6
    assert json.loads(shiftseg("check", cut_file, "--tile", "auto", "--json", "-").out) == values
    assert set(values["splits"][0]) == {"labels", "position", "length", "fraction", "confidence"}


def test_a_known_grid_may_differ_by_axis_and_lack_lines_on_one(shiftseg, cut_file):
    known = shiftseg("check", cut_file, "--tile", 40)
    assert "looking" not in known.err
    values = [
        json.loads(shiftseg("check", cut_file, *words, "--json", "-").out)
        for words in ((), ("--tile", 40), ("--tile", 40, 40), ("--tile", 40, 0), ("--tile", 0, 40))
    ]
    found, both, each, rows, columns = [len(v["splits"]) for v in values]
    assert found == both == each > max(rows, columns)
    assert values[3]["tile"] == [40, 0]
    moved = shiftseg("check", cut_file, "--tile", 40, 40, "--offset", 3, 5, "--json", "-")
    assert json.loads(moved.out)["offset"] == [3, 5]
    wrong = shiftseg("check", cut_file, "--tile", 40, 40, 40)
    assert wrong.code == 2 and "legal: a whole number, or 2, one for each axis" in wrong.err
    wrong = shiftseg("check", cut_file, "--tile", "auto", 40)
    assert wrong.code == 2 and "legal: auto or numbers" in wrong.err


def test_a_confidence_that_is_none_is_refused_before_the_check(shiftseg, tmp_path):
    (tmp_path / "labels.tif").write_bytes(b"not even a TIFF")
    answer = shiftseg(
        "repair", tmp_path / "labels.tif", "-o", tmp_path / "a.tif", "--confidence", 2
    )
    assert answer.code == 2 and "confidence is 2.0; legal: 0 to 1" in answer.err


def test_good_labels_have_no_grid(shiftseg, whole, tmp_path):
    tifffile.imwrite(tmp_path / "whole.tif", whole)
    answer = shiftseg("check", tmp_path / "whole.tif")
    assert "0 cut pairs: no tile grid found" in answer.out


def test_repair_and_undo(shiftseg, cut_file, whole, tmp_path):
    repaired, report, back = (tmp_path / n for n in ("mended.tif", "mended.json", "back.tif"))
    answer = shiftseg("repair", cut_file, "-o", repaired, "--json", report)
    assert "put together" in answer.out
    mended = tifffile.imread(repaired)
    assert len(np.unique(mended)) <= len(np.unique(whole)) + 3
    assert len(np.unique(tifffile.imread(cut_file))) > len(np.unique(whole)) + 20
    undone = shiftseg("repair", repaired, "-o", back, "--undo", report)
    assert undone.code == 0
    np.testing.assert_array_equal(tifffile.imread(back), tifffile.imread(cut_file))


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
@pytest.mark.parametrize("slices", [(), ("--slices",)])
def test_the_repair_of_channels_in_slices_is_undone(shiftseg, cut_file, tmp_path, suffix, slices):
    """Frames go before space: with --slices both are frames, else the channels alone."""
    cut = tifffile.imread(cut_file)
    stack = np.stack([np.stack([cut, cut[::-1]])] * 3)
    labels, mended, back = (tmp_path / f"{name}{suffix}" for name in ("labels", "mended", "back"))
    write_labels(labels, stack, axes="zcyx")
    report = tmp_path / "mended.json"
    assert shiftseg("repair", labels, "-o", mended, "--json", report, *slices).code == 0
    assert json.loads(report.read_text())["pieces"]
    answer = shiftseg("repair", mended, "-o", back, "--undo", report)
    assert answer.code == 0, answer.err
    found = open_image(back)
    order = [found.calibration.axes.index(letter) for letter in "zcyx"]
    np.testing.assert_array_equal(np.asarray(found.pixels).transpose(order), stack)


def test_the_report_of_another_repair_undoes_nothing(shiftseg, cut_file, tmp_path):
    mended, other = tmp_path / "mended.tif", tmp_path / "other.json"
    shiftseg("repair", cut_file, "-o", mended)
    words = ("repair", cut_file, "-o", tmp_path / "a.tif", "--json", other)
    assert shiftseg(*words, "--confidence", 0.9).code == 0
    wrong = shiftseg("repair", mended, "-o", tmp_path / "back.tif", "--undo", other)
    assert wrong.code == 2 and "was repaired otherwise than" in wrong.err
    assert not (tmp_path / "back.tif").exists()


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_labels_that_need_not_fit_into_memory_are_treated_the_same(
    shiftseg, cut_file, tmp_path, monkeypatch, suffix
):
    pytest.importorskip("zarr")
    labels = tmp_path / f"labels{suffix}"
    write_labels(labels, tifffile.imread(cut_file), axes="yx")

    def all_of_it(folder):
        folder.mkdir()
        mended, undone = folder / f"mended{suffix}", folder / f"undone{suffix}"
        report = folder / "repair.json"
        check = shiftseg("check", labels, "--image", labels, "--json", "-").out
        assert shiftseg("repair", labels, "-o", mended, "--json", report).code == 0
        assert shiftseg("repair", mended, "-o", undone, "--undo", report).code == 0
        values = json.loads(report.read_text())
        del values["labels"]
        return check, values, *(np.asarray(open_image(f).pixels) for f in (mended, undone))

    in_memory = all_of_it(tmp_path / "in-memory")
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    monkeypatch.setattr(slabs, "_PIXELS", 30 * 230)
    from_file = all_of_it(tmp_path / "from-file")
    assert from_file[:2] == in_memory[:2]
    for one, other in zip(from_file[2:], in_memory[2:], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(from_file[3], tifffile.imread(cut_file))


def test_nothing_is_replaced_unasked(shiftseg, cut_file, tmp_path):
    theirs = tmp_path / "theirs.tif"
    theirs.write_bytes(cut_file.read_bytes())
    answer = shiftseg("repair", cut_file, "-o", theirs)
    assert answer.code == 2
    assert "add --overwrite" in answer.err
    assert theirs.read_bytes() == cut_file.read_bytes()


def test_a_name_that_cannot_be_written_is_refused_before_any_work(shiftseg, cut_file, tmp_path):
    answer = shiftseg("repair", cut_file, "-o", tmp_path / "labels.png")
    assert answer.code == 2
    assert answer.err.startswith("shiftseg: ") and "ends in .png; legal: .tif" in answer.err


def test_a_report_of_something_else_is_refused(shiftseg, cut_file, tmp_path):
    (tmp_path / "other.json").write_text("[]")
    answer = shiftseg(
        "repair", cut_file, "-o", tmp_path / "o.tif", "--undo", tmp_path / "other.json"
    )
    assert answer.code == 2
    assert "no report of a repair" in answer.err
    assert not (tmp_path / "o.tif").exists()


class TestImage:
    @pytest.fixture
    def pieces(self, tmp_path):
        """Two pieces of which the image shows that they are two objects, and two of one."""
        labels = np.zeros((64, 64), np.uint8)
        labels[20:44, 5:25], labels[20:44, 38:58] = 1, 3
        labels[32:] += labels[32:] > 0
        tifffile.imwrite(tmp_path / "labels.tif", labels)
        return labels

    @pytest.mark.parametrize("colour", [False, True])
    def test_keeps_pieces_apart_that_are_not_equally_bright(
        self, shiftseg, pieces, tmp_path, colour
    ):
        image = np.array([5, 40, 200, 90, 95], np.uint8)[pieces]
        pixels = np.stack([image] * 3, -1) if colour else image
        tifffile.imwrite(tmp_path / "image.tif", pixels, photometric="rgb" if colour else None)
        words = (tmp_path / "labels.tif", "--tile", 32, "-o", tmp_path / "mended.tif")
        answer = shiftseg("repair", *words, "--image", tmp_path / "image.tif")
        assert "2 pieces put together to 1 object," in answer.out
        assert np.unique(tifffile.imread(tmp_path / "mended.tif")).tolist() == [0, 1, 2, 3]

    def test_of_another_shape_is_refused(self, shiftseg, pieces, tmp_path):
        tifffile.imwrite(tmp_path / "image.tif", np.zeros((64, 60), np.uint8))
        answer = shiftseg("check", tmp_path / "labels.tif", "--image", tmp_path / "image.tif")
        assert answer.code != 0
        assert "(64, 60)" in answer.err


def test_repaired_labels_still_say_how_they_were_made(shiftseg, cut_file, tmp_path):
    cut, mended, report, back = (tmp_path / n for n in ("c.tif", "m.tif", "m.json", "b.tif"))
    made = {"model": "nuclei-2d", "tile": [64, 64]}
    write_labels(cut, tifffile.imread(cut_file), axes="yx", provenance=made)
    shiftseg("repair", cut, "-o", mended, "--json", report)
    provenance = open_image(mended).provenance
    repair = provenance.pop("repair")
    assert len(repair.pop("sha256")) == 64
    assert repair == {"tile": [40, 40], "offset": [0, 0], "confidence": 0.5}
    assert provenance == made
    shiftseg("repair", mended, "-o", back, "--undo", report)
    assert open_image(back).provenance == made


def test_what_would_change_nothing_is_refused(shiftseg, cut_file, tmp_path):
    answer = shiftseg("check", cut_file, "--offset", 3)
    assert answer.code == 2 and "add --tile" in answer.err
    undo = ("repair", cut_file, "-o", tmp_path / "back.tif", "--undo", tmp_path / "report.json")
    for more in (("--tile", 40), ("--confidence", 0.9), ("--image", cut_file), ("--slices",)):
        answer = shiftseg(*undo, *more)
        assert answer.code == 2 and "leave out --tile" in answer.err


class TestSeries:
    """Frames that one grid has cut, in each of which objects are numbered from 1."""

    @pytest.fixture
    def frames(self, cut_file):
        pieces = tifffile.imread(cut_file)
        return np.stack([pieces, np.where(pieces > 30, pieces - 30, 0), pieces])

    def stored(self, frames, folder, axes):
        write_labels(folder / "series.tif", frames, axes=axes)
        return folder / "series.tif"

    def test_are_checked_together(self, shiftseg, frames, tmp_path):
        file = self.stored(frames, tmp_path, "tyx")
        answer = shiftseg("check", file)
        assert "cut pairs: tiles of 40 px (p" in answer.out and "frame 2 (" in answer.out
        values = json.loads(shiftseg("check", file, "--json", "-").out)
        assert (values["tile"], values["frames"]) == ([0, 40, 40], 1)
        known = json.loads(shiftseg("check", file, "--tile", 40, "--json", "-").out)
        assert known["splits"] == values["splits"]

    @pytest.mark.parametrize(
        ("axes", "words"), [("tyx", ()), ("zyx", ("--slices",)), ("zyx", ("--axes", "tyx"))]
    )
    def test_are_repaired_each_on_its_own_and_undone(
        self, shiftseg, frames, cut_file, tmp_path, axes, words
    ):
        file = self.stored(frames, tmp_path, axes)
        mended, one, back = (tmp_path / name for name in ("mended.tif", "one.tif", "back.tif"))
        report = tmp_path / "repair.json"
        assert shiftseg("repair", file, "-o", mended, "--json", report, *words).code == 0
        assert shiftseg("repair", cut_file, "-o", one).code == 0
        repaired = open_image(mended)
        assert repaired.calibration.axes == (words[1] if words[1:] else axes)
        assert repaired.provenance["repair"]["tile"] == [40, 40]
        for frame in (0, 2):
            np.testing.assert_array_equal(repaired.pixels[frame], tifffile.imread(one))
        assert shiftseg("repair", mended, "-o", back, "--undo", report).code == 0
        np.testing.assert_array_equal(tifffile.imread(back), frames)

    def test_of_several_axes_and_their_image(self, shiftseg, frames, tmp_path):
        labels = np.stack([frames, frames[::-1]])  # t, z, y, x
        file = self.stored(labels, tmp_path, "tzyx")
        image = np.stack([labels % 2 * 100 + 5] * 2, 2).astype(np.uint8)
        tifffile.imwrite(tmp_path / "image.tif", image, imagej=True, metadata={"axes": "TZCYX"})
        words = ("check", file, "--slices", "--json", "-")
        alone = json.loads(shiftseg(*words).out)
        values = json.loads(shiftseg(*words, "--image", tmp_path / "image.tif").out)
        assert alone["tile"] == values["tile"] == [0, 0, 40, 40]
        sure = [sum(cut["confidence"] > 0.5 for cut in v["splits"]) for v in (values, alone)]
        assert 0 < sure[0] < sure[1]


@pytest.mark.parametrize("axes", ["tc", "yy", "tx"])
def test_axes_without_a_plane_are_refused(shiftseg, cut_file, axes):
    answer = shiftseg("check", cut_file, "--axes", axes)
    assert answer.code == 2 and f"the axes are {axes}; legal: y, x and others" in answer.err


def test_an_image_in_place_of_labels_is_noticed(shiftseg, cut_file, tmp_path):
    noise = np.random.default_rng(0).normal(3000, 100, (80, 90)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "image.tif", noise)
    assert "looks like an image" in shiftseg("check", tmp_path / "image.tif", "--tile", 40).err
    words = ("sweep", tmp_path / "image.tif", "--truth", tmp_path / "image.tif", "--tile", 40)
    assert "looks like an image" in shiftseg(*words, "-m", "discs-l4", "-o", tmp_path / "s").err
    assert "looks like" not in shiftseg("check", cut_file, "--tile", 40).err


def test_a_stack_that_names_no_axes_is_said_to_be_a_volume(shiftseg, cut_file):
    frames = cut_file.with_name("frames.tif")
    frames_of_one = np.stack([tifffile.imread(cut_file)] * 3)
    tifffile.imwrite(frames, frames_of_one, photometric="minisblack")
    assert "3 planes are taken for one volume" in shiftseg("check", frames).err
    for words in (("--axes", "tyx"), ("--slices",)):
        assert "volume" not in shiftseg("check", frames, *words).err
    assert "volume" not in shiftseg("check", cut_file).err


def test_of_several_label_images_it_is_said_which_one_is_taken(shiftseg, whole, tmp_path):
    group = tmp_path / "image.ome.zarr"
    write_image(group, whole, axes="yx")
    (group / "labels").mkdir()
    for name in "ab":
        write_labels(tmp_path / f"{name}.zarr", whole, axes="yx")
        (tmp_path / f"{name}.zarr").rename(group / "labels" / name)
    (group / "labels" / ".zgroup").write_text('{"zarr_format": 2}')
    (group / "labels" / ".zattrs").write_text('{"labels": ["a", "b"]}')
    answer = shiftseg("check", group)
    assert answer.code == 0 and "has 2 images of labels" in answer.err
    assert "has 2" not in shiftseg("check", group / "labels" / "b").err


@pytest.mark.parametrize("mask", [lambda labels: labels > 0, lambda labels: (labels > 0) * 255])
def test_a_mask_is_said_to_be_no_labels(shiftseg, whole, tmp_path, mask):
    tifffile.imwrite(tmp_path / "mask.tif", mask(whole).astype(np.uint8))
    said = shiftseg("check", tmp_path / "mask.tif").err
    assert f"has one label in {whole.max()} separate parts" in said
    tifffile.imwrite(tmp_path / "labels.tif", whole)
    assert "separate parts" not in shiftseg("check", tmp_path / "labels.tif").err


def test_axes_of_one_pixel_change_nothing_and_stay(shiftseg, cut_file, tmp_path):
    """As tczyx, which OME-Zarr of other programs has for plain images."""
    labels = tifffile.imread(cut_file)
    lone = tmp_path / "lone.ome.zarr"
    write_labels(lone, labels[None, None, None], axes="tczyx")
    outputs = tmp_path / "plain.tif", tmp_path / "five.ome.zarr", tmp_path / "undone.ome.zarr"
    reports = tmp_path / "plain.json", tmp_path / "five.json"
    for file, output, report in zip((cut_file, lone), outputs, reports, strict=False):
        assert shiftseg("repair", file, "-o", output, "--json", report).code == 0
    plain, five = (json.loads(report.read_text()) for report in reports)
    assert plain["groups"] == five["groups"]
    mended = open_image(outputs[1])
    assert mended.calibration.axes == "tczyx"
    np.testing.assert_array_equal(mended.pixels[0, 0, 0], open_image(outputs[0]).pixels)
    assert shiftseg("repair", outputs[1], "-o", outputs[2], "--undo", reports[1]).code == 0
    np.testing.assert_array_equal(open_image(outputs[2]).pixels[0, 0, 0], labels)


def test_numbers_for_axes_of_one_pixel_may_be_given(shiftseg, cut_file, tmp_path):
    plane = tmp_path / "plane.tif"
    tifffile.imwrite(plane, tifffile.imread(cut_file)[None], photometric="minisblack")
    words = ("--tile", 1, 40, 40, "--offset", 0, 0, 0, "--json", "-")
    values = json.loads(shiftseg("check", plane, *words).out)
    assert values == json.loads(shiftseg("check", cut_file, "--tile", 40, "--json", "-").out)


def test_a_repair_keeps_the_order_of_axes_of_its_file(shiftseg, cut_file, tmp_path):
    labels = np.stack([tifffile.imread(cut_file)] * 3, axis=1)
    file, mended = tmp_path / "between.tif", tmp_path / "mended.tif"
    tifffile.imwrite(file, labels, metadata={"axes": "YTX"})
    assert shiftseg("repair", file, "-o", mended).code == 0
    written = open_image(mended)
    assert (written.calibration.axes, written.pixels.shape) == ("ytx", labels.shape)
    assert len(np.unique(written.pixels)) < len(np.unique(labels))


def test_an_image_is_not_taken_for_labels_in_silence(shiftseg, whole, tmp_path):
    write_image(tmp_path / "image.ome.zarr", whole, axes="yx")
    answer = shiftseg("check", tmp_path / "image.ome.zarr")
    assert "holds no labels, as it says itself" in answer.err


def test_time_points_are_no_channels_of_an_image(shiftseg, cut_file, tmp_path):
    film = np.stack([tifffile.imread(cut_file)] * 3)
    for axes, code in (("TYX", 2), ("CYX", 0)):
        image = tmp_path / f"{axes}.tif"
        tifffile.imwrite(image, film, imagej=True, metadata={"axes": axes})
        answer = shiftseg("check", cut_file, "--image", image)
        assert answer.code == code, answer.err
        assert ("choose one of t first" in answer.err) == (code == 2)
