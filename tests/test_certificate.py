import json

import numpy as np
import pytest

from napari_shiftseg.certificate import certify


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


def test_an_image_that_fits_into_one_tile_is_cut_all_the_same(random_model):
    certificate = certify(random_model, np.random.default_rng(0).random((15, 16)))
    assert certificate.equal and certificate.tiles == 4


def test_as_json(random_model):
    values = json.loads(json.dumps(certify(random_model, tile=8).to_dict(), allow_nan=False))
    assert values["equal"] is True
    assert {"max_abs_difference", "relative_difference"} <= values.keys()
