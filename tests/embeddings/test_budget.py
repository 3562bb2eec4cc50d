"""The memory of streams, and the tile that an amount of memory buys."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from napari_shiftseg.embeddings import budget
from napari_shiftseg.embeddings.budget import (
    rows_at_once,
    stream_rows,
    streamed_cost,
    tile_within,
    without_waste,
)
from napari_shiftseg.embeddings.cost import cost_of
from napari_shiftseg.embeddings.stream import Stream
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan
from random_networks import architectures, geometries, random_network

FLAT = Architecture(NetworkGeometry.regular(2, 3))
DEEP = Architecture(NetworkGeometry.regular(3, 2, convolutions=1))


@st.composite
def networks(draw):
    return draw(architectures(draw(geometries(levels=2, kernels=(1, 3), convolutions=2))))


@settings(max_examples=15)
@given(networks())
def test_the_arithmetic_of_a_stream_is_counted_exactly(architecture):
    geometry = architecture.geometry
    plan = make_plan(geometry, tuple(3 * p + 1 for p in geometry.period), "whole")
    (tile,) = plan
    window = torch.rand(1, architecture.in_channels, *(s.stop - s.start for s in tile.outer))
    network = random_network(architecture).double()
    stream = Stream(network, tuple(window.shape[2:]))
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        for rows in torch.split(window.double(), geometry.period[0], dim=2):
            stream.push(rows)
    assert streamed_cost(architecture, plan).flops == counter.get_total_flops()


def test_a_column_is_one_stream():
    plan = make_plan(FLAT.geometry, (2000, 400), "corrected", tile=200)
    high = make_plan(FLAT.geometry, (2000, 400), "corrected", tile=(2000, 200))
    assert streamed_cost(FLAT, plan).flops == cost_of(FLAT, high).flops
    assert streamed_cost(FLAT, plan, frames=3).flops == 3 * cost_of(FLAT, high).flops


def test_the_memory_of_a_stream_does_not_grow_with_the_image():
    short, long = (
        streamed_cost(FLAT, make_plan(FLAT.geometry, (n, 400), "corrected", tile=200))
        for n in (2000, 200_000)
    )
    assert short.tile_bytes == long.tile_bytes


def test_streams_are_chosen_where_they_win():
    many = make_plan(FLAT.geometry, (2000, 2000), "corrected", tile=200)
    rows = stream_rows(FLAT, many)
    assert rows is not None
    assert 8 <= rows <= rows_at_once(FLAT, many)
    assert rows % FLAT.geometry.period[0] == 0
    streamed, tiled = streamed_cost(FLAT, many, rows), cost_of(FLAT, many)
    assert streamed.flops < tiled.flops
    assert streamed.tile_bytes <= tiled.tile_bytes
    single = make_plan(FLAT.geometry, (50, 50), "corrected", tile=200)
    naive = make_plan(FLAT.geometry, (2000, 2000), "naive", tile=200)
    assert stream_rows(FLAT, single) is None
    assert stream_rows(FLAT, naive) is None
    assert stream_rows(FLAT, many, torch.device("cuda")) is None


@pytest.mark.parametrize(("architecture", "size"), [(FLAT, (3000, 1200)), (DEEP, (120, 150, 90))])
def test_the_chosen_tile_is_legal_and_within_the_memory(architecture, size):
    flops = []
    for memory in (100 * 10**6, 10**9, 10**11):
        tile = tile_within(architecture, size, memory)
        assert all(n % p == 0 for n, p in zip(tile, architecture.geometry.period, strict=True))
        arithmetic, needed, *_ = budget._price(architecture, size, tile, "cpu")
        assert needed <= memory
        flops.append(arithmetic)
    plan = make_plan(architecture.geometry, size, tile=tile)
    assert tile[0] >= min(size[0], rows_at_once(architecture, plan))
    assert flops[2] <= 1.05 * flops[1]
    assert flops[1] <= 1.05 * flops[0]


def test_what_is_taken_already_is_taken_off():
    alone = tile_within(FLAT, (3000, 3000), 200 * 10**6)
    assert tile_within(FLAT, (3000, 3000), 10**9, resident_bytes=800 * 10**6) == alone


def test_too_little_memory_is_refused_with_what_is_needed():
    with pytest.raises(ShiftSegError, match=r"the memory is 1 MB; .* at least [\d.]+ MB"):
        tile_within(FLAT, (1000, 1000), 10**6)


@pytest.mark.parametrize("architecture", [FLAT, DEEP], ids=["2-D", "3-D"])
def test_small_tiles_are_doubled_until_their_margins_cost_little(architecture):
    geometry = architecture.geometry
    tile = without_waste(architecture, geometry.period)
    times = tile[0] // geometry.period[0]
    assert times & (times - 1) == 0
    assert tile == tuple(times * p for p in geometry.period)
    assert _waste(architecture, tile) < 2.5 < _waste(architecture, tuple(n // 2 for n in tile))
    assert without_waste(architecture, tile) == tile


def _waste(architecture, tile):
    """Arithmetic of tiles over that of their image as a whole, which is large."""
    size = tuple(30 * n for n in tile)
    tiled = make_plan(architecture.geometry, size, "corrected", tile=tile)
    whole = make_plan(architecture.geometry, size, "whole")
    return cost_of(architecture, tiled).flops / cost_of(architecture, whole).flops
