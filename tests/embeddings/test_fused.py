"""Fused layers give what the plain ones give, from the same weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_shiftseg.embeddings.device import fast_layout
from napari_shiftseg.embeddings.fused import fused
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import architectures, geometries, integer_network, random_network


@st.composite
def runs(draw):
    geometry = draw(geometries(ndims=(1, 2, 3), levels=2, kernels=(1, 3), convolutions=2))
    return draw(architectures(geometry)), draw(st.booleans())


@settings(max_examples=40)
@given(runs(), st.integers(0, 2**31))
def test_fused_equals_plain(run, seed):
    architecture, channels_last = run
    network = random_network(architecture, seed)
    image = torch.rand(1, architecture.in_channels, *architecture.geometry.min_input_size)
    if channels_last:
        network, image = fast_layout(network), fast_layout(image)
    expected = network(image)
    with torch.inference_mode():
        difference = (fused(network)(image) - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_doubles_are_exact(ndim):
    geometry = NetworkGeometry.regular(ndim, 1)
    network = integer_network(Architecture(geometry, maps=2))
    image = torch.randint(0, 9, (1, 1, *geometry.min_input_size)).double()
    with torch.inference_mode():
        assert torch.equal(fused(network)(image), network(image))


def test_one_packing_of_weights_serves_all_sizes():
    geometry = NetworkGeometry.regular(2, 2, padding="same")
    network = random_network(Architecture(geometry, maps=8))
    fast = fused(network)
    with torch.inference_mode():
        for size in [(4, 4), (64, 8), (8, 200), (100, 100)]:
            image = torch.rand(1, 1, *size)
            torch.testing.assert_close(fast(image), network(image), rtol=1e-4, atol=1e-5)


def test_weights_are_shared_and_the_network_stays_as_it_is():
    network = random_network(Architecture(NetworkGeometry.regular(2, 1), maps=2))
    before = list(network.named_parameters())
    fast = fused(network)
    assert fused(fast) is fast
    assert {p.data_ptr() for p in fast.parameters()} == {p.data_ptr() for p in network.parameters()}
    assert list(network.named_parameters()) == before
