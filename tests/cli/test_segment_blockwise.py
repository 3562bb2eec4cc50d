"""``shiftseg segment`` on images that do not fit into memory, as a user calls it."""

import json

import numpy as np
import pytest
import tifffile


@pytest.fixture
def large_file(tmp_path):
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (120, 90), np.uint8))
    return path


@pytest.fixture
def expected(shiftseg, large_file, model_file, tmp_path):
    output = tmp_path / "expected.tif"
    assert shiftseg("segment", large_file, "-m", model_file, "-o", output).code == 0
    return tifffile.imread(output)


def test_little_memory_means_blocks_and_the_same_labels(
    shiftseg, large_file, model_file, expected, tmp_path
):
    output = tmp_path / "labels.tif"
    words = ["segment", large_file, "-m", model_file, "-o", output, "--memory", "200kB"]
    outcome = shiftseg(*words, "--json", tmp_path / "report.json")
    assert outcome.code == 0, outcome.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["blocks"] > 1
    assert report["objects"] == expected.max()
    np.testing.assert_array_equal(tifffile.imread(output), expected)
    assert f"{report['blocks']} blocks" in outcome.out


def test_an_interrupted_run_says_how_to_go_on_and_does(
    shiftseg, large_file, model_file, expected, tmp_path, monkeypatch
):
    from napari_shiftseg.blockwise import run

    def interrupted(job, number):
        raise KeyboardInterrupt

    output = tmp_path / "labels.tif"
    words = ["segment", large_file, "-m", model_file, "-o", output]
    with monkeypatch.context() as patch:
        patch.setattr(run, "label_block", interrupted)
        outcome = shiftseg(*words, "--memory", "200kB")
    assert outcome.code == 130
    assert "the same command goes on" in outcome.err
    assert not output.exists()
    assert shiftseg(*words).code == 0
    np.testing.assert_array_equal(tifffile.imread(output), expected)
    assert sorted(p.name for p in tmp_path.glob("labels*")) == ["labels.tif"]


def test_a_name_may_be_as_long_as_the_disk_allows(
    shiftseg, large_file, model_file, expected, tmp_path
):
    output = tmp_path / f"{'n' * 251}.tif"
    words = ("-m", model_file, "-o", output, "--memory", "200kB")
    outcome = shiftseg("segment", large_file, *words)
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(tifffile.imread(output), expected)
    assert not list(tmp_path.glob("*.unfinished"))


def test_memory_without_a_unit_is_one_message(shiftseg, large_file, model_file, tmp_path):
    output = tmp_path / "labels.tif"
    outcome = shiftseg("segment", large_file, "-m", model_file, "-o", output, "--memory", "2")
    assert outcome.code == 2
    assert "'2'; legal: a number above 0 and a unit" in outcome.err


def test_too_little_memory_names_the_least(shiftseg, large_file, model_file, tmp_path):
    output = tmp_path / "labels.tif"
    outcome = shiftseg("segment", large_file, "-m", model_file, "-o", output, "--memory", "1kB")
    assert outcome.code == 2
    assert "this network needs at least" in outcome.err
    assert not list(tmp_path.glob("labels*"))


def test_embeddings_of_an_image_in_blocks(shiftseg, large_file, model_file, tmp_path):
    words = ["segment", large_file, "-m", model_file]
    pixels = {}
    for name, memory in (("blocks", "200kB"), ("whole", "2GB")):
        vectors = tmp_path / f"{name}.tif"
        labels = tmp_path / f"{name}-labels.tif"
        done = shiftseg(*words, "-o", labels, "--memory", memory, "--embeddings", vectors)
        assert done.code == 0
        pixels[name] = tifffile.imread(vectors)
    # The sums of older torch end in another last bit where tiles are of another size.
    np.testing.assert_allclose(pixels["blocks"], pixels["whole"], rtol=0, atol=1e-6)
