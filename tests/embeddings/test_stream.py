"""A window in chunks of rows gives what the network gives at once."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_shiftseg.embeddings.device import fast_layout
from napari_shiftseg.embeddings.stream import Stream
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import architectures, geometries, integer_network, random_network

AFFORDABLE = {1: 20_000, 2: 200_000, 3: 300_000}
"""Pixels of a window, by its number of axes."""


def chunks_of(window, sizes):
    """Cut rows into chunks of these sizes, again and again."""
    at = 0
    while at < window.shape[2]:
        size = sizes[0]
        sizes = [*sizes[1:], size]
        yield window[:, :, at : at + size]
        at += size


def streamed(network, window, sizes):
    stream = Stream(network, tuple(window.shape[2:]))
    pushed = [stream.push(rows) for rows in chunks_of(window, sizes)]
    return torch.cat([rows for rows in pushed if rows is not None], dim=2)


@st.composite
def runs(draw, **options):
    """An architecture, a legal window that is longest on its first axis, and sizes of chunks."""
    geometry = draw(geometries(**options))
    periods = [draw(st.integers(0, 8 if axis == 0 else 1)) for axis in range(geometry.ndim)]
    window = tuple(
        smallest + n * period
        for smallest, n, period in zip(
            geometry.min_input_size, periods, geometry.period, strict=True
        )
    )
    assume(torch.Size(window).numel() <= AFFORDABLE[geometry.ndim])
    sizes = draw(st.lists(st.integers(1, max(1, window[0] // 2)), min_size=1, max_size=4))
    return draw(architectures(geometry)), window, sizes


def image_for(architecture, window, seed, whole_numbers=False):
    generator = torch.Generator().manual_seed(seed)
    shape = (1, architecture.in_channels, *window)
    if whole_numbers:
        return torch.randint(0, 9, shape, generator=generator).double()
    return torch.rand(shape, generator=generator)


FLAT = NetworkGeometry.regular(3, 2, padding="valid").flattened(1)


@settings(max_examples=60)
@given(
    runs(ndims=(1, 2, 3), levels=3, kernels=(1, 3, 5), convolutions=2),
    st.integers(0, 2**31),
    st.booleans(),
)
def test_any_chunking_gives_what_the_network_gives_at_once(run, seed, channels_last):
    architecture, window, sizes = run
    network = random_network(architecture, seed)
    image = image_for(architecture, window, seed)
    if channels_last:
        network, image = fast_layout(network), fast_layout(image)
    expected = network(image)
    difference = (streamed(network, image, sizes) - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()


@settings(max_examples=60)
@given(
    runs(ndims=(1, 2, 3), levels=2, kernels=(1, 3), convolutions=2),
    st.integers(0, 2**31),
)
def test_the_difference_of_an_integer_network_is_exactly_zero(run, seed):
    architecture, window, sizes = run
    network = integer_network(architecture, seed)
    image = image_for(architecture, window, seed, whole_numbers=True)
    expected = network(image)
    assert expected.abs().max() < 2**53
    assert torch.equal(streamed(network, image, sizes), expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("flat", [0, 1, 2])
@pytest.mark.parametrize("upsampling", ["learnt", "nearest"])
def test_planes_that_are_not_convolved(padding, flat, upsampling):
    geometry = NetworkGeometry.regular(3, 2, convolutions=1, padding=padding).flattened(flat)
    architecture = Architecture(geometry, maps=2, upsampling=upsampling)
    window = tuple(n + 2 * p for n, p in zip(geometry.min_input_size, geometry.period, strict=True))
    network = integer_network(architecture)
    image = image_for(architecture, window, 0, whole_numbers=True)
    assert torch.equal(streamed(network, image, [1]), network(image))


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_rows_are_handed_out_as_soon_as_they_are_complete(padding):
    geometry = NetworkGeometry.regular(1, 2, padding=padding)
    network = random_network(Architecture(geometry, maps=2))
    window = geometry.next_input_size(0, 200)
    stream = Stream(network, (window,))
    done = 0
    for row in range(window):
        rows = stream.push(torch.rand(1, 1, 1))
        done += 0 if rows is None else rows.shape[2]
        seen = row + 1 - geometry.halo[0] - geometry.period[0]
        assert done >= seen if padding == "same" else done >= seen - geometry.halo[0]
    assert done == geometry.output_size((window,))[0]


def test_what_waits_does_not_grow_with_the_window():
    geometry = NetworkGeometry.regular(2, 2)
    network = random_network(Architecture(geometry, maps=2))
    window = (geometry.next_input_size(0, 1000), geometry.min_input_size[1])
    stream = Stream(network, window)
    waiting = []
    for rows in chunks_of(image_for(network.architecture, window, 0), [4]):
        stream.push(rows)
        waiting.append(sum(part.shape[2] for part in stream._levels._skip._waiting))
    assert max(waiting) <= geometry.context[0]


def test_windows_and_rows_that_do_not_fit_are_refused():
    geometry = NetworkGeometry.regular(1, 1, convolutions=1)
    network = random_network(Architecture(geometry, maps=2))
    with pytest.raises(ShiftSegError, match="nearest legal: 20 or 22"):
        Stream(network, (21,))
    stream = Stream(network, (20,))
    stream.push(torch.rand(1, 1, 15))
    with pytest.raises(ShiftSegError, match="got 6 rows; legal: 1 to 5"):
        stream.push(torch.rand(1, 1, 6))
