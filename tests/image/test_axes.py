import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import channels_first


@pytest.mark.parametrize(
    ("shape", "ndim", "in_channels", "expected"),
    [
        ((5, 7), 2, 1, (1, 5, 7)),
        ((1, 5, 7), 2, 1, (1, 5, 7)),
        ((5, 7, 1), 2, 1, (1, 5, 7)),
        ((3, 5, 7), 2, 3, (3, 5, 7)),
        ((5, 7, 3), 2, 3, (3, 5, 7)),
        ((4, 5, 7), 3, 1, (1, 4, 5, 7)),
    ],
)
def test_brings_the_channels_to_the_front(shape, ndim, in_channels, expected):
    assert channels_first(np.zeros(shape), ndim=ndim, in_channels=in_channels).shape == expected


def test_trailing_channels_are_moved_and_not_reshaped():
    image = np.random.default_rng(0).random((5, 7, 3))
    moved = channels_first(image, ndim=2, in_channels=3)
    np.testing.assert_array_equal(moved[2], image[..., 2])


def test_lists_and_booleans_are_images():
    np.testing.assert_array_equal(
        channels_first([[True, False]], ndim=2, in_channels=1), [[[1, 0]]]
    )


@pytest.mark.parametrize(
    ("image", "ndim", "message"),
    [
        (np.zeros((5, 7, 3)), 2, "looks like colour"),
        (np.zeros((5, 7)), 3, "needs 3 spatial axes"),
        (np.zeros((9, 5, 7)), 2, "needs 2 spatial axes and 1 channel"),
        (np.zeros((2, 9, 5, 7)), 2, "needs 2 spatial axes"),
        (np.array([[1.0, np.nan, np.inf]]), 2, "2 pixels are not finite"),
        (np.zeros((5, 7), complex), 2, "type complex128"),
        (np.array([["a"]]), 2, "legal: integers and floats"),
        (np.zeros((0, 7)), 2, "empty"),
    ],
)
def test_images_that_do_not_fit_are_refused(image, ndim, message):
    with pytest.raises(ShiftSegError, match=message):
        channels_first(image, ndim=ndim, in_channels=1)
