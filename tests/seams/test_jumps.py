import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.seams.jumps import JumpSums, measure_jumps

SEAMS = ((10,), ())


def step(height, at=10):
    """A gentle slope of 1 per pixel, with a step of the given height before one row."""
    slope = np.arange(20.0)[:, None].repeat(8, 1)
    return np.where(np.arange(20)[:, None] >= at, slope + height - 1, slope)[None]


def test_a_step_at_the_seam_is_a_jump():
    jumps = measure_jumps(step(7), np.ones((20, 8), int), SEAMS)
    assert (jumps.at_seams, jumps.beside_seams, jumps.ratio) == (7, 1, 7)
    assert (jumps.across_pairs, jumps.beside_pairs) == (8, 16)


def test_a_slope_has_no_jump():
    assert measure_jumps(step(1), np.ones((20, 8), int), SEAMS).ratio == 1


def test_a_step_beside_the_seam_is_not_the_seams():
    jumps = measure_jumps(step(7, at=11), np.ones((20, 8), int), SEAMS)
    assert (jumps.at_seams, jumps.beside_seams) == (1, 4)


def test_only_pairs_within_one_object_count():
    objects = np.zeros((20, 8), int)
    objects[:, :2] = 1
    objects[:10, 2:5] = 2
    objects[10:, 2:5] = 3
    jumps = measure_jumps(step(7), objects, SEAMS)
    assert (jumps.across_pairs, jumps.at_seams) == (2, 7)
    assert jumps.beside_pairs == 2 * 5


def test_a_seam_next_to_another_is_not_beside_it():
    jumps = measure_jumps(step(7), np.ones((20, 8), int), ((10, 11), ()))
    assert (jumps.across_pairs, jumps.beside_pairs) == (16, 16)


def test_nothing_lies_beside_the_seam_of_two_pixels():
    jumps = measure_jumps(np.zeros((1, 2, 8)), np.ones((2, 8), int), ((1,), ()))
    assert jumps.across_pairs == 8
    assert np.isnan(jumps.beside_seams)
    assert np.isnan(jumps.ratio)


def test_distances_are_euclidean():
    embedding = np.concatenate([3 * step(1), 4 * step(1)])
    assert measure_jumps(embedding, np.ones((20, 8), int), SEAMS).at_seams == 5


@given(st.integers(1, 7))
def test_sums_of_images_are_pooled_before_the_ratio(columns):
    objects = np.ones((20, 8), int)
    parts = (slice(0, columns), slice(columns, 8))
    pooled = sum(
        (measure_jumps(step(7)[..., part], objects[:, part], SEAMS) for part in parts), JumpSums()
    )
    assert pooled == measure_jumps(step(7), objects, SEAMS)


def test_where_the_truth_is_unknown_nothing_counts():
    objects = np.ones((20, 8), int)
    objects[:, 3:] = -1
    jumps = measure_jumps(step(7), objects, SEAMS)
    assert (jumps.across_pairs, jumps.beside_pairs) == (3, 6)
