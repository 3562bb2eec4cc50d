"""Tiles that each count their objects from 1."""

import numpy as np
import pytest
from cut_labels import cut, nuclei

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image import opened
from napari_shiftseg.seams.repair import Repair, repair_labels, undo_repair
from napari_shiftseg.seams.straight import check_labels


def counted_in_tiles(labels, tile):
    """As a loop over tiles writes labels that are numbered in each."""
    found = np.zeros(labels.shape, np.uint8)
    for start in np.ndindex(*(-(-n // tile) for n in labels.shape)):
        part = tuple(slice(tile * i, tile * (i + 1)) for i in start)
        found[part] = np.unique(labels[part], return_inverse=True)[1].reshape(labels[part].shape)
    return found


def objects_of(labels):
    """Objects as sets of pixels."""
    order = np.argsort(labels, axis=None, kind="stable")
    ends = np.cumsum(np.unique(labels, return_counts=True)[1])
    return {tuple(part) for part in np.split(order, ends[:-1])}


@pytest.mark.parametrize(
    ("shape", "tile", "radius", "spacing"),
    [((600, 600), 100, 9, 27), ((512, 512), 256, 8, 24), ((60, 120, 120), 30, 6, 24)],
)
def test_are_checked_and_repaired_as_if_each_object_had_its_own_label(shape, tile, radius, spacing):
    whole = nuclei(shape, radius=radius, spacing=spacing)
    reused = counted_in_tiles(whole, tile)
    theirs = check_labels(cut(whole, (tile,) * len(shape), (0,) * len(shape)))
    ours = check_labels(reused)
    assert ours.renumbered and not theirs.renumbered
    assert (ours.tile, ours.offset) == (theirs.tile, theirs.offset)
    # Pieces that by chance have one number on both sides are in one piece already.
    assert 0.8 * len(theirs.splits) < len(ours.splits) <= len(theirs.splits)
    mended, repair = repair_labels(reused, ours, confidence=0)
    if len(shape) == 2:
        assert objects_of(mended) == objects_of(whole)
    else:  # where a nucleus meets a corner of tiles not every contact is straight
        assert all(len(np.unique(whole.flat[list(pixels)])) == 1 for pixels in objects_of(mended))
    assert mended.max() > 255 or mended.dtype == np.uint8
    before = undo_repair(mended, Repair.from_dict(repair.to_dict()))
    np.testing.assert_array_equal(before, reused)


def test_of_a_series_each_frame_counts_for_itself():
    frames = [nuclei((300, 300), seed, radius=8, spacing=22) for seed in (0, 1)]
    series = np.stack([counted_in_tiles(frame, 60) for frame in frames])
    check = check_labels(series, frames=1)
    assert check.renumbered and check.tile == (0, 60, 60)
    mended, _ = repair_labels(series, check)
    alone = repair_labels(series[0], check_labels(series[0]))[0]
    assert objects_of(mended[0]) == objects_of(alone)


def test_that_stay_in_a_file_are_told_apart_or_refused(monkeypatch):
    da = pytest.importorskip("dask.array")
    labels = counted_in_tiles(nuclei((400, 400), radius=8, spacing=22), 80)
    lazy = da.from_array(labels, chunks=100)
    check = check_labels(labels)
    assert check_labels(lazy) == check and check.renumbered
    mended, repair = repair_labels(labels, check)
    also, same = repair_labels(lazy, check)
    np.testing.assert_array_equal(also, mended)
    assert same == repair
    monkeypatch.setattr(opened, "LAZY_BYTES", 1)
    with pytest.raises(ShiftSegError, match="each tile counts its objects from 1"):
        check_labels(lazy, 80)
    kinds = np.where(labels > 0, nuclei((400, 400), radius=8, spacing=22) % 5 + 1, 0)
    assert not check_labels(da.from_array(kinds, chunks=100)).renumbered


def specks(whole):
    return np.where(np.random.default_rng(0).random(whole.shape) < 0.98, whole, 0)


@pytest.mark.parametrize(
    "labels",
    [
        nuclei((300, 300)),
        cut(nuclei((300, 300)), (60, 60), (0, 0)),
        (nuclei((300, 300)) > 0).astype(np.uint8),
        specks(nuclei((300, 300))),
        np.kron(np.arange(1, 5).reshape(2, 2), np.ones((90, 90), int)),
        np.zeros((30, 30), int),
    ],
    ids=["nuclei", "cut", "a mask", "nuclei with holes", "large objects", "nothing"],
)
def test_labels_that_are_names_of_objects_stay(labels):
    check = check_labels(labels)
    assert not check.renumbered
    assert np.array_equal(repair_labels(labels, check)[0] > 0, labels > 0)


@pytest.mark.parametrize("names", [3, 8])
def test_names_of_kinds_or_of_what_holds_the_objects_stay(names):
    """Of them, too, each label names objects all over the image, but no tile has cut them."""
    whole = nuclei((400, 400), radius=8, spacing=22)
    kinds = np.where(whole > 0, whole % names + 1, 0)
    check = check_labels(kinds)
    assert not check.found and not check.renumbered
    np.testing.assert_array_equal(repair_labels(kinds, check)[0], kinds)
    assert not check_labels(kinds, 100).renumbered


def test_two_tiles_are_enough():
    whole = nuclei((600, 300), radius=9, spacing=27)
    halves = counted_in_tiles(whole, 310)
    check = check_labels(halves, (310, 0))
    assert check.renumbered
    assert objects_of(repair_labels(halves, check, confidence=0)[0]) == objects_of(whole)


def test_negative_labels_are_refused():
    with pytest.raises(ShiftSegError, match="negative labels"):
        check_labels(np.where(nuclei((90, 90)) == 2, -1, 0))
