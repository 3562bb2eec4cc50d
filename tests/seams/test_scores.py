from __future__ import annotations

import numpy as np
import pytest

from napari_shiftseg.seams.matching import THRESHOLDS, MatchCounts
from napari_shiftseg.seams.scores import LabelScores


def scores(*images: tuple[int, int, int], stacks: tuple[int, ...] = ()) -> LabelScores:
    """Scores of images of so many matches, true and predicted objects."""
    return LabelScores(
        [
            MatchCounts(
                true_positives=dict.fromkeys(THRESHOLDS, matched),
                truth_objects=true,
                predicted_objects=predicted,
            )
            for matched, true, predicted in images
        ],
        list(stacks),
    )


def test_images_are_added_up():
    measured = LabelScores()
    truth = np.array([[1, 1, 0, 2, 2]])
    measured.add(truth, truth)
    measured.add(truth, np.zeros_like(truth))
    assert measured.average_precision == dict.fromkeys(map(str, THRESHOLDS), 1 / 2)
    assert measured.pooled.truth_objects == 4


def test_equal_images_leave_no_doubt():
    each, mean = scores((6, 10, 10), (6, 10, 10), (6, 10, 10)).intervals()
    assert each["0.5"] == mean == pytest.approx((6 / 14, 6 / 14))


def test_the_interval_is_that_of_drawing_images_one_by_one():
    rng = np.random.default_rng(5)
    images = [
        (int(n * q), int(n), int(n))
        for n, q in zip([5, 50, 20, 9, 120], rng.random(5), strict=True)
    ]
    drawn = rng.integers(len(images), size=(20_000, len(images)))
    matched, true, predicted = np.array(images)[drawn].sum(axis=1).T
    expected = np.percentile(matched / (true + predicted - matched), [2.5, 97.5])
    each, _ = scores(*images).intervals()
    assert each["0.5"] == pytest.approx(expected, abs=0.02)


def test_the_same_images_have_the_same_interval():
    images = [(9, 10, 10), (3, 10, 10), (5, 8, 12)]
    assert scores(*images).intervals() == scores(*images).intervals()


def test_frames_of_stacks_are_no_new_images():
    images = [(8, 10, 10), (3, 10, 10), (6, 10, 12)]
    frames = [image for image in images for _ in range(20)]
    stacked = scores(*frames, stacks=tuple(np.repeat([4, 7, 9], 20)))
    assert stacked.intervals() == scores(*images).intervals()
    assert scores(*frames[:20], stacks=(4,) * 20).intervals()[1] is None


def test_one_image_has_no_interval():
    values = scores((3, 5, 5)).to_dict()
    assert values["ap_interval"]["0.5"] is values["mean_ap_interval"] is None


def test_images_without_objects_are_right():
    each, mean = scores((0, 0, 0), (0, 0, 0)).intervals()
    assert each["0.9"] == mean == (1, 1)


def test_the_table_shows_it():
    assert scores((9, 10, 10), (3, 10, 10)).rows()["AP 0.5"] == "0.429 (0.176 to 0.818)"
