"""Whether layers of one size lie over each other."""

import numpy as np
import pytest

from napari_shiftseg._napari.placement import lie_apart

SHAPE = (30, 40)


@pytest.fixture
def labels(viewer):
    return viewer.add_labels(np.zeros(SHAPE, int), scale=(0.5, 0.5))


@pytest.mark.parametrize(
    ("placed", "apart"),
    [
        ({"scale": (0.5, 0.5)}, False),
        ({"scale": (0.5, 0.5), "translate": (0, 0.2)}, False),
        ({"scale": (0.5, 0.5), "translate": (0, 0.3)}, True),
        ({"scale": (1, 1)}, True),
        ({"scale": (0.5, 0.5), "rotate": 30}, True),
        ({"scale": (0.5, 0.5), "shear": (0.5,)}, True),
        ({"scale": (0.5, 0.5), "affine": [[1, 0, 9], [0, 1, 0], [0, 0, 1]]}, True),
        ({"scale": (-0.5, 0.5)}, True),
    ],
)
def test_corners_tell_it(labels, viewer, placed, apart):
    assert lie_apart(labels, viewer.add_image(np.zeros(SHAPE), **placed)) == apart


@pytest.mark.parametrize("shape", [(3, *SHAPE), (2, 3, *SHAPE)])
def test_frames_and_channels_before_them_are_left_out(labels, viewer, shape):
    scale = (*range(3, 3 + len(shape) - 2), 0.5, 0.5)
    assert not lie_apart(labels, viewer.add_image(np.zeros(shape), scale=scale))


def test_of_other_axes_nothing_is_said(labels, viewer):
    assert not lie_apart(labels, viewer.add_image(np.zeros((*SHAPE, 5)), scale=(1, 1, 1)))
