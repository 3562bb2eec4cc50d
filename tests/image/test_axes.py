import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames


def frames(image, ndim=2, in_channels=1, axes=None):
    return Frames.of(image, ndim=ndim, in_channels=in_channels, axes=axes)


class Lazy:
    """Counts what is read of it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.read = 0

    def __getitem__(self, part):
        self.read += self.array[part].size
        return self.array[part]


@pytest.mark.parametrize(
    ("shape", "ndim", "in_channels", "axes", "loops", "expected"),
    [
        ((5, 7), 2, 1, None, (), (1, 5, 7)),
        ((1, 5, 7), 2, 1, None, (), (1, 5, 7)),
        ((5, 7, 1), 2, 1, None, (), (1, 5, 7)),
        ((3, 5, 7), 2, 3, None, (), (3, 5, 7)),
        ((5, 7, 3), 2, 3, None, (), (3, 5, 7)),
        ((4, 5, 7), 3, 1, None, (), (1, 4, 5, 7)),
        ((9, 5, 7), 2, 1, None, (9,), (1, 5, 7)),
        ((2, 9, 5, 7), 2, 1, None, (2, 9), (1, 5, 7)),
        ((6, 2, 5, 7), 2, 2, None, (6,), (2, 5, 7)),
        ((6, 5, 7, 2), 2, 2, None, (6,), (2, 5, 7)),
        ((2, 9, 5, 7), 3, 1, "tzyx", (2,), (1, 9, 5, 7)),
        ((2, 9, 5, 7), 2, 1, "czyx", (2, 9), (1, 5, 7)),
        ((2, 9, 5, 7), 2, 9, "tcyx", (2,), (9, 5, 7)),
        ((5, 7, 4), 2, 1, "yxt", (4,), (1, 5, 7)),
        ((3, 5, 7), 2, 1, "cyx", (3,), (1, 5, 7)),
    ],
)
def test_axes_are_space_channels_or_loops(shape, ndim, in_channels, axes, loops, expected):
    found = frames(np.zeros(shape), ndim, in_channels, axes)
    assert found.loops == loops
    assert all(frame.shape == frame.read().shape == expected for _, frame in found)
    assert len(list(found)) == len(found) == np.prod(loops)


def test_pixels_are_moved_and_not_reshaped():
    image = np.random.default_rng(0).random((4, 5, 7, 3))
    found = dict(frames(image, in_channels=3))
    np.testing.assert_array_equal(found[(2,)].read(), np.moveaxis(image[2], -1, 0))
    rows = image[..., 0]
    last = dict(frames(rows, axes="yxt"))
    np.testing.assert_array_equal(last[(6,)].read()[0], rows[..., 6])


def test_only_what_is_sliced_is_read():
    lazy = Lazy(np.zeros((3, 50, 60), np.uint16))
    frame = frames(lazy).frame((1,))
    assert lazy.read == 0
    frame[(slice(None), slice(5, 9), slice(0, 10))]
    assert lazy.read == 40


def test_slices_share_a_scaling_and_time_points_do_not():
    image = np.zeros((2, 9, 5, 7))
    named = frames(image, axes="tzyx")
    key, pixels = named.alike((1, 4))
    assert (key, pixels.shape) == ((1,), (1, 9, 5, 7))
    unnamed = frames(image)
    key, pixels = unnamed.alike((1, 4))
    assert (key, pixels.shape) == ((1, 4), (1, 5, 7))


def test_lists_and_booleans_are_images():
    np.testing.assert_array_equal(frames([[True, False]]).frame().read(), [[[1, 0]]])


@pytest.mark.parametrize(
    ("image", "ndim", "axes", "message"),
    [
        (np.zeros((5, 7, 3)), 2, None, "looks like colour"),
        (np.zeros((5, 7, 3)), 2, "yxs", "looks like colour"),
        (np.zeros((5, 7, 2)), 2, None, "looks like two channels; .* the axes are yxc"),
        (np.zeros((5, 7)), 3, None, "needs 3 spatial axes"),
        (np.zeros((9, 5, 7)), 3, "tyx", "and the axes tyx; the model needs 3 spatial axes"),
        (np.zeros((5, 7)), 2, "xy", "space is yx, in this order"),
        (np.zeros((5, 7)), 2, "xyz", "do not name the 2 axes"),
        (np.array([[1.0, np.nan, np.inf]]), 2, None, "2 pixels are not finite"),
        (np.zeros((5, 7), complex), 2, None, "type complex128"),
        (np.array([["a"]]), 2, None, "legal: integers and floats"),
        (np.zeros((0, 7)), 2, None, "empty"),
    ],
)
def test_images_that_do_not_fit_are_refused(image, ndim, axes, message):
    with pytest.raises(ShiftSegError, match=message):
        frames(image, ndim, axes=axes)


def test_a_lazy_image_is_refused_where_it_is_read():
    image = np.zeros((4, 4))
    image[3, 3] = np.nan
    frame = frames(Lazy(image)).frame()
    frame[(slice(None), slice(0, 2), slice(0, 4))]
    with pytest.raises(ShiftSegError, match="1 pixel is not finite"):
        frame.read()


def test_axes_may_be_spelt_as_in_tiff():
    assert frames(np.zeros((3, 5, 7)), 2, axes="TYX").axes == "tyx"
