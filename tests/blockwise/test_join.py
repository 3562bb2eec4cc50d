"""Joining blocks gives what one block of the whole frame gives: as a property of any labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_shiftseg.blockwise.blocks import BlockGrid
from napari_shiftseg.blockwise.join import join
from napari_shiftseg.blockwise.label import parts_in
from napari_shiftseg.labels.cluster import clean_up
from napari_shiftseg.settings import Clustering


def joined(by_mode, block, clustering, *, foreground=True):
    """Label block by block; ``by_mode`` has the mode of each pixel, from 1 on."""
    grid = BlockGrid(by_mode.shape, block)
    found = [
        parts_in(by_mode[grid.region(i)], grid.region(i), by_mode.shape) for i in range(len(grid))
    ]
    numbering = join([parts for _, parts in found], grid, clustering, foreground=foreground)
    labels = np.zeros(by_mode.shape, np.uint32)
    for index, (pixels, _) in enumerate(found):
        labels[grid.region(index)] = numbering.of_block[index][pixels]
    return labels, numbering.objects


@st.composite
def modes_and_block(draw):
    ndim = draw(st.sampled_from([2, 3]))
    size = tuple(draw(st.integers(1, 12 if ndim == 3 else 40)) for _ in range(ndim))
    block = tuple(draw(st.integers(1, 14)) for _ in range(ndim))
    modes = np.random.default_rng(draw(st.integers(0, 2**31))).integers(
        0, draw(st.integers(1, 4)) + 1, size
    )
    smooth = draw(st.integers(1, 4))
    coarse = np.kron(modes, np.ones((smooth,) * ndim, int))[tuple(slice(0, n) for n in size)]
    return coarse, block


@settings(max_examples=200)
@given(modes_and_block(), st.integers(0, 30), st.booleans())
def test_labels_are_those_of_one_block(case, min_size, split):
    by_mode, block = case
    clustering = Clustering(min_size=min_size, split_components=split)
    labels, objects = joined(by_mode, block, clustering)
    np.testing.assert_array_equal(labels, clean_up(by_mode, clustering))
    assert objects == labels.max()


@settings(max_examples=100)
@given(modes_and_block(), st.booleans())
def test_without_foreground_the_largest_mode_is_background(case, split):
    by_mode, block = case
    by_mode = by_mode + 1
    clustering = Clustering(min_size=1, split_components=split)
    labels, _ = joined(by_mode, block, clustering, foreground=False)
    without = np.where(by_mode == np.bincount(by_mode.ravel()).argmax(), 0, by_mode)
    np.testing.assert_array_equal(labels, clean_up(without, clustering))


def test_a_ring_through_four_blocks_is_one_object():
    ring = np.zeros((12, 12), int)
    ring[2:10, 2:10] = 1
    ring[4:8, 4:8] = 0
    labels, objects = joined(ring, (6, 6), Clustering(min_size=1))
    assert objects == 1
    np.testing.assert_array_equal(labels, ring)


@pytest.mark.parametrize(
    ("size", "block", "count"),
    [((10, 10), (4, 4), 9), ((8, 8), (8, 8), 1), ((5, 7, 3), (2, 7, 2), 6)],
)
def test_blocks_cover_a_frame_once(size, block, count):
    grid = BlockGrid(size, block)
    seen = np.zeros(size, int)
    for index in range(len(grid)):
        seen[grid.region(index)] += 1
    assert len(grid) == count and (seen == 1).all()


def test_blocks_that_touch_a_region_are_found():
    grid = BlockGrid((100, 100), (30, 40))
    region = (slice(29, 61), slice(40, 41))
    assert list(grid.touching(region)) == [1, 4, 7]
