"""The embedding of an image that goes block by block."""

import dask.array as da
import numpy as np
import pytest

from napari_shiftseg.blockwise import run
from napari_shiftseg.blockwise.segment_file import segment_file
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import open_image
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples.discs import disc_image

IMAGE, _ = disc_image(90)


@pytest.fixture
def how(trained_model):
    return {"model": trained_model, "block_pixels": 30 * 30}


@pytest.fixture(scope="module")
def whole(trained_model):
    return segment(IMAGE, trained_model).prediction.embedding


def assert_same(found, expected):
    """To the last digits: older versions of torch add up in another order on other shapes."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-6)


def pixels(path):
    return np.asarray(open_image(path).pixels)


@pytest.mark.parametrize("ending", ["tif", "ome.zarr"])
def test_is_that_of_the_whole_image(how, whole, tmp_path, ending):
    vectors = tmp_path / f"vectors.{ending}"
    found = segment_file(IMAGE, tmp_path / "labels.tif", embeddings=str(vectors), **how)
    assert found.blocks > 1
    opened = open_image(vectors)
    assert_same(np.asarray(opened.pixels), whole)
    assert opened.calibration.axes == "cyx"
    assert opened.provenance["block"] == list(found.provenance["block"])
    assert {path.name for path in tmp_path.iterdir()} == {"labels.tif", vectors.name}


def test_of_a_stack_has_all_frames(how, trained_model, tmp_path):
    stack = np.stack([IMAGE[:60, :50], IMAGE[30:, 40:]])
    vectors = tmp_path / "vectors.ome.zarr"
    segment_file(da.from_array(stack), tmp_path / "labels.tif", embeddings=vectors, **how)
    expected = segment(stack, trained_model).prediction.embedding
    opened = open_image(vectors)
    assert opened.calibration.axes == "tcyx"  # the order that OME-Zarr prescribes
    assert_same(np.moveaxis(pixels(vectors), 1, 0), expected)


@pytest.mark.parametrize("taken", [False, True])
def test_a_run_that_was_stopped_while_writing_labels_goes_on(
    how, whole, tmp_path, monkeypatch, taken
):
    labels, vectors = tmp_path / "labels.tif", tmp_path / "vectors.tif"

    def full(*arguments, **keywords):
        raise ShiftSegError("no space left on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(run, "write_labels", full)
        with pytest.raises(ShiftSegError, match="no space"):
            segment_file(IMAGE, labels, embeddings=vectors, **how)
    written = vectors.stat().st_mtime_ns
    if taken:
        vectors.unlink()
    segment_file(IMAGE, labels, embeddings=vectors, **how)
    assert taken or vectors.stat().st_mtime_ns == written
    assert_same(pixels(vectors), whole)
    assert labels.exists() and not list(tmp_path.glob("*.unfinished"))


def test_a_run_without_it_is_not_gone_on_with(how, tmp_path, monkeypatch):
    labels = tmp_path / "labels.tif"

    def full(*arguments, **keywords):
        raise ShiftSegError("no space left on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(run, "write_labels", full)
        with pytest.raises(ShiftSegError, match="no space"):
            segment_file(IMAGE, labels, **how)
    with pytest.raises(ShiftSegError, match="another embeddings"):
        segment_file(IMAGE, labels, embeddings=tmp_path / "vectors.tif", **how)


def test_a_file_of_the_user_s_is_not_replaced(how, tmp_path):
    vectors = tmp_path / "vectors.tif"
    vectors.write_text("mine")
    with pytest.raises(ShiftSegError, match="exists"):
        segment_file(IMAGE, tmp_path / "labels.tif", embeddings=vectors, **how)
    assert vectors.read_text() == "mine"


def test_neither_may_lie_within_the_other(how, tmp_path):
    labels = tmp_path / "labels.ome.zarr"
    labels.mkdir()
    with pytest.raises(ShiftSegError, match="name two files"):
        segment_file(IMAGE, labels, embeddings=labels / "e.tif", overwrite=True, **how)
    assert not list(labels.iterdir())


def test_labels_and_embedding_need_two_names(how, tmp_path):
    both = tmp_path / "both.tif"
    with pytest.raises(ShiftSegError, match="name two files"):
        segment_file(IMAGE, both, embeddings=both, **how)
    assert not list(tmp_path.iterdir())
