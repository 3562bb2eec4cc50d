import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from napari_shiftseg.certificate import certify
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError


@pytest.mark.parametrize(("tile", "tiles"), [(None, 16), (4, 25), (24, 16)])
def test_corrected_tiles_are_certified(random_model, tile, tiles):
    certificate = certify(random_model, tile=tile)
    assert certificate.equal
    assert certificate.relative_difference <= 1e-5
    assert certificate.tiles == tiles


def test_naive_tiles_are_not(random_model):
    certificate = certify(random_model, stitch="naive", tile=18)
    assert not certificate.equal
    assert certificate.relative_difference > 1e-3
    assert certificate.max_abs_difference > 0


def test_of_an_image(random_model):
    certificate = certify(random_model, np.random.default_rng(0).random((21, 33)), tile=8)
    assert certificate.equal
    assert (certificate.image_size, certificate.tiles) == ((21, 33), 15)


@pytest.mark.parametrize("stitch", ["corrected", "naive", "blended"])
def test_an_image_that_fits_into_one_tile_is_cut_all_the_same(random_model, stitch):
    certificate = certify(random_model, np.random.default_rng(0).random((15, 13)), stitch=stitch)
    assert certificate.tiles >= 4
    assert certificate.equal == (stitch == "corrected")


@pytest.mark.parametrize(
    ("size", "asked"), [((15, 16), {"tile": 16}), ((4, 3), {}), ((9, 9), {"stitch": "whole"})]
)
def test_one_tile_against_itself_certifies_nothing(random_model, size, asked):
    with pytest.raises(ShiftSegError, match="compared"):
        certify(random_model, np.random.default_rng(0).random(size), **asked)


@pytest.mark.filterwarnings("ignore:bfloat16")
def test_rounded_weights_are_no_reference(random_model):
    with pytest.raises(ShiftSegError, match="rounded"):
        certify(random_model.in_precision("bfloat16"), precision="bfloat16")


def test_coordinates_do_not_make_a_difference_small():
    noise = np.random.default_rng(0).random((64, 600))
    certificate = certify(load_model("nuclei-2d"), noise, stitch="naive", tile=(64, 150))
    # Outputs are below 20; with the coordinates they would be up to 75.
    assert certificate.relative_difference > certificate.max_abs_difference / 20


def test_as_json(random_model):
    values = json.loads(json.dumps(certify(random_model, tile=8).to_dict(), allow_nan=False))
    assert values["equal"] is True
    assert {"max_abs_difference", "relative_difference"} <= values.keys()


@pytest.mark.parametrize("scale", [1e-6, 1e4])
def test_the_verdict_does_not_depend_on_how_large_outputs_are(random_model, scale):
    network = copy.deepcopy(random_model.network)
    for weights in network.head[-1].parameters():
        weights.data *= scale
    scaled = replace(random_model, network=network)
    assert certify(scaled, tile=8).equal
    assert not certify(scaled, tile=18, stitch="naive").equal


def test_a_stack_is_refused(random_model):
    with pytest.raises(ShiftSegError, match="stack of 2 frames; legal: one of them"):
        certify(random_model, np.zeros((2, 40, 40)))
