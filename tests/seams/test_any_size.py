"""Labels that need not fit into memory are checked and mended as those that do."""

import numpy as np
import pytest
from cut_labels import cut, nuclei

from napari_shiftseg.image import slabs
from napari_shiftseg.seams import confidence
from napari_shiftseg.seams.repair import repair_labels, undo_repair
from napari_shiftseg.seams.straight import check_labels

da = pytest.importorskip("dask.array")

IMAGES = {
    "plane": (cut(nuclei((220, 260)), (64, 64), (0, 0)), (50, 70)),
    "volume": (cut(nuclei((60, 70, 80)), (32, 32, 32), (0, 0, 0)), (7, 30, 80)),
    "line": (np.repeat(np.arange(40), 5), (33,)),
}
"""Labels, and chunks that no object heeds."""


@pytest.fixture(params=IMAGES)
def stored(request, monkeypatch):
    """Labels in memory, and the same read slab by slab of a few planes."""
    labels, chunks = IMAGES[request.param]
    whole = check_labels(labels, image=brightness(labels)), *mended(labels)
    monkeypatch.setattr(slabs, "_PIXELS", 3 * labels[0].size)
    monkeypatch.setattr(slabs, "_MOST", 10 * labels[0].size)
    return labels, da.from_array(labels, chunks=chunks), whole


def brightness(labels):
    return np.random.default_rng(0).normal(labels % 5, 1.0)


def mended(labels):
    return repair_labels(labels, check_labels(labels, 32), confidence=0.3)


def test_the_check_is_the_same(stored):
    labels, lazy, (check, *_) = stored
    image = brightness(labels)
    assert check_labels(lazy, image=da.from_array(image, chunks=lazy.chunks)) == check
    assert check_labels(labels, image=image) == check


def test_the_repair_is_the_same_and_comes_as_it_is_read(stored):
    labels, lazy, (_, repaired, report) = stored
    again, same_report = mended(lazy)
    assert same_report == report
    assert isinstance(again, da.Array) and again.dtype == labels.dtype
    np.testing.assert_array_equal(again, repaired)


def test_so_is_the_undoing(stored):
    labels, lazy, (_, repaired, report) = stored
    undone = undo_repair(da.from_array(repaired, chunks=lazy.chunks), report)
    assert isinstance(undone, da.Array)
    np.testing.assert_array_equal(undone, labels)


def test_an_object_in_several_places_is_one_of_several_slabs(monkeypatch):
    labels = np.zeros((90, 40), np.uint8)
    labels[10:20, 5:15] = labels[60:70, 3:15] = 1
    labels[30:40, 5:15] = 2
    whole = check_labels(labels, 10)
    monkeypatch.setattr(slabs, "_PIXELS", 4 * 40)
    assert check_labels(labels, 10) == whole
    assert whole.objects == 2
    assert {(side.label, side.axis, side.line) for side in whole.one_sided} >= {
        (1, 0, 10),
        (1, 0, 70),
        (2, 0, 30),
    }


def test_the_background_of_a_large_image_is_sampled(monkeypatch):
    labels, _ = IMAGES["plane"]
    image = brightness(labels)
    whole = check_labels(labels, image=image)
    monkeypatch.setattr(confidence, "_LOOKED_AT", labels.size // 4)
    sampled = check_labels(labels, image=image)
    for one, other in zip(sampled.splits, whole.splits, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=0.05)
