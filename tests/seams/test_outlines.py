"""Objects are found to touch and to end straight, whatever their labels are."""

import numpy as np
import pytest

from napari_shiftseg.image.slabs import Slabs
from napari_shiftseg.seams.outlines import Outlines


def test_a_mask_is_one_object():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    found = Outlines.of(mask)
    assert found.objects == 1
    assert {(side.axis, side.line) for side in found.flat} == {(0, 5), (0, 15), (1, 5), (1, 15)}


@pytest.mark.parametrize("far", [7, 10**9])
def test_labels_far_apart_have_the_same_outlines(far):
    labels = np.zeros((20, 30), np.int64)
    labels[4:12, 5:15], labels[4:12, 15:25] = 3, far
    found = Outlines.of(labels)
    assert found.objects == 2
    assert np.unique(found.contacts.pairs, axis=0).tolist() == [[3, far]]
    assert {side.label for side in found.flat} == {3, far}


@pytest.mark.parametrize("thick", [1, 3, 7])
def test_where_an_object_is_does_not_depend_on_the_slabs(thick):
    labels = np.zeros((20, 30), np.int64)
    labels[1:19, 2:5], labels[4:6, 10:20], labels[8:20, 25:27] = 1, 2, 3
    *_, found = Outlines.events(Slabs(labels, thick))
    assert sorted(map(tuple, found.places.tolist())) == [(5, 15), (10, 3.5), (14, 26)]
