"""The paper's family, whose sizes are known by arithmetic: measuring finds the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_shiftseg import audit
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import architectures, geometries, random_network

FAMILY = geometries(ndims=(2,), levels=2, kernels=(1, 3, 5), convolutions=2)


@settings(max_examples=15)
@given(st.data(), FAMILY, st.integers(0, 2**31))
def test_period_receptive_field_and_context_are_those_of_the_geometry(data, geometry, seed):
    network = random_network(data.draw(architectures(geometry)), seed)
    found = audit(network, ndim=geometry.ndim, in_channels=network.architecture.in_channels)
    assert found.period == geometry.period
    assert found.context == geometry.context
    for (before, after), reach in zip(found.receptive_field, geometry.receptive_field, strict=True):
        assert max(before, after) == reach
    for axis, legal in enumerate(geometry.min_input_size):
        sizes = found.axes[axis].sizes
        assert sizes.smallest == legal
        if geometry.padding == "same":
            assert sizes.step == geometry.period[axis]
        else:
            assert geometry.period[axis] % sizes.step == 0
    assert found.exact_tiling
    assert not found.non_local


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_three_dimensions(factor, padding):
    geometry = NetworkGeometry.regular(3, 2, factor=factor, convolutions=1, padding=padding)
    geometry = geometry.flattened(1)
    found = audit(random_network(Architecture(geometry, maps=2)), ndim=3)
    assert found.period == geometry.period == (factor, factor**2, factor**2)
    assert tuple(map(max, found.receptive_field)) == geometry.receptive_field
    assert found.padding == padding
    assert found.halo == (
        tuple(c // 2 for c in geometry.context)
        if padding == "valid"
        else tuple(
            -(-r // p) * p for r, p in zip(geometry.receptive_field, geometry.period, strict=True)
        )
    )


def test_a_network_that_answers_one_image_alike_whatever_it_is_scaled_by_is_no_labeller():
    geometry = NetworkGeometry(
        factors=((3, 2), (1, 2)),
        down=(((1, 1),), ((1, 3),), ((1, 1), (1, 5))),
        up=(((5, 1), (1, 3)), ((1, 1), (1, 5))),
        head=((3, 5),),
    )
    nearly_dead = random_network(Architecture(geometry, maps=2, embedding_dims=3), seed=664)
    assert audit(nearly_dead, ndim=2).period == (3, 4)


def test_a_network_that_some_probes_leave_dead_looks_no_farther_for_it():
    geometry = NetworkGeometry(
        factors=((1, 2),),
        down=(((1, 3),), ((1, 5),)),
        up=(((1, 1),),),
        head=((1, 3),),
        padding="valid",
    )
    network = random_network(Architecture(geometry, maps=2, map_growth=1, embedding_dims=2), seed=2)
    found = audit(network, ndim=2)
    assert tuple(map(max, found.receptive_field)) == geometry.receptive_field
