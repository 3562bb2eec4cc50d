"""A network trained with a window of one period betrays itself on any image."""

import json

import numpy as np
import pytest

from napari_shiftseg import ShiftSegError, ShiftSegWarning, load_model, segment
from napari_shiftseg.network_audit.trained_window import trained_window
from napari_shiftseg.samples import load_sample


def embedding(name):
    return segment(load_sample("nuclei").image[:260, :300], name, stitch="whole").prediction


def test_a_window_of_one_period_leaves_jumps_at_one_phase():
    with pytest.warns(ShiftSegWarning, match="does not exceed its period"):
        model = load_model("nuclei-2d-period-trained")
    found = trained_window(embedding(model).embedding, (8, 8))
    assert found.peaks == (0, 0)
    assert found.too_small
    assert "every 8 px" in found.sentence


@pytest.mark.parametrize("name", ["nuclei-2d", "nuclei-2d-plain"])
def test_a_larger_window_does_not(name):
    found = trained_window(embedding(name).embedding, (8, 8))
    assert found.peaks == (None, None)
    assert not found.too_small


def test_other_outputs_than_embeddings():
    rng = np.random.default_rng(0)
    output = np.repeat(rng.normal(size=(1, 20, 80)), 4, axis=1)
    found = trained_window(output + 0.1 * rng.normal(size=output.shape), (4, 4))
    assert found.peaks == (0, None)


def test_pairs_within_objects_alone():
    output = np.zeros((1, 32, 32))
    output[:, :, 16:] = 9.0
    objects = np.ones((32, 32), np.int32)
    objects[:, 16:] = 2
    assert trained_window(output, (4, 4), objects=np.ones_like(objects)).too_small
    with np.errstate(all="raise"):
        assert not trained_window(output, (4, 4), objects=objects).too_small


@pytest.mark.parametrize(
    ("size", "period"), [((30, 40), (8, 8)), ((40, 40), (1, 1)), ((40,), (2, 2))]
)
def test_too_little_to_compare(size, period):
    with pytest.raises(ShiftSegError):
        trained_window(np.zeros((2, *size)), period)


def test_an_axis_with_a_period_of_one_pixel_has_nothing_to_tell():
    noise = np.random.default_rng(0).normal(size=(3, 8, 40, 40)).astype(np.float32)
    found = trained_window(noise, (1, 8, 8))
    assert not found.too_small
    json.dumps(found.to_dict(), allow_nan=False)


def test_objects_of_single_pixels_have_nothing_to_tell():
    noise = np.random.default_rng(0).normal(size=(3, 40, 40)).astype(np.float32)
    assert not trained_window(noise, (8, 8), objects=np.zeros((40, 40), int)).too_small
