"""Frames that one grid has cut: checked together, each with labels of its own."""

from dataclasses import replace

import numpy as np
import pytest
from cut_labels import cut, nuclei

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.repair import repair_labels, undo_repair
from napari_shiftseg.seams.straight import check_labels

da = pytest.importorskip("dask.array")


@pytest.fixture(scope="module")
def whole():
    return np.stack([nuclei((160, 180), seed) for seed in range(6)])


@pytest.fixture(scope="module")
def pieces(whole):
    return np.stack([cut(frame, (60, 60), (0, 0)) for frame in whole])


def alone(frame, index):
    """What a check of one frame finds, as that of the series says it."""
    check = check_labels(frame, 60)
    return {replace(found, position=(index, *found.position)) for found in check.splits}


def test_every_frame_is_checked_as_if_it_were_alone(pieces):
    check = check_labels(pieces, frames=1)
    assert (check.tile, check.offset, check.frames) == ((0, 60, 60), (0, 0, 0), 1)
    assert check.grid == "tiles of 60 px"
    assert set(check.splits) == set().union(*(alone(f, i) for i, f in enumerate(pieces)))
    assert [cut.length for cut in check.splits] == sorted(
        (cut.length for cut in check.splits), reverse=True
    )
    assert check.objects == sum(len(np.unique(frame)) - 1 for frame in pieces)


def test_few_cuts_in_each_frame_are_many_in_all(whole):
    few = whole.copy()
    for number, frame in enumerate(few):
        touched = np.unique(frame[60 + number % 2 * 60])
        one = frame == touched[touched > 0][number]
        frame[one] = (cut(np.where(one, frame, 0), (60, 10**6), (0, 0)) + frame.max())[one]
    assert not any(check_labels(frame).found for frame in few)
    check = check_labels(few, frames=1)
    assert check.found and check.tile[1] == 60


def test_a_frame_that_is_there_ten_times_tells_what_it_tells_once(pieces):
    once, ten = check_labels(pieces[0]), check_labels(np.stack([pieces[0]] * 10), frames=1)
    assert (ten.tile[1:], ten.p_value) == (once.tile, once.p_value)
    assert len(ten.splits) == 10 * len(once.splits)


def test_an_object_that_stays_where_it_is_makes_no_grid(whole):
    frame = whole[0].copy()
    rows, columns = np.indices(frame.shape)
    disc = (rows - 81) ** 2 + (columns - 91) ** 2 < 12**2
    frame[disc] = 900 + (columns[disc] > 90)
    assert not check_labels(np.stack([frame] * 40), frames=1).found


@pytest.mark.parametrize("lazy", [False, True])
def test_pieces_are_merged_in_their_own_frame_alone(pieces, lazy):
    series = da.from_array(pieces, chunks=(4, 50, 70)) if lazy else pieces
    repaired, repair = repair_labels(series, check_labels(series, 60, frames=1))
    for frame, mended in zip(pieces, np.asarray(repaired), strict=True):
        np.testing.assert_array_equal(mended, repair_labels(frame, check_labels(frame, 60))[0])
    assert repaired.dtype == pieces.dtype
    np.testing.assert_array_equal(undo_repair(repaired, repair), pieces)


def test_several_axes_of_frames_and_channels(pieces):
    image = np.random.default_rng(0).normal(pieces % 7, 0.1)
    flat = check_labels(pieces, image=np.stack([image, image]), frames=1)
    several = check_labels(
        pieces.reshape(2, 3, 160, 180), image=image.reshape(2, 3, 160, 180), frames=2
    )
    assert several.tile == (0, *flat.tile)
    assert [c.confidence for c in several.splits] == [c.confidence for c in flat.splits]
    assert any(c.confidence < 0.5 for c in flat.splits)


@pytest.mark.parametrize("frames", [-1, 3])
def test_there_must_be_space(pieces, frames):
    with pytest.raises(ShiftSegError, match="legal: 0 to 2"):
        check_labels(pieces, frames=frames)
