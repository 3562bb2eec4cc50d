import numpy as np
import pytest

from napari_shiftseg.seams.phases import phase_profiles


def staircase(size, period, step, offset=0):
    """An embedding that jumps where a new period begins, and nowhere else."""
    position = np.arange(size) + offset
    return np.broadcast_to((position // period * step).astype(float), (1, size, size))


def test_one_tall_phase_where_the_embedding_jumps_once_a_period():
    columns = phase_profiles(staircase(40, 8, 3.0), np.ones((40, 40), int), (8, 8))[1]
    assert columns.peak == 0
    assert columns.mean[0] == 3
    assert columns.mean[1:].max() == 0
    assert columns.contrast == np.inf


def test_the_other_axis_is_flat():
    rows = phase_profiles(staircase(40, 8, 3.0), np.ones((40, 40), int), (8, 8))[0]
    assert rows.mean.max() == 0


def test_an_even_slope_is_flat():
    slope = np.broadcast_to(np.arange(40.0) * 0.5, (1, 40, 40))
    columns = phase_profiles(slope, np.ones((40, 40), int), (8, 8))[1]
    assert columns.mean.tolist() == [0.5] * 8
    assert columns.contrast == 1


def test_pairs_of_two_objects_and_of_the_background_do_not_count():
    objects = np.zeros((40, 40), int)
    objects[:, 2:5], objects[:, 5:7] = 1, 2
    columns = phase_profiles(staircase(40, 5, 3.0), objects, (40, 40))[1]
    assert np.flatnonzero(columns.pairs).tolist() == [3, 4, 6]
    assert columns.pairs[3] == 40
    assert np.isnan(columns.mean[5])


def test_of_a_part_phases_are_those_of_the_image():
    profile = phase_profiles(
        staircase(40, 8, 3.0, offset=3), np.ones((40, 40), int), (8, 8), origin=(0, 3)
    )[1]
    assert profile.peak == 0
    assert profile.contrast == np.inf


def test_volumes():
    embedding = np.zeros((2, 6, 8, 10))
    embedding[0, :, 4:] = 3
    embedding[1, :, 4:] = 4
    profiles = phase_profiles(embedding, np.ones((6, 8, 10), int), (2, 8, 5))
    assert [len(p.mean) for p in profiles] == [2, 8, 5]
    assert profiles[1].peak == 4
    assert profiles[1].mean[4] == pytest.approx(5)
