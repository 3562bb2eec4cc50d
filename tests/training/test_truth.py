"""Masks that teach nothing are refused, those that teach the wrong thing are named."""

import warnings

import numpy as np
import pytest

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.training.truth import refuse_no_truth, warn_of_seen

IMAGE, MASK = disc_image(60)


def check(*masks, background=0):
    pairs = [Pair(f"image {i}", IMAGE + i, mask) for i, mask in enumerate(masks)]
    refuse_no_truth(pairs, background)


@pytest.mark.parametrize("mask", [MASK, MASK.astype(np.uint8), np.where(MASK == 0, -1, MASK)])
def test_objects_with_labels_of_their_own_are_fine(mask):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(mask, np.zeros_like(mask))


@pytest.mark.parametrize("value", [0, -1])
def test_masks_without_any_object_are_refused(value):
    with pytest.raises(ShiftSegError, match="there is no object in 2 masks"):
        check(*[np.full(MASK.shape, value)] * 2)


def test_a_background_that_is_nowhere_is_refused():
    with pytest.raises(ShiftSegError, match="background_label is 300, which no mask has"):
        check(MASK, background=300)


def test_a_background_alone_is_no_object():
    with pytest.raises(ShiftSegError, match="there is no object in 1 mask:"):
        check(np.ones_like(MASK), background=1)


@pytest.mark.parametrize("mask", [MASK > 0, (MASK > 0) * 255])
def test_binary_masks_are_named(mask):
    with pytest.warns(ShiftSegWarning, match="give each object one of its own"):
        check(mask, mask)


def test_binary_masks_are_named_though_one_has_few_parts():
    few = np.zeros_like(MASK)
    few[:10, :10] = few[30:40, 30:40] = 1
    with pytest.warns(ShiftSegWarning, match="give each object one of its own"):
        check(MASK > 0, few, MASK > 0)


def test_masks_of_single_cells_are_not_named_though_one_lies_in_parts():
    single = np.zeros_like(MASK)
    single[10:30, 10:30] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(single, MASK > 0, single)


def test_an_image_that_is_there_twice_is_named():
    twice = [Pair(name, IMAGE, MASK) for name in ("a", "copy of a")]
    with pytest.warns(ShiftSegWarning, match="copy of a is the same image as a"):
        refuse_no_truth(twice, 0)


def test_images_instead_of_masks_are_named():
    noise = np.random.default_rng(0).integers(1, 200, IMAGE.shape)
    with pytest.warns(ShiftSegWarning, match="mask of image 1 looks like an image"):
        check(MASK, noise)


def test_images_that_are_trained_and_validated_on_are_named():
    pairs = [Pair("a", IMAGE, MASK), Pair("b", IMAGE + 1, MASK)]
    with pytest.warns(ShiftSegWarning, match=r"a is validated on and trained on \(1 such images"):
        warn_of_seen(pairs, [Pair("a", IMAGE, MASK), Pair("c", IMAGE + 2, MASK)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_seen(pairs, [])
