"""An array of any size is gone through slab by slab, and each of its planes is read once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.image import slabs
from napari_shiftseg.image.slabs import Boxes, Slabs

da = pytest.importorskip("dask.array")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(slabs, "_PIXELS", 60)
    monkeypatch.setattr(slabs, "_MOST", 150)


@pytest.fixture
def pixels():
    return np.arange(23 * 10).reshape(23, 10)


class Counting:
    """An array that remembers which planes were read."""

    def __init__(self, array):
        self.array, self.read = array, []
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, part):
        self.read += range(self.shape[0])[part[0]]
        return self.array[part]


@pytest.mark.parametrize(("chunk", "thick"), [(23, 6), (4, 8), (6, 6), (1, 6), (15, 15), (16, 6)])
def test_have_whole_chunks_unless_these_are_too_large(pixels, chunk, thick):
    cut = Slabs.of(da.from_array(pixels, chunks=(chunk, 10)))
    assert cut.thick == thick
    starts, parts = zip(*cut, strict=True)
    assert list(starts) == list(range(0, 23, thick)) and len(cut) == len(starts)
    np.testing.assert_array_equal(np.concatenate(parts), pixels)


def test_of_an_array_in_memory_are_views(pixels):
    assert all(slab.base is pixels.base for _, slab in Slabs.of(pixels))


@given(st.lists(st.tuples(st.integers(0, 22), st.integers(1, 12)), min_size=1, max_size=9))
def test_boxes_in_order_read_each_plane_at_most_once(spans):
    pixels = np.arange(23 * 10).reshape(23, 10)
    source = Counting(pixels)
    boxes = Boxes(Slabs.of(da.from_array(source, chunks=(5, 10), meta=pixels[:0])))
    assert (boxes.shape, boxes.dtype, boxes.ndim) == (pixels.shape, pixels.dtype, 2)
    for start, length in sorted(spans):
        box = slice(start, start + length), slice(2, 7)
        np.testing.assert_array_equal(boxes[box], pixels[box])
    assert len(source.read) == len(set(source.read))
