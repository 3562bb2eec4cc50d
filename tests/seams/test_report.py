import json

import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.report import SeamReport, finite, number
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import make_plan

PLAN = make_plan(NetworkGeometry.regular(2, 1), (30, 30), "naive", tile=9)
TRUTH = np.zeros((30, 30), int)
TRUTH[4:14, 10:16] = 1
LABELS = TRUTH * np.where(np.arange(30)[:, None] < 9, 1, 2)
EMBEDDING = np.broadcast_to(np.where(np.arange(30)[:, None] < 9, 0.0, 5.0), (1, 30, 30))


def strict(report):
    return json.loads(json.dumps(report.to_dict(), allow_nan=False))


def test_against_the_truth():
    values = strict(SeamReport.of(LABELS, EMBEDDING, PLAN, truth=TRUTH))
    assert values["objects"] == 2
    assert (values["false_splits"], values["false_merges"], values["seam_splits"]) == (1, 0, 1)
    assert values["ap50"] == 0.5
    assert values["seam_jump"] == 5
    (split,) = values["splits"]
    assert (split["object_id"], split["seam"], split["cause"]) == (1, 9, "phase")


def test_against_other_labels_there_is_no_precision():
    values = strict(SeamReport.of(LABELS, EMBEDDING, PLAN, reference=TRUTH))
    assert values["seam_splits"] == 1
    assert values["ap50"] is values["false_splits"] is values["false_merges"] is None


def test_without_a_reference_nobody_knows_what_was_split():
    report = SeamReport.of(LABELS, EMBEDDING, PLAN)
    assert report.seam_splits is None and report.splits == ()


def test_what_is_not_defined_is_null_in_json_and_a_dash_in_the_table():
    report = SeamReport.of(np.zeros_like(TRUTH), EMBEDDING, PLAN, truth=np.zeros_like(TRUTH))
    values = strict(report)
    assert values["seam_jump"] is values["beside_jump"] is values["seam_jump_ratio"] is None
    assert "jump across seams       –" in str(report)


def test_the_table_names_the_worst_seams():
    text = str(SeamReport.of(LABELS, EMBEDDING, PLAN, truth=TRUTH))
    assert text.startswith("naive stitching, tiles of 9 px\n")
    assert "caused by seams         1" in text
    assert "1: (9, 12), 6 px, 5.000, phase" in text


def test_a_truth_of_another_shape_is_refused():
    with pytest.raises(ShiftSegError, match="ground truth"):
        SeamReport.of(LABELS, EMBEDDING, PLAN, truth=TRUTH[:-1])


def test_numbers():
    assert [number(v) for v in (None, float("nan"), 3, 0.12345)] == ["–", "–", "3", "0.123"]
    assert [finite(v) for v in (float("nan"), float("inf"), 0.5)] == [None, None, 0.5]


def test_of_a_stack_axes_and_places_are_those_of_the_labels_and_the_worst_comes_first():
    mild = np.stack([EMBEDDING, 3 * EMBEDDING], axis=1)
    report = SeamReport.of(np.stack([LABELS, LABELS]), mild, PLAN, truth=TRUTH)
    assert [(s.axis, s.seam, s.jump, s.position[0]) for s in report.splits] == [
        (1, 9, 15, 1),
        (1, 9, 5, 0),
    ]
