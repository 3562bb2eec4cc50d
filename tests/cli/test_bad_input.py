"""Bad input: one clear line on stderr, exit code 2, nothing written."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile


@pytest.fixture
def refuses(shiftseg, tmp_path):
    """Assert that a call is refused in one line that names each of the given words."""

    def call(*words: object, because: tuple[str, ...]) -> None:
        before = snapshot(tmp_path)
        answer = shiftseg(*words)
        assert answer.code == 2
        assert answer.out == ""
        assert len(answer.err.strip().splitlines()) == 1
        assert answer.err.startswith("shiftseg: ")
        for word in because:
            assert word in answer.err
        assert snapshot(tmp_path) == before

    return call


def snapshot(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns if p.is_file() else 0 for p in folder.rglob("*")}


def tiff(path: Path, pixels: np.ndarray) -> Path:
    tifffile.imwrite(path, pixels)
    return path


def test_a_missing_image(refuses, model_file, tmp_path):
    refuses(
        "segment", tmp_path / "no.tif", "-m", model_file, "-o", tmp_path / "l.tif",
        because=("no such file", "no.tif"),
    )  # fmt: skip


def test_an_image_that_is_not_a_tiff(refuses, model_file, tmp_path):
    text = tmp_path / "notes.tif"
    text.write_text("these are not pixels")
    refuses(
        "segment", text, "-m", model_file, "-o", tmp_path / "l.tif",
        because=("notes.tif", "not a TIFF"),
    )  # fmt: skip


def test_a_colour_image_for_a_model_of_one_channel(refuses, model_file, tmp_path):
    image = tiff(tmp_path / "rgb.tif", np.zeros((32, 32, 3), np.uint8))
    refuses(
        "segment", image, "-m", model_file, "-o", tmp_path / "l.tif", because=("RGB", "channel")
    )


def test_a_plane_for_a_model_of_volumes(refuses, volume_model_file, image_file, tmp_path):
    refuses(
        "segment", image_file, "-m", volume_model_file, "-o", tmp_path / "l.tif",
        because=("(40, 50)", "3 spatial axes"),
    )  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_not_finite(refuses, model_file, tmp_path, value):
    pixels = np.ones((32, 32), np.float32)
    pixels[3, 4] = value
    image = tiff(tmp_path / "holes.tif", pixels)
    refuses(
        "segment",
        image,
        "-m",
        model_file,
        "-o",
        tmp_path / "l.tif",
        because=("1 pixel is", "finite"),
    )


def test_a_corrected_tile_that_is_no_multiple_of_the_period(
    refuses, model_file, image_file, tmp_path
):
    refuses(
        "segment", image_file, "-m", model_file, "-o", tmp_path / "l.tif", "--tile", 10,
        because=("10 px", "multiple of the period", "8 or 12"),
    )  # fmt: skip


def test_a_model_that_does_not_exist(refuses, image_file, tmp_path):
    refuses(
        "segment", image_file, "-m", "nuclei-9d", "-o", tmp_path / "l.tif",
        because=("nuclei-9d", "bundled: "),
    )  # fmt: skip


def test_a_file_that_is_no_checkpoint(refuses, image_file, tmp_path):
    model = tmp_path / "model.pt"
    model.write_bytes(b"not a checkpoint")
    refuses("segment", image_file, "-m", model, "-o", tmp_path / "l.tif", because=("model.pt",))


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def test_a_pickle_with_code_in_it_is_not_run(refuses, image_file, tmp_path):
    model, trace = tmp_path / "model.pt", tmp_path / "it-ran"
    model.write_bytes(pickle.dumps(Payload(trace)))
    refuses("segment", image_file, "-m", model, "-o", tmp_path / "l.tif", because=("model.pt",))
    assert not trace.exists()


def test_an_output_folder_that_is_not_there(refuses, model_file, image_file, tmp_path):
    refuses(
        "segment", image_file, "-m", model_file, "-o", tmp_path / "no" / "l.tif",
        because=("no such folder",),
    )  # fmt: skip
    refuses(
        "compare", image_file, "-m", model_file, "-o", tmp_path / "no" / "such",
        because=("no such folder",),
    )  # fmt: skip


def test_a_model_that_is_nearly_right(refuses, image_file, tmp_path):
    refuses(
        "segment", image_file, "-m", "nuclei2d", "-o", tmp_path / "l.tif",
        because=("no model 'nuclei2d'", "did you mean nuclei-2d?", "nuclei-3d"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("segment",), ("segment needs IMAGE.", "shiftseg segment --help")),
        (("segment", "a.tif"), ("segment needs --output.",)),
        (("segment", "a.tif", "-m"), ("requires an argument", "shiftseg segment --help")),
        (("evaluate",), ("evaluate needs --data.",)),
        (("certify", "a.tif", "b.tif"), ("certify does not know what to do with 'b.tif'.",)),
        (("segmnt",), ('Did you mean "segment"?',)),
        (("predict", "-m"), ("Unknown option", "shiftseg predict --help")),
    ],
)
def test_a_command_line_that_is_not_one(refuses, words, because):
    refuses(*words, because=because)


def test_an_existing_file_stays(refuses, model_file, image_file, tmp_path):
    labels = tmp_path / "l.tif"
    labels.write_text("mine")
    refuses(
        "segment", image_file, "-m", model_file, "-o", labels, because=("exists", "--overwrite")
    )
    assert labels.read_text() == "mine"


def test_a_report_is_not_written_into_a_missing_folder(refuses, model_file, tmp_path):
    refuses(
        "certify",
        "-m",
        model_file,
        "--json",
        tmp_path / "no" / "r.json",
        because=("no such folder",),
    )


def test_truth_of_another_shape(refuses, model_file, image_file, tmp_path):
    truth = tiff(tmp_path / "truth.tif", np.ones((7, 7), np.uint16))
    refuses(
        "compare", image_file, "-m", model_file, "--truth", truth, "-o", tmp_path,
        because=("(7, 7)", "(40, 50)"),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_what_is_refused_leaves_no_folder(refuses, model_file, image_file, tmp_path, command):
    truth = tiff(tmp_path / "truth.tif", np.ones((7, 7), np.uint16))
    refuses(
        command, image_file, "-m", model_file, "--truth", truth, "-o", tmp_path / "new",
        because=("(7, 7)", "(40, 50)"),
    )  # fmt: skip


def test_labels_that_are_no_labels(refuses, tmp_path):
    image = tiff(tmp_path / "float.tif", np.ones((8, 8), np.float32))
    refuses("check", image, "--tile", 4, because=("float32", "integers"))


def test_a_bandwidth_that_is_out_of_range(refuses, model_file, image_file, tmp_path):
    refuses(
        "segment", image_file, "-m", model_file, "-o", tmp_path / "l.tif", "--bandwidth", 0,
        because=("bandwidth is 0", "nearest: 0.001"),
    )  # fmt: skip


def test_an_unknown_option_and_an_unknown_mode(refuses, model_file, image_file, tmp_path):
    labels = tmp_path / "l.tif"
    refuses("segment", image_file, "-m", model_file, "-o", labels, "--fast", because=("--fast",))
    refuses(
        "segment", image_file, "-m", model_file, "-o", labels, "--stitch", "clever",
        because=("clever", "corrected"),
    )  # fmt: skip


def test_a_device_that_is_not_here(refuses, model_file, image_file, tmp_path):
    refuses(
        "segment", image_file, "-m", model_file, "-o", tmp_path / "l.tif", "--device", "abacus",
        because=("abacus", "cpu"),
    )  # fmt: skip


def test_a_folder_that_is_no_pack(refuses, model_file, tmp_path):
    refuses("evaluate", "-m", model_file, "--data", tmp_path, because=("not a data pack",))


def test_an_image_smaller_than_a_tile_works(shiftseg, model_file, tmp_path):
    image = tiff(tmp_path / "small.tif", np.arange(15, dtype=np.uint8).reshape(3, 5))
    answer = shiftseg("segment", image, "-m", model_file, "-o", tmp_path / "l.tif")
    assert answer.code == 0
    assert tifffile.imread(tmp_path / "l.tif").shape == (3, 5)


def test_a_constant_image_gives_no_objects_and_says_so(shiftseg, tmp_path):
    image = tiff(tmp_path / "flat.tif", np.full((64, 64), 7, np.uint8))
    answer = shiftseg("segment", image, "-m", "nuclei-2d", "-o", tmp_path / "l.tif")
    assert answer.code == 0
    assert "no objects found" in answer.out
    assert not tifffile.imread(tmp_path / "l.tif").any()


def test_a_tile_size_where_there_are_no_tiles(refuses, model_file, tmp_path):
    image = tiff(tmp_path / "image.tif", np.zeros((32, 32), np.uint8))
    nothing = ("-m", model_file, "--stitch", "whole", "--tile", 8)
    refuses("segment", image, *nothing, "-o", tmp_path / "l.tif", because=("no --tile",))
    refuses("evaluate", "--data", tmp_path, *nothing, because=("no --tile",))
    refuses("certify", image, "-m", model_file, "--stitch", "whole", because=("whole", "blended"))


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("segment", "i.tif", "-o", "l.tif", "--tile", "64.5"), ("--tile is 64.5", "nearest: 64")),
        (("segment", "i.tif", "-o", "l.tif", "--min-size", "1.5"), ("--min-size is 1.5",)),
        (("check", "l.tif", "--tile", "64.5", "64"), ("--tile is 64.5",)),
        (("audit", "nuclei-2d", "--ndim", "2.7"), ("--ndim is 2.7", "nearest: 3")),
    ],
)
def test_no_number_is_rounded_without_a_word(refuses, words, because):
    refuses(*words, because=(*because, "whole numbers"))


def test_a_fraction_that_is_whole_is_one(shiftseg, model_file, image_file, tmp_path):
    words = ("--tile", "16.0", "--bandwidth", "1.5")
    assert (
        shiftseg("segment", image_file, "-m", model_file, "-o", tmp_path / "l.tif", *words).code
        == 0
    )


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("--tile", "0"), ("the tile size is 0 px", "multiple of the period", "nearest: 4")),
        (("--tile", "-8"), ("the tile size is -8 px", "nearest: 4")),
        (("--stitch", "naive", "--tile", "0"), ("the tile size is 0 px; legal: at least 1 px",)),
        (("--region", "30:5,0:9"), ("30 to 5", "begin before it ends")),
    ],
)
def test_sizes_that_are_none(refuses, model_file, image_file, tmp_path, words, because):
    refuses(
        "segment", image_file, "-m", model_file, "-o", tmp_path / "l.tif", *words, because=because
    )


def test_a_folder_of_images_is_for_batch(refuses, model_file, tmp_path):
    refuses(
        "segment", tmp_path, "-m", model_file, "-o", tmp_path / "l.tif",
        because=("is a folder", "shiftseg batch"),
    )  # fmt: skip
