"""Corollary 4: tiles of n periods, stitched, equal whole-image inference."""

import random

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_shiftseg.embeddings.predict import Stitcher, predict_tiles
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.image.border import read_reflected
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan
from random_networks import architectures, geometries, integer_network, random_network, work

AFFORDABLE = 1_500_000
"""Pixels that the tiles of one example may read."""


def image_for(architecture, size, seed=0):
    return np.random.default_rng(seed).random((architecture.in_channels, *size), np.float32)


def events(network, image, plan):
    channels = len(image)
    identity = Scaling((0.0,) * channels, (1.0,) * channels)
    return predict_tiles(network, image, identity, plan, torch.device("cpu"))


def stitched(network, plan, done):
    stitcher = Stitcher(plan, network.architecture.out_channels)
    for event in done:
        stitcher.add(event)
    return stitcher.result(foreground=False).embedding


def predict(network, image, mode, tile=None):
    plan = make_plan(network.architecture.geometry, image.shape[1:], mode, tile=tile)
    return stitched(network, plan, events(network, image, plan))


def relative_difference(one, other):
    return np.abs(one - other).max() / np.abs(other).max()


@st.composite
def corrected_runs(draw, geometry_strategy):
    """An architecture, an image size, and a plan of tiles of n periods."""
    geometry = draw(geometry_strategy)
    spans = 3 if geometry.ndim == 2 else 2
    tile, size = [], []
    for period in geometry.period:
        tile.append(period * draw(st.integers(1, max(1, 24 // period))))
        size.append(draw(st.integers(1, spans * tile[-1])))
    plan = make_plan(geometry, tuple(size), "corrected", tile=tuple(tile))
    whole = make_plan(geometry, tuple(size), "whole")
    assume(work(plan) + work(whole) <= AFFORDABLE)
    return draw(architectures(geometry)), plan


def assert_tiled_equals_whole(architecture, plan, seed):
    network = random_network(architecture, seed)
    image = image_for(architecture, plan.image_size, seed)
    tiled = stitched(network, plan, events(network, image, plan))
    assert relative_difference(tiled, predict(network, image, "whole")) <= 1e-5


@settings(max_examples=100)
@given(corrected_runs(geometries(ndims=(2,), levels=3, convolutions=2)), st.integers(0, 2**31))
def test_tiled_equals_whole_in_2d(run, seed):
    assert_tiled_equals_whole(*run, seed)


@settings(max_examples=40)
@given(
    corrected_runs(geometries(ndims=(3,), levels=2, kernels=(1, 3), convolutions=2)),
    st.integers(0, 2**31),
)
def test_tiled_equals_whole_in_3d(run, seed):
    assert_tiled_equals_whole(*run, seed)


@pytest.mark.parametrize("upsampling", ["learnt", "nearest"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_tiled_equals_whole_at_four_levels(upsampling, padding):
    geometry = NetworkGeometry.regular(2, 4, padding=padding)
    architecture = Architecture(geometry, maps=2, upsampling=upsampling)
    plan = make_plan(geometry, (37, 50), "corrected", tile=(16, 32))
    assert_tiled_equals_whole(architecture, plan, seed=4)


def exact(network, image, plan):
    """Stitch in double precision, without the rounding of the tiled prediction."""
    output = np.full((network.architecture.out_channels, *plan.image_size), np.nan)
    for tile in plan:
        pixels = torch.from_numpy(read_reflected(image, tile.outer))[None]
        output[(slice(None), *tile.inner)] = network(pixels)[0].numpy()[(slice(None), *tile.local)]
    return output


@settings(max_examples=40)
@given(corrected_runs(geometries(levels=2, kernels=(1, 3), convolutions=2)), st.integers(0, 2**31))
def test_the_difference_of_an_integer_network_is_exactly_zero(run, seed):
    architecture, plan = run
    network = integer_network(architecture, seed)
    whole = make_plan(architecture.geometry, plan.image_size, "whole")
    image = np.floor(8 * image_for(architecture, plan.image_size, seed)).astype(np.float64)
    reference = exact(network, image, whole)
    assert np.abs(reference).max() < 2**53
    np.testing.assert_array_equal(exact(network, image, plan), reference)


@given(st.randoms(use_true_random=False), st.sampled_from(["naive", "corrected"]))
def test_tiles_may_come_in_any_order(order: random.Random, mode):
    network = random_network(Architecture(NetworkGeometry.regular(2, 1), maps=2))
    image = image_for(network.architecture, (21, 30))
    plan = make_plan(network.architecture.geometry, (21, 30), mode, tile=8)
    done = list(events(network, image, plan))
    in_order = stitched(network, plan, done)
    order.shuffle(done)
    np.testing.assert_array_equal(stitched(network, plan, done), in_order)


def learnt(ndim, levels, factor, padding="valid", convolutions=1):
    geometry = NetworkGeometry.regular(
        ndim, levels, factor=factor, convolutions=convolutions, padding=padding
    )
    return random_network(Architecture(geometry, maps=4), seed=levels)


@given(st.sampled_from([(2, 1, 2), (2, 2, 2), (2, 1, 3), (3, 1, 2)]), st.integers(5, 20))
def test_naive_differs_from_whole_off_the_period_and_only_there(family, tile):
    network = learnt(*family)
    ndim, period = family[0], network.architecture.geometry.period[0]
    image = image_for(network.architecture, (2 * tile,) * ndim)
    difference = relative_difference(
        predict(network, image, "naive", tile), predict(network, image, "whole")
    )
    if tile % period:
        assert difference > 1e-3
    else:
        assert difference <= 1e-5


@st.composite
def regions(draw, size=(37, 50)):
    bounds = [
        sorted(draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in size
    ]
    return tuple(slice(*pair) for pair in bounds)


@given(
    regions(),
    st.sampled_from(["naive", "corrected", "whole", "blended"]),
    st.sampled_from(["valid", "same"]),
    st.integers(4, 20),
)
def test_a_region_alone_equals_that_part_of_the_whole_run(region, mode, padding, tile):
    network = learnt(2, 2, 2, padding=padding)
    geometry = network.architecture.geometry
    tile = max(1, tile // 4) * 4 if mode == "corrected" else tile
    image = image_for(network.architecture, (37, 50))
    whole = predict(network, image, mode, tile)
    plan = make_plan(geometry, (37, 50), mode, tile=tile, region=region)
    alone = stitched(network, plan, events(network, image, plan))
    assert np.abs(alone - whole[(slice(None), *region)]).max() <= 1e-5 * np.abs(whole).max()
    if mode in ("naive", "blended"):
        np.testing.assert_array_equal(alone, whole[(slice(None), *region)])


def test_naive_tiles_with_zero_padding_differ_even_on_the_period():
    network = learnt(2, 1, 2, padding="same")
    image = image_for(network.architecture, (32, 32))
    whole = predict(network, image, "whole")
    assert relative_difference(predict(network, image, "naive", 16), whole) > 1e-3
    assert relative_difference(predict(network, image, "corrected", 16), whole) <= 1e-5


def test_blended_windows_differ_from_whole_off_the_period():
    network = learnt(2, 2, 2)
    image = image_for(network.architecture, (45, 45))
    whole = predict(network, image, "whole")
    assert relative_difference(predict(network, image, "blended", 16), whole) > 1e-3


def test_coordinates_belong_to_the_image_and_not_to_the_tile():
    geometry = NetworkGeometry.regular(2, 1)
    architecture = Architecture(
        geometry, maps=2, embedding_dims=3, coordinate_dims=2, coordinate_scale=4.0, foreground=True
    )
    plain = Architecture(geometry, maps=2, embedding_dims=3, foreground=True)
    network, without = random_network(architecture), random_network(plain)
    image = image_for(architecture, (20, 25))
    added = predict(network, image, "corrected", 8) - predict(without, image, "corrected", 8)
    rows, columns = np.indices((20, 25)) / 4.0
    np.testing.assert_allclose(added[0], rows, atol=1e-5)
    np.testing.assert_allclose(added[1], columns, atol=1e-5)
    np.testing.assert_array_equal(added[2:], 0)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 3)])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_tiny_images(size, padding):
    geometry = NetworkGeometry.regular(2, 2, padding=padding)
    network = random_network(Architecture(geometry, maps=2))
    image = image_for(network.architecture, size)
    whole = predict(network, image, "whole")
    assert whole.shape[1:] == size
    assert relative_difference(predict(network, image, "corrected", 4), whole) <= 1e-5
