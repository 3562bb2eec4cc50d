import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.image.pyramid import EDGE, blocks, halvings, read_reduced


def test_only_long_axes_of_space_are_halved():
    assert halvings((900, 3, 50, 1000, 300), "tczyx") == [
        (1, 1, 1, 1, 1),
        (1, 1, 1, 2, 2),
        (1, 1, 1, 4, 2),
    ]
    assert halvings((EDGE, EDGE), "yx") == [(1, 1)]


@given(st.data())
def test_blocks_cover_every_pixel_once(data):
    shape = data.draw(st.tuples(*[st.integers(1, 9)] * 3))
    block = data.draw(st.tuples(*[st.integers(1, 5)] * 3))
    seen = np.zeros(shape, int)
    for part in blocks(shape, block):
        seen[part] += 1
    assert (seen == 1).all()


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.sampled_from(["mean", "nearest"]))
def test_a_level_does_not_depend_on_its_blocks(shape, reduction):
    source = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    small = tuple(-(-size // 2) for size in shape)
    whole = read_reduced(source, tuple(slice(0, size) for size in small), (2, 2), reduction)
    assert whole.shape == small and whole.dtype == np.uint8
    for block in blocks(small, (2, 3)):
        np.testing.assert_array_equal(read_reduced(source, block, (2, 2), reduction), whole[block])


def test_means_are_rounded_and_not_cut():
    source = np.array([[1, 2, 9], [2, 2, 9]], np.uint8)
    block = (slice(0, 1), slice(0, 2))
    np.testing.assert_array_equal(read_reduced(source, block, (2, 2), "mean"), [[2, 9]])
    np.testing.assert_array_equal(read_reduced(source, block, (2, 2), "nearest"), [[1, 9]])
