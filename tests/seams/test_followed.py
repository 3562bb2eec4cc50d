import numpy as np
import pytest

from napari_shiftseg.seams.followed import drifts, followed


def frame(*sides):
    """Lines and centres, of sides that lie along the first axis."""
    return np.array([(line, line, place) for line, place in sides], int).reshape(-1, 3)


def test_of_one_frame_every_side_counts():
    assert followed([frame((5, 10), (5, 12), (40, 10))]).tolist() == [5, 5, 40]


def test_what_stays_or_moves_a_little_counts_once_where_it_is_most_often():
    lines = [60, 61, 61, 60, 61]
    assert followed([frame((line, 20 + 2 * i)) for i, line in enumerate(lines)]).tolist() == [61]


def test_of_lines_as_frequent_the_first_counts():
    assert followed([frame((33, 9)), frame((31, 9)), frame((35, 9))]).tolist() == [33]


def test_what_is_far_is_another_one_and_each_is_followed_by_one():
    first, then = frame((60, 20), (60, 26)), frame((60, 23), (60, 90), (60, 27))
    assert followed([first, then]).tolist() == [60, 60, 60]
    assert followed([frame(), then, frame()]).tolist() == [60, 60, 60]


def test_what_all_objects_drift_by_takes_their_sides_along_and_leaves_those_of_a_cut():
    natural = [frame((20 + 30 * i, 40), (64, 90)) for i in range(4)]
    assert followed(natural).tolist() == [20, 64, 50, 80, 110]
    assert followed(natural, np.array([[30.0, 0]] * 3)).tolist() == [20, 64]


def test_a_drift_is_told_by_objects_of_which_some_come_and_go():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 500, (30, 2))
    second = places + np.array([12, -40]) + rng.uniform(-1, 1, (30, 2))
    third = second[:25] + np.array([60, 5])
    np.testing.assert_allclose(drifts([places, second, third]), [(12, -40), (60, 5)], atol=0.5)


def test_unrelated_frames_and_empty_ones_have_no_drift():
    rng = np.random.default_rng(1)
    frames = [rng.uniform(0, 500, (30, 2)) for _ in range(4)]
    assert not drifts([*frames, np.zeros((0, 2)), frames[0]]).any()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_drift_of_dense_objects_is_told_in_any_number_of_axes(ndim):
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 300, (3000, ndim)) if ndim > 1 else rng.uniform(0, 9e4, (3000, 1))
    drift = np.array([7, -12, 4])[:ndim]
    np.testing.assert_allclose(drifts([places, places + drift]), [drift], atol=1.5)
