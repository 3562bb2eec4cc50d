"""Any network over an image of any size, from tiles that leave no seams."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_shiftseg import ShiftSegError, ShiftSegWarning, audit, predict_exactly
from napari_shiftseg.network_audit.predict import plan_of, predict_exactly_events
from random_networks import InSteps

TILE = 16


def network(*layers):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        *layers,
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
    ).eval()


def image(*size):
    return np.random.default_rng(0).normal(size=(1, *size)).astype(np.float32)


@pytest.mark.filterwarnings("ignore:along axis . the network treats the end")
@pytest.mark.parametrize("size", [(64, 64), (61, 75)])
def test_it_equals_one_pass(size):
    module, pixels = network(), image(*size)
    found = audit(module, ndim=2)
    *done, tiled = predict_exactly_events(module, found, pixels, tile=TILE)
    assert done == list(range(1, len(plan_of(found, size, TILE)) + 1))
    whole = predict_exactly(module, found, pixels, tile=96)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
    if size[0] % 2 == 0:
        with torch.no_grad():
            np.testing.assert_allclose(tiled, module(torch.from_numpy(pixels)[None])[0], atol=1e-5)


def test_a_rest_that_the_network_drops_itself_is_said():
    found = audit(network(), ndim=2)
    with pytest.warns(ShiftSegWarning, match="axis 1 .* the end of 75 px .* completed to 76 px"):
        predict_exactly(network(), found, image(64, 75))


@pytest.mark.parametrize("step", [12, 7, 32])
@pytest.mark.parametrize("tile", [None, 2, TILE])
def test_a_network_that_takes_some_sizes_only(step, tile):
    module, pixels = InSteps(network(), step), image(61, 75)
    found = audit(module, ndim=2)
    assert found.period == (2, 2) and found.geometry.input_step[0] % step == 0
    assert f"more by {found.geometry.input_step[0]} px" in found.verdict
    tiled = predict_exactly(module, found, pixels, tile=tile)
    mirrored = [(0, 0)] + [
        (0, -n % s) for n, s in zip((61, 75), found.geometry.input_step, strict=True)
    ]
    with torch.no_grad():
        whole = module(torch.from_numpy(np.pad(pixels, mirrored, "reflect"))[None])[0]
    np.testing.assert_allclose(tiled, whole[:, :61, :75], atol=1e-5)


def test_a_valid_network_that_takes_some_sizes_only():
    torch.manual_seed(0)
    valid = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.ConvTranspose2d(4, 2, 2, 2)
    ).eval()
    module, pixels = InSteps(valid, 8, 6), image(61, 75)
    found = audit(module, ndim=2)
    assert found.padding == "valid" and found.geometry.input_step == (8, 8)
    tiled = predict_exactly(module, found, pixels, tile=TILE)
    whole = predict_exactly(valid, audit(valid, ndim=2), pixels, tile=76)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_statistics_are_frozen_on_demand_only():
    module, pixels = network(nn.InstanceNorm2d(4)), image(64, 64)
    found = audit(module, ndim=2)
    with pytest.raises(ShiftSegError, match="1 \\(InstanceNorm2d\\)"):
        predict_exactly(module, found, pixels, tile=TILE)
    tiled = predict_exactly(module, found, pixels, tile=TILE, freeze=True)
    whole = predict_exactly(module, found, pixels, tile=64, freeze=True)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_another_tile_than_multiples_of_the_period():
    module = network()
    with pytest.raises(ShiftSegError, match="multiple of the period, 2 px; nearest: 14 or 16"):
        predict_exactly(module, audit(module, ndim=2), image(40, 40), tile=15)
