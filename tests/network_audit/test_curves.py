"""The data of an audit's plots agree with the audit."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_shiftseg import audit
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.network_audit.curves import Curves
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import random_network


def u_net(padding="valid", ndim=2):
    geometry = NetworkGeometry.regular(ndim, 2, convolutions=1, padding=padding)
    return random_network(Architecture(geometry, maps=4))


def curves_of(network, ndim=2):
    found = audit(network, ndim=ndim)
    return found, Curves(network, found)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_errors_are_rounding_at_multiples_of_the_period_alone(padding):
    _, curves = curves_of(u_net(padding))
    for axis in (0, 1):
        curve = curves.shifts(axis)
        assert (curve.axis, curve.period, curve.shifts) == (axis, 4, tuple(range(1, 9)))
        for errors in (curve.given, curve.random):
            exact = [s for s, e in zip(curve.shifts, errors, strict=True) if e <= curve.equal]
            assert exact == [4, 8]


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_map_is_as_wide_as_the_receptive_field(padding):
    found, curves = curves_of(u_net(padding))
    (response,) = curves.responses()
    assert response.axes == (0, 1)
    assert response.before == tuple(before for before, _ in found.receptive_field)
    assert response.positive.max() == response.given.max() == 1
    for axis, (before, after) in enumerate(found.receptive_field):
        felt = np.flatnonzero(response.positive.max(1 - axis))
        assert (felt[0], felt[-1]) == (0, before + after)


def test_a_lopsided_kernel_looks_to_the_side_that_it_was_given():
    class Ahead(nn.Module):
        """Sees two pixels after its own along the columns, and none before."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, (1, 3))

        def forward(self, images):
            return self.conv(nn.functional.pad(images, (0, 2)))

    found, curves = curves_of(Ahead())
    assert found.receptive_field == ((0, 0), (0, 2))
    (response,) = curves.responses()
    assert response.before == (0, 0)
    assert response.positive.shape == (1, 3)
    assert (response.positive > 0).all()


@pytest.mark.parametrize("ndim", [1, 3])
def test_other_networks_have_a_profile_per_axis(ndim):
    if ndim == 1:
        network = nn.Sequential(nn.Conv1d(1, 2, 5), nn.ReLU(), nn.Conv1d(2, 1, 3)).eval()
    else:
        network = u_net(ndim=3)
    found, curves = curves_of(network, ndim)
    for axis, response in enumerate(curves.responses()):
        before, after = found.receptive_field[axis]
        assert response.axes == (axis,)
        assert response.positive.shape == response.given.shape == (before + after + 1,)
        assert response.positive[0] > 0 and response.positive[-1] > 0


def test_statistics_are_frozen_first():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.MaxPool2d(2)
    ).eval()
    found, curves = curves_of(network)
    assert found.parts and found.tileable
    curve = curves.shifts(0)
    assert curve.shifts[1] == curve.period == 2
    assert curve.given[1] <= curve.equal
    assert curves.responses()[0].positive.max() == 1


def test_what_sees_everything_has_no_map_and_no_zero():
    class Stretch(nn.Module):
        """Resamples to a size that is no multiple of its own."""

        def forward(self, images):
            small = nn.functional.interpolate(images, size=(37, 37), mode="bilinear")
            return nn.functional.interpolate(small, size=images.shape[2:], mode="bilinear")

    found, curves = curves_of(Stretch())
    assert not found.tileable
    assert curves.responses() == ()
    assert min(curves.shifts(0).given) > curves.shifts(0).equal


def test_long_periods_are_measured_in_steps():
    network = nn.Sequential(nn.AvgPool2d(64), nn.Upsample(scale_factor=64)).eval()
    curve = curves_of(network)[1].shifts(0)
    assert curve.shifts == tuple(range(2, 129, 2))
    assert [s for s, e in zip(curve.shifts, curve.given, strict=True) if e <= curve.equal] == [
        64,
        128,
    ]
