from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.matching import MatchCounts, Overlap, average_precision


def rows(*texts):
    return np.array([[int(c) for c in text] for text in texts])


small_labels = arrays(np.int64, (4, 5), elements=st.integers(0, 3))


def ious(truth, predicted):
    """IoU of every pair of objects, pixel by pixel."""
    table = {}
    for t in set(truth.ravel().tolist()) - {0}:
        for p in set(predicted.ravel().tolist()) - {0}:
            one, other = truth == t, predicted == p
            table[t, p] = (one & other).sum() / (one | other).sum()
    return table


def brute_force_ap(truth, predicted, threshold):
    table = ious(truth, predicted)
    objects = sorted(set(truth.ravel().tolist()) - {0})
    found = sorted(set(predicted.ravel().tolist()) - {0})
    padded = found + [None] * len(objects)
    matched = max(
        sum(table.get(pair, 0) >= threshold for pair in zip(objects, choice, strict=True))
        for choice in permutations(padded, len(objects))
    )
    every = len(objects) + len(found) - matched
    return matched / every if every else 1.0


@given(small_labels, small_labels, st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.75, 1.0]))
def test_average_precision_is_that_of_the_best_matching(truth, predicted, threshold):
    expected = brute_force_ap(truth, predicted, threshold)
    assert average_precision(truth, predicted, threshold) == pytest.approx(expected)


@given(small_labels, small_labels)
def test_splits_and_merges_are_counted_pair_by_pair(truth, predicted):
    parts = [pair for pair, iou in ious(truth, predicted).items() if iou > 0.1]
    overlap = Overlap.of(truth, predicted)
    splits = {t: tuple(p for s, p in parts if s == t) for t, _ in parts}
    merges = {p: tuple(t for t, q in parts if q == p) for _, p in parts}
    assert overlap.false_splits == {t: p for t, p in splits.items() if len(p) > 1}
    assert overlap.false_merges == {p: t for p, t in merges.items() if len(t) > 1}


@given(small_labels, small_labels)
def test_a_split_seen_from_the_other_side_is_a_merge(truth, predicted):
    assert Overlap.of(truth, predicted).false_splits == Overlap.of(predicted, truth).false_merges


class TestByHand:
    truth = rows("1111022", "1111022", "0000022")

    def test_a_perfect_result(self):
        overlap = Overlap.of(self.truth, self.truth * 7)
        assert overlap.false_splits == overlap.false_merges == {}
        assert average_precision(self.truth, self.truth * 7, 1.0) == 1

    def test_a_split(self):
        overlap = Overlap.of(self.truth, rows("5588022", "5588022", "0000022"))
        assert overlap.false_splits == {1: (5, 8)}
        assert overlap.false_merges == {}

    def test_a_merge(self):
        overlap = Overlap.of(self.truth, rows("3333333", "3333333", "0000033"))
        assert overlap.false_splits == {}
        assert overlap.false_merges == {3: (1, 2)}

    def test_a_piece_of_a_tenth_does_not_count(self):
        truth = rows("1111111111")
        assert Overlap.of(truth, rows("2333333333")).false_splits == {}
        truth = rows("1" * 9)
        assert Overlap.of(truth, rows("233333333")).false_splits == {1: (2, 3)}

    def test_missing_and_surplus_objects_count_alike(self):
        assert average_precision(self.truth, rows("1111000", "1111000", "0000000")) == 1 / 2
        assert average_precision(self.truth, rows("1111022", "1111022", "3300022")) == 2 / 3

    def test_nothing_to_find_and_nothing_found(self):
        nothing = np.zeros((3, 3), int)
        assert average_precision(nothing, nothing) == 1
        assert average_precision(nothing, nothing + 1) == 0
        assert average_precision(nothing + 1, nothing) == 0


class TestTieAtOneHalf:
    """At IoU 0.5 exactly, one object may reach the threshold twice; it is matched once."""

    def test_two_halves_of_one_object_are_one_match(self):
        assert average_precision(rows("1111"), rows("2233")) == 1 / 2

    def test_one_prediction_over_two_objects_is_one_match(self):
        assert average_precision(rows("2233"), rows("1111")) == 1 / 2

    def test_a_chain_is_matched_so_that_most_pairs_are_found(self):
        truth = rows("111111111122")
        predicted = rows("112222222222")
        table = ious(truth, predicted)
        assert table[1, 2] > table[1, 1] + table[2, 2]
        assert average_precision(truth, predicted, 0.1) == 1


def test_counts_are_pooled_over_images():
    counts = MatchCounts((0.5,))
    counts.add(Overlap.of(rows("1100"), rows("1100")))
    counts.add(Overlap.of(rows("1111"), rows("1234")))
    assert counts.true_positives == {0.5: 1}
    assert (counts.truth_objects, counts.predicted_objects) == (2, 5)
    assert (counts.false_splits, counts.false_merges) == (1, 0)
    assert counts.average_precision(0.5) == 1 / 6


def test_shapes_must_agree():
    with pytest.raises(ShiftSegError, match=r"shape \(3, 3\), the ground truth \(3, 4\)"):
        Overlap.of(np.zeros((3, 4), int), np.zeros((3, 3), int))


def test_what_nobody_knows_counts_neither_as_object_nor_as_error():
    truth = rows("1100000", "1100000")
    truth[:, 4:] = -1
    found = rows("1100220", "1100333")  # one object found, two where nothing is known
    overlap = Overlap.of(truth, found)
    assert (overlap.truth_objects, overlap.predicted_objects) == (1, 1)
    assert overlap.true_positives(1.0) == 1


def test_an_object_that_reaches_into_the_unknown_is_scored_where_it_is_known():
    truth = rows("1110000")
    truth[:, 3:] = -1
    assert average_precision(truth, rows("1111000"), 1.0) == 1


def test_truth_of_fractions_is_refused():
    with pytest.raises(ShiftSegError, match="whole numbers"):
        Overlap.of(np.ones((2, 2)), np.ones((2, 2), int))


def test_a_wrong_object_is_forgiven_only_where_most_of_it_is_unknown():
    truth = rows("0000000", "0000000")
    truth[:, 4:] = -1
    assert Overlap.of(truth, rows("0011100", "0000000")).predicted_objects == 1
    assert Overlap.of(truth, rows("0001110", "0000000")).predicted_objects == 0
