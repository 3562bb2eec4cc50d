from __future__ import annotations

import numpy as np
import pytest

from napari_shiftseg.labels.classical import otsu_watershed


def balls(*centres: tuple[int, ...], radius: int, shape: tuple[int, ...]) -> np.ndarray:
    """Bright balls on a dark, noisy ground."""
    image = np.random.default_rng(0).normal(10, 1, shape)
    position = np.indices(shape)
    for centre in centres:
        away = position - np.reshape(centre, (-1, *(1,) * len(shape)))
        image[(away**2).sum(0) <= radius**2] += 100
    return image.astype(np.uint8)


def test_touching_discs_are_cut_and_lone_ones_are_not():
    image = balls((20, 20), (20, 37), (50, 50), radius=10, shape=(70, 70))
    labels = otsu_watershed(image)
    assert labels.max() == 3
    assert labels[20, 20] == 1
    assert labels[20, 37] == 2
    assert np.count_nonzero(labels == 3) == pytest.approx(np.pi * 10**2, rel=0.1)


def test_balls_in_a_volume():
    image = balls((12, 12, 12), (12, 12, 27), radius=9, shape=(24, 24, 40))
    labels = otsu_watershed(image)
    assert labels.shape == image.shape
    assert labels.max() == 2


def test_objects_at_the_border_are_found():
    assert otsu_watershed(balls((0, 30), radius=8, shape=(40, 60))).max() == 1


def test_specks_are_dropped():
    image = balls((20, 20), radius=1, shape=(40, 40))
    assert otsu_watershed(image).max() == 0
    assert otsu_watershed(image, min_size=2).max() == 1


def test_a_larger_distance_cuts_less():
    image = balls((20, 20), (20, 33), radius=8, shape=(40, 60))
    assert otsu_watershed(image).max() == 2
    assert otsu_watershed(image, min_distance=20).max() == 1


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_image_has_no_objects(value):
    assert not otsu_watershed(np.full((30, 30), value, np.uint8)).any()
