import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from cut_labels import cut, nuclei

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.matching import MatchCounts, Overlap
from napari_shiftseg.seams.repair import Repair, repair_labels, undo_repair
from napari_shiftseg.seams.straight import check_labels


@pytest.fixture(scope="module")
def whole():
    return nuclei((220, 260))


@pytest.fixture(scope="module")
def pieces(whole):
    return cut(whole, (64, 64), (0, 0)).astype(np.uint16)


def score(truth, labels):
    counts = MatchCounts()
    counts.add(Overlap.of(truth, labels))
    return counts.average_precision(0.5)


def test_puts_objects_together_again(pieces, whole):
    repaired, report = repair_labels(pieces, check_labels(pieces))
    assert score(whole, pieces) < 0.8
    assert score(whole, repaired) > 0.98
    assert repaired.dtype == pieces.dtype
    assert len(report.groups) > 5


def test_undone_it_leaves_nothing_changed(pieces):
    repaired, report = repair_labels(pieces, check_labels(pieces))
    read = Repair.from_dict(json.loads(json.dumps(report.to_dict())))
    np.testing.assert_array_equal(undo_repair(repaired, read), pieces)


def test_four_pieces_become_one():
    labels = np.zeros((64, 64), int)
    labels[20:44, 20:44] = 1
    pieces = cut(labels, (32, 32), (0, 0))
    repaired, report = repair_labels(pieces, check_labels(pieces, 32))
    assert report.groups == ((1, 2, 3, 4),)
    assert np.unique(repaired).tolist() == [0, 1]


def test_a_piece_that_the_other_tile_has_in_two_is_put_together():
    labels = np.zeros((64, 64), int)
    labels[10:34, 20:32] = 1
    labels[10:21, 32:44], labels[23:34, 32:44] = 2, 3
    _, report = repair_labels(labels, check_labels(labels, 32), confidence=0.4)
    assert report.groups == ((1, 2, 3),)


def test_neighbours_that_a_line_happens_to_part_are_left():
    labels = np.zeros((64, 64), int)
    labels[10:34, 20:32], labels[29:53, 32:44] = 1, 2
    _, report = repair_labels(labels, check_labels(labels, 32))
    assert report.groups == ()


def test_doubtful_cuts_are_left(pieces):
    check = check_labels(pieces)
    doubtful = replace(check, splits=tuple(replace(c, confidence=0.7) for c in check.splits))
    assert len(repair_labels(pieces, doubtful, confidence=0.7)[1].pieces) > 5
    repaired, report = repair_labels(pieces, doubtful, confidence=0.71)
    assert report.pieces == ()
    np.testing.assert_array_equal(repaired, pieces)


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_labels_beyond_what_float64_can_hold(pieces, kind):
    large = np.where(pieces > 0, pieces.astype(kind) + kind(2**59), kind(0))
    repaired, repair = repair_labels(large, check_labels(large))
    assert len(np.unique(repaired)) < len(np.unique(large))
    np.testing.assert_array_equal(undo_repair(repaired, repair), large)


def test_labels_beyond_int64_are_refused(pieces):
    large = np.where(pieces > 0, pieces.astype(np.uint64) + np.uint64(2**63), np.uint64(0))
    with pytest.raises(ShiftSegError, match=f"legal: up to {2**63 - 1}"):
        check_labels(large)


def test_good_labels_stay_as_they_are(whole):
    repaired, report = repair_labels(whole, check_labels(whole))
    np.testing.assert_array_equal(repaired, whole)
    assert report.groups == ()


def test_labels_that_were_not_checked_are_not_repaired(pieces, whole):
    check = check_labels(pieces)
    with pytest.raises(ShiftSegError, match="not the labels that were checked"):
        repair_labels(whole[::-1], check)
    with pytest.raises(ShiftSegError, match="those that were checked had 2"):
        repair_labels(pieces[None], check)


def test_of_another_image_is_not_undone(pieces):
    _, report = repair_labels(pieces, check_labels(pieces))
    with pytest.raises(ShiftSegError, match="those repaired had"):
        undo_repair(pieces[:50], report)


def test_what_is_no_report_is_refused():
    with pytest.raises(ShiftSegError, match="no report of a repair"):
        Repair.from_dict({"shape": [1]})


def _lies(value, path=()):
    """Yield the place of every value in a report."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _lies(value[key], (*path, key))
    if path:
        yield path


def _with(report, path, lie):
    report = copy.deepcopy(report)
    inner = report
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = lie
    return report


LIES = (None, -1, 10**30, float("inf"), float("nan"), "x", True, [[]], {"a": 1})


@pytest.mark.parametrize("lie", LIES, ids=repr)
def test_reports_that_lie_are_refused(lie):
    piece = {"label": 2, "merged_into": 1, "starts": [3, 13], "lengths": [2, 2]}
    report = {"shape": [10, 10], "pieces": [piece], "groups": [[1, 2]]}
    assert Repair.from_dict(report).pieces
    for path in _lies(report):
        with pytest.raises(ShiftSegError, match="no report of a repair"):
            Repair.from_dict(_with(report, path, lie))


def test_runs_beyond_the_image_are_refused():
    piece = {"label": 2, "merged_into": 1, "starts": [90], "lengths": [11]}
    report = {"shape": [10, 10], "pieces": [piece], "groups": [[1, 2]]}
    with pytest.raises(ShiftSegError, match="pixels 90 to 101 of 100"):
        Repair.from_dict(report)


def test_labels_saved_in_a_smaller_type_get_their_large_labels_back():
    labels = np.zeros((64, 64), np.uint32)
    labels[20:32, 20:44], labels[32:44, 20:44] = 1, 70_000
    repaired, report = repair_labels(labels, check_labels(labels, 32))
    assert np.unique(repaired).tolist() == [0, 1]
    np.testing.assert_array_equal(undo_repair(repaired.astype(np.uint8), report), labels)


def test_a_mask_has_nothing_to_undo():
    mask = np.eye(8, dtype=bool)
    repaired, report = repair_labels(mask, check_labels(mask, 4))
    np.testing.assert_array_equal(undo_repair(repaired, report), mask)


def test_what_was_edited_since_stays_when_undone(pieces):
    repaired, report = repair_labels(pieces, check_labels(pieces))
    piece = report.pieces[0]
    repaired.reshape(-1)[piece.starts[0]] = 60_000
    undone = undo_repair(repaired, report)
    assert undone.reshape(-1)[piece.starts[0]] == 60_000
    assert (undone != pieces).sum() == 1


def test_labels_of_another_repair_are_not_undone(pieces):
    _, report = repair_labels(pieces, check_labels(pieces))
    with pytest.raises(ShiftSegError, match="not the labels of this report"):
        undo_repair(pieces, report)


@pytest.mark.parametrize("confidence", [-0.1, 2, float("nan")])
def test_a_confidence_is_a_share(pieces, confidence):
    with pytest.raises(ShiftSegError, match="legal: 0 to 1"):
        repair_labels(pieces, check_labels(pieces), confidence=confidence)


def test_labels_of_which_but_a_little_fits_are_not_undone(pieces):
    repaired, report = repair_labels(pieces, check_labels(pieces))
    other = np.where(np.random.default_rng(0).random(pieces.shape) < 0.7, 0, repaired)
    with pytest.raises(ShiftSegError, match="not the labels of this report"):
        undo_repair(other, report)
