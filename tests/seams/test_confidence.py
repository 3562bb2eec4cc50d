"""Whether two pieces along a line are one object: their shapes, and what the image shows."""

import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.repair import CONFIDENT
from napari_shiftseg.seams.straight import check_labels

SHAPE = (64, 64)


def confidence(labels, image=None):
    (found,) = check_labels(labels, 32, image=image).splits
    return found.confidence


def discs(*centres, radius=12):
    """Discs that the line at row 32 cuts, each side with labels of its own."""
    rows, columns = np.indices(SHAPE)
    labels = np.zeros(SHAPE, int)
    for y, x in centres:
        labels[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = 1
    return labels * (1 + (rows >= 32))


@pytest.fixture
def halves():
    """One disc away from the columns of the grid, cut through its middle."""
    return discs((32, 16))


class TestShape:
    @pytest.mark.parametrize("row", [24, 28, 32, 36, 40])
    def test_a_disc_is_one_object_wherever_it_is_cut(self, row):
        assert confidence(discs((row, 16))) > 0.8

    @pytest.mark.parametrize("shape", [(64, 64), (64, 64, 64)])
    def test_so_is_a_straight_tube_of_any_length(self, shape):
        labels = np.zeros(shape, int)
        labels[(slice(2, 62), *[slice(4, 12)] * (len(shape) - 1))] = 1
        labels[32:] *= 2
        assert confidence(labels) > CONFIDENT

    @pytest.mark.parametrize("axis", [0, 1])
    def test_counts_the_same_in_a_mirror(self, axis):
        image = np.random.default_rng(2).normal(0, 5, SHAPE)
        labels = discs((29, 15), radius=9)
        mirrored = np.flip(labels, axis), np.flip(image, axis)
        assert confidence(*mirrored) == pytest.approx(confidence(labels, image))

    def test_two_discs_that_touch_are_narrow_where_they_do(self):
        assert 0 < confidence(discs((20, 16), (43, 16))) < 0.7 * confidence(discs((32, 16)))


class TestImage:
    def test_that_is_equally_bright_on_both_sides_changes_nothing(self, halves):
        noise = np.random.default_rng(0).normal(0, 5, SHAPE)
        assert confidence(halves, 100 * (halves > 0) + noise) == confidence(halves)

    def test_takes_confidence_from_pieces_of_different_brightness(self, halves):
        image = np.array([10, 25, 200])[halves]
        assert confidence(halves, image) < 0.5 * confidence(halves)

    def test_of_dark_objects_on_a_bright_ground_is_judged_alike(self, halves):
        image = np.array([10, 25, 200])[halves]
        assert confidence(halves, 255 - image) == pytest.approx(confidence(halves, image))

    def test_of_noise_alone_changes_nothing(self, halves):
        image = np.random.default_rng(1).normal(0, 5, SHAPE)
        assert confidence(halves, image) == confidence(halves)

    def test_may_have_channels_and_the_one_that_differs_most_counts(self, halves):
        alike, different = 100 * (halves > 0), np.array([10, 25, 200])[halves]
        both = np.stack([alike, different])
        assert confidence(halves, both) == confidence(halves, different)

    def test_with_pixels_that_are_not_finite_says_nothing_there(self, halves):
        image = np.where(halves == 1, np.nan, 1.0)
        assert confidence(halves, image) == confidence(halves)

    def test_with_pixels_that_are_not_finite_elsewhere_is_judged_by_the_others(self, halves):
        image = np.array([10.0, 25, 200])[halves]
        judged = confidence(halves, image)
        image[0] = np.nan
        assert confidence(halves, image) == judged
        assert confidence(halves, np.full(SHAPE, np.nan)) == confidence(halves)

    def test_may_be_a_mask(self, halves):
        assert confidence(halves, halves > 0) == confidence(halves)
        assert confidence(halves, halves == 1) < confidence(halves)

    def test_need_not_leave_any_background(self):
        labels = np.ones(SHAPE, int)
        labels[32:] = 2
        assert confidence(labels, np.array([0, 50, 200])[labels]) < confidence(labels)

    @pytest.mark.parametrize("shape", [(64, 60), (3, 64, 60), (64, 64, 3), (2, 2, 64, 64)])
    def test_of_another_shape_is_refused(self, halves, shape):
        with pytest.raises(ShiftSegError, match="legal: the same, or channels before it"):
            check_labels(halves, 32, image=np.zeros(shape))

    def test_that_holds_no_numbers_is_refused(self, halves):
        with pytest.raises(ShiftSegError, match="legal: integers and floats"):
            check_labels(halves, 32, image=np.full(SHAPE, "a"))
