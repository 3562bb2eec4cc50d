"""Every command reads TIFF and OME-Zarr alike, with axes and voxel size."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image, write_image, write_labels

pytest.importorskip("zarr")


def calibrated(axes: str) -> Calibration:
    steps = [0.25 if axis in "zyx" else 1.0 for axis in axes]
    units = ["micrometer" if axis in "zyx" else "pixel" for axis in axes]
    return Calibration.of(axes, steps, units)


@pytest.fixture
def zarr_image(image_file, tmp_path):
    """The image of the TIFF, with a time and a channel axis of one pixel."""
    path = tmp_path / "zarr" / "cells.ome.zarr"
    path.parent.mkdir()
    write_image(path, tifffile.imread(image_file)[None, None], axes=calibrated("tcyx"))
    return path


@pytest.fixture
def zarr_truth(truth_file, tmp_path):
    path = tmp_path / "truth.ome.zarr"
    write_labels(path, tifffile.imread(truth_file)[None], axes=calibrated("tyx"))
    return path


@pytest.fixture
def stack_file(image_file, tmp_path):
    """Two time points, the second one upside down."""
    path = tmp_path / "stack.tif"
    pixels = tifffile.imread(image_file)
    tifffile.imwrite(path, np.stack([pixels, pixels[::-1]]), metadata={"axes": "TYX"}, ome=True)
    return path


def folder(path):
    path.mkdir()
    return path


def test_compare(shiftseg, image_file, truth_file, zarr_image, zarr_truth, model_file, tmp_path):
    common = ("-m", model_file, "--tile", 10, "--json", "-")
    tiff, zarr = folder(tmp_path / "a"), folder(tmp_path / "b")
    expected = shiftseg("compare", image_file, "--truth", truth_file, "-o", tiff, *common)
    answer = shiftseg("compare", zarr_image, "--truth", zarr_truth, "-o", zarr, *common)
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == json.loads(expected.out)
    assert {path.name for path in zarr.iterdir()} == {path.name for path in tiff.iterdir()}
    labels = open_image(zarr / "cells-naive.tif")
    assert np.array_equal(labels.pixels, tifffile.imread(tiff / "cells-naive.tif"))
    assert labels.calibration == calibrated("yx")


def test_compare_a_stack_frame_by_frame(shiftseg, stack_file, truth_file, model_file, tmp_path):
    out = folder(tmp_path / "out")
    answer = shiftseg("compare", stack_file, "-m", model_file, "--truth", truth_file, "-o", out)
    assert answer.code == 0, answer.err
    assert tifffile.imread(out / "stack-corrected.tif").shape == (2, 40, 50)


@pytest.mark.parametrize("axes", ["YXT", "YXC"])
@pytest.mark.parametrize("frames", [2, 3])
def test_compare_a_stack_whose_frames_lie_last(
    shiftseg, image_file, model_file, tmp_path, axes, frames
):
    stack, out = tmp_path / "stack.tif", folder(tmp_path / "out")
    pixels = np.stack([tifffile.imread(image_file)] * frames, axis=-1)
    tifffile.imwrite(stack, pixels, metadata={"axes": axes})
    answer = shiftseg("compare", stack, "-m", model_file, "-o", out)
    assert answer.code == 0, answer.err
    assert tifffile.imread(out / "stack-naive.tif").shape == (frames, 40, 50)
    assert (out / "stack-compare.png").stat().st_size > 0


def test_sweep(shiftseg, image_file, truth_file, zarr_image, zarr_truth, model_file, tmp_path):
    common = ("-m", model_file, "--tile", 10, "--tile", 12, "--json", "-")
    tiff, zarr = folder(tmp_path / "a"), folder(tmp_path / "b")
    expected = shiftseg("sweep", image_file, "--truth", truth_file, "-o", tiff, *common)
    answer = shiftseg("sweep", zarr_image, "--truth", zarr_truth, "-o", zarr, *common)
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == json.loads(expected.out)
    assert [point["tile"] for point in json.loads(answer.out)["naive"]] == [[10, 10], [12, 12]]
    assert (zarr / "cells-sweep.png").stat().st_size > 0
    assert (zarr / "cells-sweep.csv").read_text() == (tiff / "cells-sweep.csv").read_text()


def test_sweep_lists_the_files_that_it_wrote(shiftseg, image_file, model_file, tmp_path):
    out = folder(tmp_path / "out")
    answer = shiftseg("sweep", image_file, "-m", model_file, "--tile", 10, "-o", out)
    files = [str(out / "cells-sweep.png"), str(out / "cells-sweep.csv")]
    assert answer.out.splitlines()[-3:] == ["", *files]


def test_certify(shiftseg, zarr_image, model_file):
    answer = shiftseg("certify", "-m", model_file, "--image", zarr_image, "--json", "-")
    assert json.loads(answer.out)["image_size"] == [40, 50]


def test_check(shiftseg, zarr_image, tmp_path):
    labels = np.zeros((1, 64, 64), np.uint16)
    labels[:, 10:18, 12:16], labels[:, 10:18, 16:20] = 1, 2
    write_labels(tmp_path / "cut.ome.zarr", labels, axes="tyx")
    answer = shiftseg("check", tmp_path / "cut.ome.zarr", "--tile", 16, "--json", "-")
    assert json.loads(answer.out)["splits"][0]["position"] == [13.5, 16.0]


def test_check_reads_the_labels_that_segment_wrote(shiftseg, zarr_image, model_file, tmp_path):
    labels = tmp_path / "labels.ome.zarr"
    segmented = shiftseg("segment", zarr_image, "-m", model_file, "-o", labels, "--json", "-")
    checked = shiftseg("check", labels, "--tile", 8, "--json", "-")
    assert json.loads(checked.out)["objects"] == json.loads(segmented.out)["objects"]


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_a_folder_that_is_no_zarr(shiftseg, command, model_file, tmp_path):
    answer = shiftseg(
        command, folder(tmp_path / "x.zarr"), "-m", model_file, "-o", folder(tmp_path / "out")
    )
    assert answer.code == 2
    assert "not an OME-Zarr folder" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ["segment", "IMAGE", "-m", "MODEL", "-o", "IMAGE"],
        ["segment", "IMAGE", "-m", "MODEL", "-o", "FREE", "--embeddings", "IMAGE"],
        ["segment", "IMAGE", "-m", "MODEL", "-o", "FREE", "--json", "MODEL"],
        ["predict", "MODEL", "IMAGE", "-o", "IMAGE"],
        ["repair", "TRUTH", "-o", "TRUTH"],
        ["check", "TRUTH", "--json", "TRUTH"],
        ["compare", "IMAGE", "-m", "MODEL", "-o", "FOLDER", "--json", "IMAGE"],
        ["models", "MODEL", "--json", "MODEL"],
        ["certify", "-m", "MODEL", "--image", "IMAGE", "--json", "IMAGE"],
        ["audit", "MODEL", "--image", "IMAGE", "--json", "IMAGE"],
        ["sweep", "IMAGE", "-m", "MODEL", "-o", "FOLDER", "--json", "IMAGE"],
        ["batch", "FOLDER", "-m", "MODEL", "-o", "LABELS", "--json", "IMAGE"],
        ["evaluate", "-m", "MODEL", "--data", "PACK", "--json", "MASK"],
    ],
)
def test_no_output_replaces_what_is_read_even_on_request(
    shiftseg, image_file, model_file, truth_file, tmp_path, words
):
    mask = tmp_path / "pack" / "masks" / truth_file.name
    for kind, file in (("images", image_file), ("masks", truth_file)):
        (tmp_path / "pack" / kind).mkdir(parents=True)
        shutil.copy(file, tmp_path / "pack" / kind / truth_file.name)
    names = {
        "IMAGE": image_file,
        "MODEL": model_file,
        "TRUTH": truth_file,
        "MASK": mask,
        "PACK": tmp_path / "pack",
        "LABELS": tmp_path / "labels",
        "FREE": tmp_path / "free.tif",
        "FOLDER": tmp_path,
    }
    read = (image_file, model_file, truth_file, mask)
    before = [path.read_bytes() for path in read]
    outcome = shiftseg(*(names.get(word, word) for word in words), "--overwrite")
    assert outcome.code == 2 and "is or holds what is read" in outcome.err
    assert [path.read_bytes() for path in read] == before


def test_of_several_images_in_a_file_the_first_is_taken_and_that_is_said(
    shiftseg, model_file, tmp_path
):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    with tifffile.TiffWriter(tmp_path / "two.tif") as file:
        file.write(pixels, metadata=None)
        file.write(pixels[:30], metadata=None)
    labels = tmp_path / "labels.tif"
    answer = shiftseg("segment", tmp_path / "two.tif", "-m", model_file, "-o", labels)
    assert answer.code == 0
    assert tifffile.imread(labels).shape == (40, 50)
    assert "two.tif has 2 images" in answer.err and "the first one is taken" in answer.err
    assert "Warning" not in answer.err


def test_a_folder_with_the_name_of_a_model_is_no_model(shiftseg, image_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = Path("nuclei-2d") / "labels.tif"
    labels.parent.mkdir()
    labels.touch()
    assert shiftseg("segment", image_file, "-o", labels, "--overwrite").code == 0
    assert labels.stat().st_size


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["reproduce", "fig3", "--threads", "-1"], "threads is -1; legal: from 1 on"),
        (["segment", "IMAGE", "--device", "cpu:x"], "there is no device 'cpu:x' here"),
    ],
)
def test_numbers_that_are_none(shiftseg, image_file, tmp_path, words, says):
    named = [image_file if word == "IMAGE" else word for word in words]
    answer = shiftseg(*named, "-o", tmp_path / ("out" if words[0] == "reproduce" else "l.tif"))
    assert answer.code == 2 and says in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "none.tif"),
        ("sweep", "none.tif"),
        ("reproduce", "fig6"),
        ("reproduce", "--page", "page.md"),
    ],
)
def test_what_is_refused_leaves_no_folder(shiftseg, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHIFTSEG_DATA", raising=False)
    assert shiftseg(*words, "-o", "new").code == 2
    assert list(tmp_path.iterdir()) == []
