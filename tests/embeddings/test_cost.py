"""The price of a run, said before it runs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from napari_shiftseg.embeddings.cost import convolution_rate, cost_of
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan
from random_networks import architectures, geometries


def counted(architecture, plan):
    network = UNet(architecture).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        for tile in plan:
            size = [s.stop - s.start for s in tile.outer]
            network(torch.zeros(1, architecture.in_channels, *size))
    return counter.get_total_flops()


@st.composite
def networks(draw):
    return draw(architectures(draw(geometries(levels=2, kernels=(1, 3), convolutions=2))))


@settings(max_examples=20)
@given(networks(), st.sampled_from(["naive", "corrected", "blended", "whole"]))
def test_the_arithmetic_is_counted_exactly(architecture, mode):
    geometry = architecture.geometry
    size = tuple(2 * p + 1 for p in geometry.period)
    plan = make_plan(geometry, size, mode, tile=geometry.period if mode != "whole" else None)
    assert cost_of(architecture, plan).flops == counted(architecture, plan)


def test_smaller_tiles_need_less_memory_and_more_arithmetic():
    architecture = Architecture(NetworkGeometry.regular(2, 3))
    plans = [
        make_plan(architecture.geometry, (1000, 1000), "corrected", tile=tile) for tile in (96, 496)
    ]
    small, large = (cost_of(architecture, plan) for plan in plans)
    assert small.tile_bytes < large.tile_bytes / 5
    assert small.flops > large.flops
    assert small.result_bytes == large.result_bytes == 1000 * 1000 * 4 * (3 + 3)


def test_frames_add_up():
    architecture = Architecture(NetworkGeometry.regular(2, 1))
    plan = make_plan(architecture.geometry, (50, 50))
    one, five = cost_of(architecture, plan), cost_of(architecture, plan, frames=5)
    assert five.flops == 5 * one.flops
    assert five.tile_bytes == one.tile_bytes


def test_the_rate_of_this_machine_is_measured_once():
    rate = convolution_rate("cpu")
    assert 1e8 < rate < 1e15
    assert convolution_rate("cpu") == pytest.approx(rate, rel=0)
