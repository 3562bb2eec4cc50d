"""Computing in bfloat16: what it changes, what it does not, and that results say so."""

import warnings

import numpy as np
import pytest
import torch

from napari_shiftseg import ShiftSegError, certify, load_model, segment, segment_file
from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.segment_file import segment_file_events
from napari_shiftseg.embeddings import device
from napari_shiftseg.embeddings.device import EMULATED
from napari_shiftseg.image.files import open_image
from napari_shiftseg.samples.discs import disc_image

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATED}")  # on processors without it
IMAGE, _ = disc_image(100)
ROUNDING = 2.0**-8


@pytest.fixture(scope="module")
def rounded(trained_model):
    return load_model(trained_model, precision="bfloat16")


@pytest.fixture(scope="module")
def exact(trained_model):
    return segment(IMAGE, trained_model)


def test_the_embedding_differs_by_little_and_is_float32(rounded, exact):
    found = segment(IMAGE, rounded).prediction.embedding
    assert found.dtype == np.float32
    difference = np.abs(found - exact.prediction.embedding)
    assert 0 < difference.max() < 10 * ROUNDING * np.abs(exact.prediction.embedding).max()


def test_the_same_objects_are_found(rounded, exact):
    found = segment(IMAGE, rounded)
    assert found.objects == exact.objects
    assert (found.labels != exact.labels).mean() < 0.01


@pytest.mark.parametrize("tile", [4, 20])
def test_corrected_tiles_equal_the_whole_image_but_for_rounding(random_model, tile):
    rounded = load_model(random_model, precision="bfloat16")
    image = np.random.default_rng(0).random((100, 100), np.float32)
    whole = segment(image, rounded, stitch="whole").prediction.embedding
    allowed = 4 * ROUNDING * np.abs(whole).max()

    def difference(stitch, tile):
        tiled = segment(image, rounded, stitch=stitch, tile=tile).prediction.embedding
        return np.abs(tiled - whole).max()

    assert difference("corrected", tile) < allowed < difference("naive", 18)


def test_the_loaded_model_stays_as_it_is(trained_model, rounded, exact):
    assert (load_model(trained_model).precision, rounded.precision) == ("float32", "bfloat16")
    np.testing.assert_array_equal(segment(IMAGE, trained_model).labels, exact.labels)
    assert load_model(rounded) is rounded


def test_rounded_weights_do_not_become_exact_again(rounded):
    with pytest.raises(ShiftSegError, match="rounded to bfloat16; load it again"):
        load_model(rounded, precision="float32")


@pytest.mark.parametrize("has_it", [True, False])
def test_a_processor_that_would_be_slower_is_said(monkeypatch, trained_model, has_it):
    monkeypatch.setattr(device, "available_devices", lambda: ["cpu"])
    monkeypatch.setattr(
        torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: has_it, raising=False
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_model(trained_model, precision="bfloat16")
    assert [str(each.message) for each in caught] == ([] if has_it else [EMULATED])


@pytest.mark.parametrize("module", [torch.nn.Identity(), None, 3])
def test_what_is_no_model_is_told_where_to_go(module):
    with pytest.raises(ShiftSegError, match="audit and predict_exactly"):
        segment(IMAGE, module)


def test_an_unknown_precision_names_the_legal_ones(trained_model):
    with pytest.raises(ShiftSegError, match="'float16'; legal: float32, bfloat16"):
        load_model(trained_model, precision="float16")


def test_labels_say_in_which_precision_they_were_made(rounded, exact):
    assert exact.provenance["precision"] == "float32"
    assert segment(IMAGE, rounded).provenance["precision"] == "bfloat16"


def test_a_certificate_measures_the_rounding_against_float32(random_model):
    exact = certify(random_model, tile=8)
    rounded = certify(random_model, tile=8, precision="bfloat16")
    assert exact.equal and not rounded.equal
    assert exact.relative_difference < ROUNDING / 10 < rounded.relative_difference < 0.1
    assert "in bfloat16" in str(rounded) and "bfloat16" not in str(exact)


def test_a_resumed_run_keeps_the_tiles_that_were_begun(rounded, tmp_path):
    output, pieces = tmp_path / "labels.tif", {"model": rounded, "block_pixels": 900}
    events = segment_file_events(IMAGE, output, FileSettings(**pieces, memory="400kB"))
    for _ in range(3):
        next(events)
    events.close()
    resumed = segment_file(IMAGE, output, **pieces, memory="2GB")
    tile = resumed.provenance["tile"]
    fresh = segment_file(IMAGE, tmp_path / "fresh.tif", **pieces, memory="2GB")
    assert tile != fresh.provenance["tile"]
    at_once = segment(IMAGE, rounded, tile=tuple(tile)).labels
    assert (np.asarray(open_image(output).pixels) != at_once).mean() < 0.001


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"precision": "bfloat16"}, r"precision \(float32, now bfloat16\)"),
        ({"compiled": True}, r"way of computing \(.*, now torch\.compile\)"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_an_unfinished_run_in_another_way_is_not_gone_on_with(
    trained_model, tmp_path, other, named
):
    output, pieces = tmp_path / "labels.tif", {"model": trained_model, "block_pixels": 900}
    events = segment_file_events(IMAGE, output, FileSettings(**pieces))
    for _ in range(3):
        next(events)
    events.close()
    with pytest.raises(ShiftSegError, match=f"another {named}"):
        segment_file(IMAGE, output, **pieces, **other)
