from types import SimpleNamespace

import numpy as np
import pytest

from napari_shiftseg.seams.splits import find_seam_splits
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan

PLAN = make_plan(NetworkGeometry.regular(2, 1), (30, 30), "naive", tile=9)
"""Seams at 9, 18 and 27; the period is 2, so those at 9 and 27 break the phase."""


def object_at(rows, columns, label=1):
    image = np.zeros((30, 30), int)
    image[rows, columns] = label
    return image


def cut(truth, rows, columns, label):
    labels = truth.copy()
    labels[rows, columns] = np.where(truth[rows, columns], label, 0)
    return labels


TRUTH = object_at(slice(4, 14), slice(10, 16), 7)


def test_a_cut_along_a_seam_is_found_where_it_is():
    labels = cut(TRUTH, slice(9, 30), slice(0, 30), 8)
    (split,) = find_seam_splits(labels, TRUTH, PLAN)
    assert split.object_id == 7
    assert split.pieces == (7, 8)
    assert (split.axis, split.seam) == (0, 9)
    assert split.position == (9, 12.5)
    assert split.length == 6
    assert split.cause == "phase"
    assert np.isnan(split.jump)


@pytest.mark.parametrize("row", [7, 8, 10, 11])
def test_a_cut_beside_a_seam_is_not_the_seams(row):
    labels = cut(TRUTH, slice(row, 30), slice(0, 30), 8)
    assert find_seam_splits(labels, TRUTH, PLAN) == []


def test_pieces_that_lie_apart_at_the_seam_are_not_the_seams():
    labels = cut(TRUTH, slice(9, 30), slice(0, 30), 8)
    labels[8:10] = 0
    assert find_seam_splits(labels, TRUTH, PLAN) == []


@pytest.mark.parametrize(("on_seam", "lengths"), [(4, [4]), (3, [])])
def test_at_least_half_of_the_common_border_lies_on_the_seam(on_seam, lengths):
    labels = cut(TRUTH, slice(10, 30), slice(0, 30), 8)
    labels[9, 10 : 10 + on_seam] = 8  # a border of 7: the other columns one row lower, and a step
    assert [split.length for split in find_seam_splits(labels, TRUTH, PLAN)] == lengths


def test_two_objects_that_meet_at_a_seam_are_no_split():
    truth = TRUTH.copy()
    truth[9:14, 10:16] = 8
    assert find_seam_splits(truth, truth, PLAN) == []


def test_a_piece_too_small_to_count_is_no_split():
    truth = object_at(slice(8, 18), slice(0, 9))
    labels = cut(truth, slice(8, 9), slice(0, 9), 2)
    assert find_seam_splits(labels, truth, PLAN) == []


def test_an_uncut_object_is_no_split():
    assert find_seam_splits(TRUTH, TRUTH, PLAN) == []


def test_the_longest_contact_names_the_seam_and_all_are_summed():
    truth = object_at(slice(4, 12), slice(5, 25))
    labels = cut(truth, slice(9, 30), slice(0, 30), 2)
    labels = np.where((labels == 2) & (np.arange(30) >= 18), 3, labels)
    (split,) = find_seam_splits(labels, truth, PLAN)
    assert (split.axis, split.seam, split.pieces) == (0, 9, (1, 2, 3))
    assert split.length == 20 + 3


def test_the_worst_split_comes_first():
    truth = TRUTH + object_at(slice(4, 14), slice(19, 29), 5)
    labels = np.where((truth > 0) & (np.arange(30)[:, None] >= 9), truth + 10, truth)
    assert [s.object_id for s in find_seam_splits(labels, truth, PLAN)] == [5, 7]


def test_the_jump_is_the_distance_of_the_embeddings_across_the_contact():
    labels = cut(TRUTH, slice(9, 30), slice(0, 30), 8)
    embedding = np.zeros((2, 30, 30))
    embedding[0, 9:] = 3
    embedding[1, 9:] = 4
    (split,) = find_seam_splits(labels, TRUTH, PLAN, embedding)
    assert split.jump == 5


def test_a_zero_padded_network_cuts_for_want_of_context():
    geometry = NetworkGeometry.regular(2, 1, padding="same")
    plan = make_plan(geometry, (30, 30), "naive", tile=10)
    labels = cut(TRUTH, slice(10, 30), slice(0, 30), 8)
    (split,) = find_seam_splits(labels, TRUTH, plan)
    assert split.cause == "context"


def test_a_cut_that_no_cause_explains_is_unknown():
    plan = make_plan(NetworkGeometry.regular(2, 1), (30, 30), "corrected", tile=10)
    labels = cut(TRUTH, slice(10, 30), slice(0, 30), 8)
    (split,) = find_seam_splits(labels, TRUTH, plan)
    assert split.cause == "unknown"


def test_three_dimensions():
    plan = make_plan(NetworkGeometry.regular(3, 1), (6, 20, 6), "naive", tile=9)
    truth = np.ones((6, 20, 6), int)
    labels = np.where(np.arange(20)[None, :, None] < 9, truth, 2)
    (split,) = find_seam_splits(labels, truth, plan)
    assert (split.axis, split.seam, split.length) == (1, 9, 36)
    assert split.position == (2.5, 9, 2.5)


def test_the_severity_is_the_length_times_the_jump_and_orders_the_list():
    truth = TRUTH + object_at(slice(4, 14), slice(19, 29), 5)
    labels = np.where((truth > 0) & (np.arange(30)[:, None] >= 9), truth + 10, truth)
    embedding = np.zeros((1, 30, 30))
    embedding[0, 9:, :17], embedding[0, 9:, 17:] = 3, 1
    short, long = find_seam_splits(labels, truth, PLAN, embedding)
    assert (short.object_id, short.length, short.jump, short.severity) == (7, 6, 3, 18)
    assert (long.object_id, long.length, long.jump, long.severity) == (5, 10, 1, 10)


def test_the_jump_is_that_across_the_longest_contact():
    truth = object_at(slice(4, 12), slice(5, 25))
    labels = cut(truth, slice(9, 30), slice(0, 30), 2)
    labels = np.where((labels == 2) & (np.arange(30) >= 18), 3, labels)
    embedding = np.zeros((1, 30, 30))
    embedding[0, 9:], embedding[0, 9:, 18:] = 2, 50
    embedding[0, :9, 18:] = 48
    (split,) = find_seam_splits(labels, truth, PLAN, embedding)
    assert (split.axis, split.jump) == (0, 2)


def test_half_of_the_common_border_is_enough():
    labels = cut(TRUTH, slice(10, 30), slice(0, 30), 8)
    labels[9, 10:13] = 8  # three pixels on the seam, and three beside it
    labels[8:10, 13] = 0  # without the step between them
    (split,) = find_seam_splits(labels, TRUTH, PLAN)
    assert split.length == 3


def test_an_object_cut_at_two_seams_is_explained_by_the_one_that_has_a_cause():
    truth = object_at(slice(4, 14), slice(5, 25))
    labels = cut(truth, slice(9, 30), slice(0, 30), 2)
    labels = np.where((labels > 0) & (np.arange(30) >= 18), labels + 2, labels)
    aligned_first = SimpleNamespace(
        seams=((9,), (18,)), cause=lambda axis, seam: "phase" if axis else None
    )
    (split,) = find_seam_splits(labels, truth, aligned_first)
    assert (split.axis, split.cause) == (0, "phase")
