import numpy as np
import pytest
from cut_labels import cut, nuclei

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.straight import LabelCheck, check_events, check_labels


@pytest.fixture(scope="module")
def whole():
    return nuclei((220, 260))


@pytest.fixture(scope="module")
def pieces(whole):
    return cut(whole, (64, 64), (0, 0))


def true_pairs(pieces, whole, cuts):
    object_of = dict(zip(pieces.ravel().tolist(), whole.ravel().tolist(), strict=True))
    return [object_of[one] == object_of[other] for one, other in (c.labels for c in cuts)]


class TestUnknownGrid:
    def test_is_found_and_every_pair_on_it(self, pieces, whole):
        check = check_labels(pieces)
        assert (check.tile, check.offset, check.found) == ((64, 64), (0, 0), True)
        assert check.p_value < 1e-6
        assert all(true_pairs(pieces, whole, check.splits))
        cut_objects = len(np.unique(pieces)) - len(np.unique(whole))
        assert len(check.splits) >= 0.9 * cut_objects

    def test_good_labels_have_none(self, whole):
        check = check_labels(whole)
        assert (check.tile, check.found, check.splits, check.p_value) == ((0, 0), False, (), 1.0)
        assert check.objects == len(np.unique(whole)) - 1

    def test_an_axis_without_lines_has_no_cuts(self, whole):
        check = check_labels(cut(whole, (10**6, 64), (0, 0)))
        assert check.tile == (0, 64)
        assert all(round(c.position[1]) % 64 == 0 for c in check.splits)


class TestKnownGrid:
    def test_is_taken_as_it_is(self, pieces):
        check = check_labels(pieces, 64)
        assert check.splits == check_labels(pieces).splits
        assert check.p_value == 1 / 64

    def test_of_another_size_is_less_likely(self, pieces):
        assert check_labels(pieces, 50).p_value > 0.05

    def test_has_a_size_and_an_offset_on_each_axis(self, whole):
        check = check_labels(cut(whole, (10**6, 64), (0, 17)), (0, 64), (0, 17))
        assert (check.tile, check.offset) == ((0, 64), (0, 17))
        assert check.p_value == 1 / 64
        assert len(check.splits) > 5
        assert {round(c.position[1]) % 64 for c in check.splits} == {17}

    @pytest.mark.parametrize(
        ("tile", "offset"),
        [
            (1, 0),
            (10**30, 0),
            (20, 20),
            (20, -1),
            ((20, 1), 0),
            ((0, 0), 0),
            ((20,), 0),
            ((20, 30), (0, 30)),
        ],
    )
    def test_impossible_ones_are_refused(self, pieces, tile, offset):
        with pytest.raises(ShiftSegError, match="legal"):
            check_labels(pieces, tile, offset)


class TestConfidence:
    def blocks(self, shift):
        labels = np.zeros((60, 60), int)
        labels[10:30, 22:32], labels[10 + shift : 30 + shift, 32:42] = 1, 2
        return labels

    def test_is_high_where_both_sides_begin_and_end_together(self):
        (found,) = check_labels(self.blocks(0), 32).splits
        assert (found.fraction, found.length) == (1, 20)
        assert found.confidence > 0.9

    def test_is_low_where_two_objects_happen_to_meet(self):
        (found,) = check_labels(self.blocks(14), 32).splits
        assert found.confidence < 0.5


def test_the_corner_of_four_tiles():
    labels = np.zeros((64, 64), int)
    labels[20:44, 20:44] = 1
    check = check_labels(cut(labels, (32, 32), (0, 0)), 32)
    assert sorted(c.labels for c in check.splits) == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_an_object_whose_other_piece_is_gone_is_listed_as_cut_on_one_side():
    labels = np.zeros((64, 64), int)
    labels[10:30, 20:32] = 7
    (found,) = check_labels(labels, 32).one_sided
    assert (found.label, found.axis, found.line) == (7, 1, 32)
    assert (found.position, found.length) == ((19.5, 32), 20)


@pytest.mark.parametrize(
    ("tile", "offset", "words"),
    [
        ((0, 0), (0, 0), "no tile grid"),
        ((64, 64), (0, 0), "tiles of 64 px"),
        ((64, 32), (5, 5), "tiles of 64 x 32 px from 5"),
        ((0, 32), (0, 5), "tiles of 32 px from 5 along x"),
        ((0, 32, 32), (0, 5, 5), "tiles of 32 px from 5 along y and x"),
        ((0, 64, 32), (0, 0, 5), "tiles of 64 px along y, 32 px from 5 along x"),
    ],
)
def test_the_grid_in_words(tile, offset, words):
    assert LabelCheck(tile, offset, 0.0, (), 3).grid == words


def test_what_is_being_done_is_said(pieces):
    *progress, check = check_events(pieces)
    assert check == check_labels(pieces)
    fractions = [event.fraction for event in progress]
    assert fractions == sorted(fractions) and 0 <= fractions[0] and fractions[-1] <= 1
    assert len({event.text for event in progress}) == 3
    assert len(set(progress)) == len(progress)


def test_labels_without_pixels_are_refused():
    with pytest.raises(ShiftSegError, match=r"\(0, 9\) have no pixels"):
        check_labels(np.zeros((0, 9), np.uint8), 4)


def test_float_labels_are_refused():
    with pytest.raises(ShiftSegError, match="holds float64 pixels; labels are integers"):
        check_labels(np.zeros((9, 9)))
