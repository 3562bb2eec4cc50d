"""``shiftseg batch``: a folder in, labels and one report out."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr

from napari_shiftseg.blockwise import batch as folder_of_images
from napari_shiftseg.blockwise.batch import segment_folder_events
from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.embeddings.model_file import load_network, save_model
from napari_shiftseg.image.files import open_image, write_image, write_labels


@pytest.fixture
def plate(tmp_path):
    """Three images, one of them broken, and what is no image."""
    folder = tmp_path / "plate"
    (folder / "B").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    tifffile.imwrite(folder / "A1.tif", pixels)
    write_image(folder / "A2.ome.zarr", pixels[::-1], axes="yx")
    tifffile.imwrite(folder / "B" / "B1.tif", pixels[:, ::-1])
    (folder / "A3.tif").write_bytes(b"II*\0\xff\xff\xff\x0f")
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def batch(shiftseg, plate, model_file, tmp_path):
    def call(*words):
        return shiftseg("batch", plate, "-o", tmp_path / "labels", "-m", model_file, *words)

    return call


def report(tmp_path):
    with (tmp_path / "labels" / "report.csv").open(newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file)}


def test_another_model_under_the_name_of_the_runs_is_not_taken(plate, model_file, tmp_path):
    own = tmp_path / "own.safetensors"
    network, description = load_network(model_file)
    save_model(own, network, description)
    names = ["A1.tif", "B/B1.tif"]
    records = segment_folder_events(plate, tmp_path / "l", names, FileSettings(model=own))
    assert next(records).status == "segmented"
    save_model(own, network, replace(description, name="other"))
    (last,) = records
    assert last.status == "failed" and "own.safetensors has changed since" in last.message


def test_a_png_has_labels_as_tiff(batch, plate, tmp_path):
    pixels = tifffile.imread(plate / "A1.tif")
    (plate / "A4.png").write_bytes(imagecodecs.png_encode(pixels))
    assert batch("--pattern", "A4*").code == 0
    assert report(tmp_path)["A4.png"]["status"] == "segmented"
    assert open_image(tmp_path / "labels" / "A4.tif").kind == "labels"
    assert "1 kept" in batch("--pattern", "A4*").out


def test_a_numpy_file_is_an_image_where_the_pattern_says_so(batch, plate, tmp_path):
    np.save(plate / "A1_seg.npy", {"masks": 1}, allow_pickle=True)
    batch()
    assert sorted(report(tmp_path)) == ["A1.tif", "A2.ome.zarr", "A3.tif"]
    np.save(plate / "A5.npy", tifffile.imread(plate / "A1.tif"))
    assert batch("--pattern", "A5*.npy", "--overwrite").code == 0
    assert report(tmp_path)["A5.npy"]["status"] == "segmented"
    assert open_image(tmp_path / "labels" / "A5.tif").kind == "labels"


@pytest.mark.parametrize("name", ["report.csv", "A1.tif"])
def test_the_report_as_json_replaces_nothing_of_the_run(batch, tmp_path, name):
    (tmp_path / "labels").mkdir()
    answer = batch("--json", tmp_path / "labels" / name)
    assert answer.code == 2 and "is another output of this run" in answer.err


def test_no_two_images_share_labels(batch, plate, tmp_path):
    (plate / "A1.png").write_bytes(imagecodecs.png_encode(tifffile.imread(plate / "A1.tif")))
    outcome = batch()
    assert outcome.code == 2 and "two images would have the labels A1.tif" in outcome.err
    assert not (tmp_path / "labels").exists()


def test_each_image_has_labels_and_a_row_and_a_broken_one_stops_none(
    batch, shiftseg, plate, model_file, tmp_path
):
    outcome = batch("--json", tmp_path / "report.json")
    assert outcome.code == 2
    assert "3 images: 1 failed, 2 segmented" in outcome.out
    assert "A3.tif holds no image" in outcome.err
    rows = report(tmp_path)
    assert {name: row["status"] for name, row in rows.items()} == {
        "A1.tif": "segmented",
        "A2.ome.zarr": "segmented",
        "A3.tif": "failed",
    }
    alone = tmp_path / "alone.tif"
    assert shiftseg("segment", plate / "A1.tif", "-m", model_file, "-o", alone).code == 0
    labels = tifffile.imread(tmp_path / "labels" / "A1.tif")
    np.testing.assert_array_equal(labels, tifffile.imread(alone))
    assert int(rows["A1.tif"]["objects"]) == labels.max()
    assert open_image(tmp_path / "labels" / "A2.ome.zarr").kind == "labels"
    images = json.loads((tmp_path / "report.json").read_text())["images"]
    assert [image["image"] for image in images] == sorted(rows)


def test_an_interrupted_batch_reports_what_it_has_done(batch, plate, tmp_path, monkeypatch):
    def stopped(*args):
        for record in segment_folder_events(*args):
            yield record
            raise KeyboardInterrupt

    monkeypatch.setattr("napari_shiftseg.cli.batch.segment_folder_events", stopped)
    assert batch().code == 130
    assert list(report(tmp_path)) == ["A1.tif"]
    monkeypatch.undo()
    assert "1 failed, 1 kept, 1 segmented" in batch().out


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["here", "workers"])
def test_what_is_warned_of_stands_beside_the_image(batch, plate, tmp_path, workers):
    (plate / "A3.tif").unlink()
    pixels = tifffile.imread(plate / "A1.tif")
    tifffile.imwrite(plate / "A1.tif", pixels, photometric="miniswhite")
    outcome = batch(*workers)
    assert outcome.code == 0
    said = [line for line in outcome.err.splitlines() if "bright" in line]
    assert len(said) == 1 and said[0].startswith("shiftseg: A1.tif: ")
    rows = report(tmp_path)
    assert rows["A1.tif"]["status"] == "segmented"
    assert "small values are bright" in rows["A1.tif"]["message"]
    assert not rows["A2.ome.zarr"]["message"]


def test_a_model_is_warned_of_once_whoever_loads_it(plate, tmp_path):
    words = ["batch", plate, "-o", tmp_path / "labels", "-m", "nuclei-2d-period-trained"]
    ended = subprocess.run(
        [sys.executable, "-m", "napari_shiftseg", *map(str, words), "--workers", "2"],
        capture_output=True,
        text=True,
    )
    assert ended.stderr.count("does not exceed its period") == 1
    assert "Warning" not in ended.stderr
    assert not report(tmp_path)["A1.tif"]["message"]


def test_what_is_there_is_kept_and_counted(batch, tmp_path):
    batch()
    first = report(tmp_path)
    labels = tmp_path / "labels" / "A1.tif"
    before = labels.stat().st_mtime_ns
    outcome = batch()
    assert "1 failed, 2 kept" in outcome.out
    assert labels.stat().st_mtime_ns == before
    assert {r["image"]: r["objects"] for r in report(tmp_path).values()} == {
        name: row["objects"] for name, row in first.items()
    }


def test_labels_of_other_settings_are_not_replaced_unasked(batch, plate, tmp_path):
    (plate / "A3.tif").unlink()
    batch()
    labels = tmp_path / "labels" / "A1.tif"
    before = labels.read_bytes()
    outcome = batch("--bandwidth", "0.7")
    assert outcome.code == 2 and "made with another bandwidth (1.5, now 0.7)" in outcome.err
    assert labels.read_bytes() == before
    assert batch("--bandwidth", "0.7", "--overwrite").code == 0
    assert open_image(labels).provenance["clustering"]["bandwidth"] == 0.7


def test_an_image_that_has_changed_since_is_said_however_old_it_looks(batch, plate, tmp_path):
    (plate / "A3.tif").unlink()
    batch()
    os.utime(plate / "A1.tif", (2e9, 2e9))  # touched, and the same
    assert batch().code == 0
    tifffile.imwrite(plate / "A1.tif", tifffile.imread(plate / "A1.tif")[::-1])
    os.utime(plate / "A1.tif", (1e9, 1e9))
    chunk = zarr.open_array(plate / "A2.ome.zarr" / "0", mode="r+")
    chunk[:4] = 0
    outcome = batch()
    assert outcome.code == 2
    for name in ("A1.tif", "A2.ome.zarr"):
        assert f"{plate / name} has other pixels than when" in outcome.err
    assert batch("--overwrite").code == 0


def test_images_of_labels_from_before_are_told_by_their_date(batch, plate, tmp_path):
    (plate / "A3.tif").unlink()
    batch()
    labels = tmp_path / "labels" / "A1.tif"
    with tifffile.TiffFile(labels) as file:
        pixels, made = file.asarray(), json.loads(file.shaped_metadata[0]["shiftseg"])
    made.pop("image_sha256")
    write_labels(labels, pixels, axes="yx", provenance=made)
    assert "2 kept" in batch().out
    os.utime(plate / "A1.tif", (2e9, 2e9))
    outcome = batch()
    assert outcome.code == 2 and "A1.tif is newer than" in outcome.err


def test_a_pattern_chooses_images_in_subfolders_too(batch, tmp_path):
    assert batch("--pattern", "**/B*.tif").code == 0
    assert list(report(tmp_path)) == ["B/B1.tif"]
    assert (tmp_path / "labels" / "B" / "B1.tif").is_file()


def test_labels_beside_the_images_are_refused(shiftseg, plate, model_file):
    outcome = shiftseg("batch", plate, "-o", plate, "-m", model_file)
    assert outcome.code == 2 and "would replace the images" in outcome.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pattern", "*.jpg"], "no TIFF, PNG or OME-Zarr"),
        (["--workers", "0"], "number of workers is 0"),
        (["--memory", "much"], "legal: a number above 0 and a unit"),
        (["--bandwidth", "0"], "bandwidth is 0"),
    ],
)
def test_what_cannot_be_done_is_one_message(batch, words, message):
    outcome = batch(*words)
    assert outcome.code == 2 and message in outcome.err


def test_a_report_of_somebody_else_is_not_replaced(batch, tmp_path):
    (tmp_path / "labels").mkdir()
    theirs = tmp_path / "labels" / "report.csv"
    theirs.write_text("my results\n")
    outcome = batch()
    assert outcome.code == 2 and "is not replaced" in outcome.err
    assert theirs.read_text() == "my results\n"


def test_the_same_command_again_renews_its_report_and_no_other_file(batch, plate, tmp_path):
    (plate / "A3.tif").unlink()
    document = tmp_path / "report.json"
    assert batch("--json", document).code == 0
    assert batch("--json", document).code == 0
    images = json.loads(document.read_text())["images"]
    assert {image["status"] for image in images} == {"kept"}
    document.write_text('{"images": "mine"}')
    outcome = batch("--json", document)
    assert outcome.code == 2 and "report.json exists; add --overwrite" in outcome.err
    assert document.read_text() == '{"images": "mine"}'


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_workers_share_the_images(batch, plate, tmp_path):
    pytest.importorskip("distributed")
    (plate / "A3.tif").unlink()
    assert batch("--workers", "2").code == 0
    assert [row["status"] for row in report(tmp_path).values()] == ["segmented"] * 2


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (("--stitch", "naive", "--tile", "12"), ("--stitch", "naive", "--tile", "20"), "tile"),
        (("--axes", "yx"), ("--axes", "xy"), "spatial axes"),
    ],
)
def test_whatever_changes_labels_is_noticed(batch, plate, first, then, said):
    (plate / "A3.tif").unlink()
    assert batch("--pattern", "A1*", *first).code == 0
    assert "1 kept" in batch("--pattern", "A1*", *first).out
    outcome = batch("--pattern", "A1*", *then)
    assert outcome.code == 2 and said in outcome.err


def test_corrected_labels_are_those_of_any_tile(batch):
    assert batch("--pattern", "A1*", "--tile", "12").code == 0
    assert "1 kept" in batch("--pattern", "A1*", "--tile", "20").out


def test_labels_and_hidden_files_are_no_images(shiftseg, plate, model_file):
    (plate / ".A1.tif").write_bytes((plate / "A1.tif").read_bytes())
    words = ("batch", plate, "-o", plate / "labels", "-m", model_file, "--pattern", "**/?[!3]*.tif")
    assert shiftseg(*words).out.startswith("2 images: 2 segmented")
    assert shiftseg(*words).out.startswith("2 images: 2 kept")


def test_labels_of_another_image_are_not_kept(batch, plate, tmp_path):
    batch()
    tifffile.imwrite(plate / "A1.tif", np.zeros((30, 50), np.uint8))
    os.utime(plate / "A1.tif", (1, 1))  # as a copy that keeps its date
    answer = batch()
    assert answer.code == 2
    assert report(tmp_path)["A1.tif"]["status"] == "failed"
    assert "A1.tif has 40 x 50 px" in answer.err and "30 x 50 px" in answer.err


def test_earlier_labels_below_the_images_are_not_segmented(shiftseg, plate, model_file, tmp_path):
    words = ("-m", model_file, "--pattern", "**/*.tif")
    (plate / "A3.tif").unlink()
    assert shiftseg("batch", plate, "-o", plate / "first", *words).code == 0
    answer = shiftseg("batch", plate, "-o", tmp_path / "labels", *words)
    assert answer.code == 2
    rows = report(tmp_path)
    assert "it holds labels" in rows["first/A1.tif"]["message"]
    assert rows["A1.tif"]["status"] == "segmented"


@pytest.mark.parametrize("pattern", ["", "/anywhere/*.tif"])
def test_a_pattern_that_is_none(batch, pattern):
    answer = batch("--pattern", pattern)
    assert answer.code == 2 and "legal: one below the folder" in answer.err


def test_an_image_without_memory_for_it_does_not_stop_the_others(batch, tmp_path, monkeypatch):
    def lacking(path, *_):
        if path.name == "A1.tif":
            raise MemoryError("Unable to allocate 9 GiB")
        return labelled(path, *_)

    labelled = folder_of_images._labelled
    monkeypatch.setattr(folder_of_images, "_labelled", lacking)
    assert batch("--pattern", "A[12]*").code == 2
    rows = report(tmp_path)
    assert rows["A1.tif"]["message"] == "there is not enough memory: Unable to allocate 9 GiB"
    assert rows["A2.ome.zarr"]["status"] == "segmented"


@pytest.mark.parametrize("content", [b"image;objects\n\xfc;3\n", b"\xff\xfei\0m\0"])
def test_a_table_that_another_program_has_saved_is_not_replaced(batch, tmp_path, content):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "report.csv").write_bytes(content)
    outcome = batch()
    assert outcome.code == 2 and "is no report of shiftseg" in outcome.err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_is_reported_in_escapes(batch, plate, tmp_path):
    (plate / "A3.tif").unlink()
    os.rename(plate / "A1.tif", os.fsencode(plate) + b"/\xff.tif")
    for words in ((), ("--json", tmp_path / "report.json")):
        answer = batch("--pattern", "*.tif", *words)
        assert answer.code == 0, answer.err
    assert list(report(tmp_path)) == [r"\udcff.tif"]


def test_a_device_that_is_not_there_is_refused_before_any_image(batch, tmp_path):
    answer = batch("--device", "tpu")
    assert answer.code == 2
    assert "there is no device 'tpu' here" in answer.err
    assert not (tmp_path / "labels").exists()
