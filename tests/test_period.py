"""Lemma 1: a U-Net is equivariant to shifts by its period, and to no smaller ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import architectures, geometries, random_network


def shifted_difference(network, axis, shift, seed=0):
    """Relative difference of F(shifted image) and shifted F(image), where both are known."""
    geometry = network.architecture.geometry
    size = [n + 2 * p for n, p in zip(geometry.min_input_size, geometry.period, strict=True)]
    wide = list(size)
    wide[axis] += shift
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, network.architecture.in_channels, *wide, generator=generator)
    straight = network(image.narrow(axis + 2, 0, size[axis]))
    shifted = network(image.narrow(axis + 2, shift, size[axis]))
    common = straight.shape[axis + 2] - shift
    one = straight.narrow(axis + 2, shift, common)
    other = shifted.narrow(axis + 2, 0, common)
    return float((one - other).abs().max() / straight.abs().max())


@given(
    st.data(),
    geometries(ndims=(2,), levels=2, kernels=(1, 3), convolutions=2, paddings=["valid"]),
    st.integers(0, 2**31),
)
def test_shifts_by_the_period_pass_through(data, geometry, seed):
    network = random_network(data.draw(architectures(geometry)), seed)
    for axis, period in enumerate(geometry.period):
        assert shifted_difference(network, axis, period, seed) <= 1e-5


@pytest.mark.parametrize("upsampling", ["learnt", "nearest"])
@pytest.mark.parametrize(
    "factors", [((2, 2),), ((2, 3),), ((2, 2), (2, 2)), ((1, 2), (3, 2))], ids=str
)
def test_smaller_shifts_do_not(factors, upsampling):
    block = ((3, 3),)
    geometry = NetworkGeometry(
        factors=factors, down=(block,) * (len(factors) + 1), up=(block,) * len(factors)
    )
    network = random_network(Architecture(geometry, maps=4, upsampling=upsampling))
    for axis, period in enumerate(geometry.period):
        for shift in range(1, period):
            assert shifted_difference(network, axis, shift) > 1e-3
