from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_shiftseg import __version__
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.commands import COMMANDS, register
from napari_shiftseg.image.files import open_image, write_image

EVERY = (*COMMANDS, "repair")


def test_the_version_is_the_packages(shiftseg):
    assert shiftseg("--version").out.strip() == __version__


def explained(command: str) -> dict[str, str | None]:
    """The options of a command, and what its help says of them."""
    register()
    options = app[command].assemble_argument_collection(parse_docstring=True)
    return {option.name: option.parameter.help for option in options if option.name != "*"}


@pytest.mark.parametrize("command", EVERY)
def test_every_command_explains_each_of_its_options(shiftseg, command):
    assert shiftseg(command, "--help").code == 0
    assert [name for name, text in explained(command).items() if not text] == []


@pytest.mark.parametrize("command", [name for name in EVERY if name not in ("train", "average")])
def test_options_of_the_same_name_are_explained_alike(command):
    common = ("--device", "--json", "--model", "--bandwidth", "--overwrite")
    own = {"--bandwidth"} if command == "predict" else set()  # a foreign network recommends none
    shared = {k: v for k, v in explained(command).items() if k in common and k not in own}
    assert shared.items() <= explained("segment").items()


def test_python_dash_m_is_the_same_command():
    answer = subprocess.run(
        [sys.executable, "-m", "napari_shiftseg", "--version"], capture_output=True, text=True
    )
    assert (answer.returncode, answer.stdout.strip()) == (0, __version__)


def test_segment_writes_labels_with_their_provenance(shiftseg, image_file, model_file, tmp_path):
    labels = tmp_path / "labels.tif"
    answer = shiftseg("segment", image_file, "-m", model_file, "-o", labels, "--tile", 12)
    assert answer.code == 0
    assert "none of the" in answer.out
    with tifffile.TiffFile(labels) as file:
        assert file.asarray().shape == (40, 50)
        assert file.asarray().dtype == np.uint16
        provenance = json.loads(file.shaped_metadata[0]["shiftseg"])
    assert provenance["tile"] == [12, 12]
    assert provenance["stitch"] == "corrected"
    assert len(provenance["model_sha256"]) == 64


def test_segment_in_bfloat16_says_so_in_the_labels(shiftseg, image_file, model_file, tmp_path):
    labels = tmp_path / "labels.tif"
    done = shiftseg(
        "segment", image_file, "-m", model_file, "-o", labels, "--precision", "bfloat16"
    )
    assert done.code == 0
    assert open_image(labels).provenance["precision"] == "bfloat16"


def test_segment_writes_embeddings_channels_first(shiftseg, image_file, model_file, tmp_path):
    vectors = tmp_path / "embeddings.tif"
    shiftseg(
        "segment", image_file, "-m", model_file, "-o", tmp_path / "l.tif", "--embeddings", vectors
    )
    assert tifffile.imread(vectors).shape == (2, 40, 50)


@pytest.mark.parametrize("stitch", ["naive", "corrected", "whole", "blended"])
def test_segment_offers_every_stitch_mode(shiftseg, image_file, model_file, tmp_path, stitch):
    labels = tmp_path / f"{stitch}.tif"
    answer = shiftseg("segment", image_file, "-m", model_file, "-o", labels, "--stitch", stitch)
    assert answer.code == 0
    assert labels.exists()


def test_compare_writes_labels_picture_and_report(
    shiftseg, image_file, truth_file, model_file, tmp_path
):
    folder = tmp_path / "out"
    answer = shiftseg(
        "compare", image_file, "-m", model_file, "--truth", truth_file, "-o", folder,
        "--tile", 10, "--json", folder / "report.json",
    )  # fmt: skip
    assert answer.code == 0
    written = {path.name for path in folder.iterdir()}
    assert written == {
        "cells-naive.tif",
        "cells-corrected.tif",
        "cells-compare.png",
        "report.json",
    }
    values = json.loads((folder / "report.json").read_text())
    assert values["period"] == [4, 4]
    assert values["context"] == [40, 40]
    assert values["modes"]["naive"]["tile"] == [10, 10]
    assert values["modes"]["corrected"]["tile"] == [8, 8]
    keys = {"objects", "false_splits", "false_merges", "seam_splits", "ap50"}
    assert all(keys <= mode.keys() for mode in values["modes"].values())


def test_compare_without_truth_leaves_open_what_needs_it(
    shiftseg, image_file, model_file, tmp_path
):
    answer = shiftseg("compare", image_file, "-m", model_file, "-o", tmp_path, "--json", "-")
    naive = json.loads(answer.out)["modes"]["naive"]
    assert naive["ap50"] is None
    assert naive["false_splits"] is None


def test_compare_scores_where_the_truth_is_known(
    shiftseg, image_file, model_file, truth_file, tmp_path
):
    truth = tifffile.imread(truth_file).astype(np.int32)
    truth[:20] = -1
    tifffile.imwrite(tmp_path / "part.tif", truth)
    words = ("compare", image_file, "-m", model_file, "-o", tmp_path, "--json", "-")
    answer = shiftseg(*words, "--truth", tmp_path / "part.tif")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["modes"]["naive"]["ap50"] is not None


@pytest.fixture
def pack(image_file, truth_file, tmp_path):
    path = tmp_path / "pack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.tif", "b.tif"):
            archive.write(image_file, f"images/{name}")
            archive.write(truth_file, f"masks/{name}")
    return path


def test_evaluate_pools_a_pack(shiftseg, pack, model_file):
    answer = shiftseg("evaluate", "-m", model_file, "--data", pack, "--json", "-")
    values = json.loads(answer.out)
    assert values["images"] == 2
    assert values["true_objects"] == 4
    assert list(values["ap"]) == ["0.5", "0.6", "0.7", "0.8", "0.9"]
    expected = {"false_splits", "false_merges", "seam_splits", "seam_jump_ratio", "objects"}
    assert expected <= values.keys()
    low, high = values["ap_interval"]["0.5"]
    assert low <= values["ap"]["0.5"] <= high
    assert "baseline" not in values


def test_evaluate_puts_the_baseline_beside_the_model(shiftseg, pack, model_file, tmp_path):
    words = ("evaluate", "-m", model_file, "--data", pack, "--baseline")
    scores = tmp_path / "scores.json"
    lines = shiftseg(*words, "--json", scores).out.splitlines()
    assert lines[0].split() == ["model", "baseline"]
    assert next(line for line in lines if line.startswith("objects / true")).count("/ 4") == 2
    assert next(line for line in lines if line.startswith("caused by seams")).endswith("–")
    baseline = json.loads(scores.read_text())["baseline"]
    assert baseline["true_objects"] == 4
    assert len(baseline["mean_ap_interval"]) == 2


def test_certify_finds_corrected_stitching_equal_and_naive_not(shiftseg, model_file):
    corrected = json.loads(shiftseg("certify", "-m", model_file, "--json", "-").out)
    naive = json.loads(
        shiftseg("certify", "-m", model_file, "--stitch", "naive", "--tile", 10, "--json", "-").out
    )
    assert corrected["equal"] is True
    assert corrected["relative_difference"] <= 1e-5
    assert naive["equal"] is False
    assert naive["max_abs_difference"] > 1e-3


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--stitch", "naive", "--tile", 10), 3)])
def test_certify_that_is_strict_ends_with_a_code_of_its_own(shiftseg, model_file, words, code):
    assert shiftseg("certify", "-m", model_file, *words, "--strict").code == code
    assert shiftseg("certify", "-m", model_file, *words).code == 0


def test_check_names_the_labels_that_a_grid_cut(shiftseg, tmp_path):
    labels = np.zeros((64, 64), np.uint16)
    for number, (y, x) in enumerate([(10, 12), (40, 11), (30, 40)]):
        labels[y : y + 8, x : x + 8] = 2 * number + 1
        labels[y : y + 8, 16 if x < 16 else 99 : x + 8] = 2 * number + 2
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, labels)
    values = json.loads(shiftseg("check", path, "--tile", 16, "--json", "-").out)
    assert [split["labels"] for split in values["splits"]] == [[1, 2], [3, 4]]
    assert values["splits"][0]["position"] == [13.5, 16.0]
    assert values["objects"] == 5
    assert values["p_value"] == 1 / 16


def test_segment_a_region_alone(shiftseg, image_file, model_file, tmp_path):
    labels = tmp_path / "labels.tif"
    words = ("segment", image_file, "-m", model_file, "-o", labels, "--region")
    assert "legal: START:STOP for each axis" in shiftseg(*words, "3-20,8:31").err
    assert "must lie inside of the image" in shiftseg(*words, "3:999,8:31").err
    assert not labels.exists()
    assert shiftseg(*words, "3:20,8:").code == 0
    opened = open_image(labels)
    assert opened.pixels.shape == (17, tifffile.imread(image_file).shape[1] - 8)


def test_models_lists_the_bundled_ones_and_shows_a_card(shiftseg, model_file):
    listed = shiftseg("models").out.splitlines()
    assert listed[0].startswith("nuclei-2d ") and listed[0].endswith("The default.")
    assert any(line.startswith("discs-l4") for line in listed)
    assert "8 px" in shiftseg("models", model_file).out


def test_train_makes_a_model_that_segments(shiftseg, image_file, truth_file, tmp_path):
    for kind, file in (("images", image_file), ("masks", truth_file)):
        (tmp_path / "pack" / kind).mkdir(parents=True)
        (tmp_path / "pack" / kind / "a.tif").write_bytes(file.read_bytes())
    model = tmp_path / "mine.safetensors"
    trained = shiftseg(
        "train", "--data", tmp_path / "pack", "-o", model, "--levels", 2, "--maps", 2,
        "--window", 8, "--steps", 3,
    )  # fmt: skip
    assert trained.code == 0
    card = json.loads(shiftseg("models", model, "--json", "-").out)[str(model)]
    assert card["training"]["steps_done"] == 3
    assert card["training_window"] == [8, 8]
    assert shiftseg("segment", image_file, "-m", model, "-o", tmp_path / "l.tif").code == 0


def test_a_window_of_one_period_is_refused_unless_it_is_meant(shiftseg, tmp_path):
    model = tmp_path / "small.safetensors"
    words = (
        "train", "--data", "discs:13", "-o", model, "--levels", 1, "--maps", 1,
        "--window", 2, "--steps", 1,
    )  # fmt: skip
    refused = shiftseg(*words)
    assert refused.code == 2
    assert "does not exceed the period" in refused.err
    assert not model.exists()
    assert shiftseg(*words, "--allow-small-window").code == 0
    assert "WARNING" in shiftseg("models", model).out


def test_json_to_stdout_is_json_alone(shiftseg, model_file):
    json.loads(shiftseg("certify", "-m", model_file, "--json", "-").out)


def test_demo_ends_with_a_table_and_the_files(shiftseg, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    answer = shiftseg("demo", "-o", tmp_path / "demo", "--json", tmp_path / "demo.json")
    assert answer.code == 0
    assert "by seams" in answer.out
    for line in answer.out.splitlines():
        if line.endswith((".tif", ".png")):
            assert Path(line).stat().st_size > 0
    modes = json.loads((tmp_path / "demo.json").read_text())["discs-l4"]["modes"]
    assert modes["naive"]["seam_splits"] >= 10 * max(1, modes["corrected"]["seam_splits"])


@pytest.mark.parametrize(
    ("words", "file"),
    [
        (["demo", "--no-napari", "--json", "FILE"], "mine.json"),
        (["demo", "--no-napari"], "discs-l4.png"),
        (["reproduce", "fig3"], "fig3.png"),
    ],
)
def test_what_is_not_of_the_command_is_not_replaced(shiftseg, tmp_path, words, file):
    mine = tmp_path / file
    mine.write_text("precious")
    answer = shiftseg(*(mine if word == "FILE" else word for word in words), "-o", tmp_path)
    assert answer.code == 2 and f"{file} exists" in answer.err
    assert mine.read_text() == "precious"


@pytest.mark.parametrize(("patience", "lines"), [(0, ["frame 0, ", "frame 2, "]), (1000, [])])
def test_progress_of_a_stack_names_the_frame_now_and_then(
    shiftseg, model_file, tmp_path, monkeypatch, patience, lines
):
    monkeypatch.setattr("napari_shiftseg.cli.run._PATIENCE", patience)
    write_image(tmp_path / "stack.tif", np.zeros((3, 20, 20), np.uint8), axes="tyx")
    answer = shiftseg(
        "segment", tmp_path / "stack.tif", "-m", model_file, "-o", tmp_path / "l.tif", "--tile", 8
    )
    assert answer.code == 0
    assert all(line in answer.err for line in lines)
    assert ("frame" in answer.err) == bool(lines)
