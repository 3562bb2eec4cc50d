import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.edit import (
    Edit,
    merge,
    next_label,
    object_under,
    put_object,
    split_by_line,
)


def painted(*rows):
    return np.array([[int(v) for v in row] for row in rows], np.int32)


TWO = painted("1110", "1110", "0022", "0022")
BAR = painted("00000000", "07777770", "07777770", "00000000")


def everywhere(mask):
    return np.nonzero(mask)


def test_an_edit_leaves_the_labels_alone():
    edited = Edit((np.array([0]), np.array([3])), np.array([9], np.int32)).applied(TWO)
    assert edited[0, 3] == 9 and TWO[0, 3] == 0


def test_the_edit_between_two_images_makes_one_from_the_other():
    after = np.where(TWO == 2, 5, TWO)
    edit = Edit.between(TWO, after)
    assert len(edit.values) == 4
    assert (edit.applied(TWO) == after).all()


def test_an_edit_of_a_frame_edits_the_stack_there_only():
    stack = np.stack([TWO, TWO])
    edited = merge(stack[1], 1, [2]).in_frame((1,)).applied(stack)
    assert (edited[0] == TWO).all()
    assert set(np.unique(edited[1])) == {0, 1}


def test_the_next_label_is_above_all_that_are_known():
    assert next_label(TWO) == 3
    assert next_label(TWO, beyond=40) == 41
    assert next_label(np.zeros((2, 2), int)) == 1


def test_a_type_that_holds_no_next_label_is_named():
    with pytest.raises(ShiftSegError, match="256; labels of type uint8 end at 255"):
        next_label(np.array([255], np.uint8))


def test_merged_pieces_take_the_first_ones_number():
    labels = painted("12", "34")
    assert merge(labels, 3, [1, 4]).applied(labels).tolist() == [[3, 2], [3, 3]]


@pytest.mark.parametrize(
    ("into", "others", "words"),
    [(0, [1], "background"), (1, [0], "background"), (1, [1], "one object already")],
)
def test_what_cannot_be_merged_is_refused(into, others, words):
    with pytest.raises(ShiftSegError, match=words):
        merge(TWO, into, others)


def test_an_object_on_background_is_new():
    edit = put_object(TWO, everywhere(TWO == 0), (0, 3), 8)
    assert (edit.applied(TWO) == np.where(TWO == 0, 8, TWO)).all()


def test_an_object_over_most_of_another_replaces_it_and_keeps_its_number():
    most = np.zeros(TWO.shape, bool)
    most[:2, :2] = True
    edited = put_object(TWO, everywhere(most), (0, 0), 8).applied(TWO)
    assert edited.tolist() == painted("1100", "1100", "0022", "0022").tolist()


def test_an_object_over_less_of_another_takes_only_what_they_share():
    little = np.zeros(TWO.shape, bool)
    little[0, :2] = True
    edited = put_object(TWO, everywhere(little), (0, 0), 8).applied(TWO)
    assert edited.tolist() == painted("8810", "1110", "0022", "0022").tolist()


def test_pieces_of_one_object_become_one():
    edited = put_object(TWO, everywhere(TWO > 0), (3, 3), 8).applied(TWO)
    assert (edited == np.where(TWO > 0, 2, 0)).all()


def test_the_object_under_a_line_is_the_one_with_most_pixels_there():
    assert object_under(TWO, [(0, 0), (3, 0)]) == 1
    assert object_under(TWO, [(3, 0), (3, 9)]) == 2
    with pytest.raises(ShiftSegError, match="crosses no object"):
        object_under(TWO, [(0, 3), (1, 3)])


@pytest.mark.parametrize(
    "line", [[(-5, 3), (9, 3)], [(0, 4), (3, 3)], [(0, 3), (1.4, 3.4), (9, 4)]]
)
def test_a_line_across_an_object_cuts_it_in_two(line):
    after = split_by_line(BAR, 7, line).applied(BAR)
    assert ((after > 0) == (BAR > 0)).all()
    assert (after[1:3, 1] == after[1, 1]).all() and (after[1:3, 6] == after[1, 6]).all()
    assert sorted(np.unique(after)) == [0, 7, 8]
    assert after[1, 1] != after[1, 6]


def test_the_largest_piece_keeps_its_number():
    after = split_by_line(BAR, 7, [(0, 4), (3, 4)], new_label=21).applied(BAR)
    assert (after[1:3, 1:4] == 7).all()
    assert (after[1:3, 5:7] == 21).all()


@pytest.mark.parametrize(
    "line", [[(0, 3), (1, 3)], [(0, 0), (3, 0)], [(1, 1), (1, 6)], [(5, 5), (5, 5)]]
)
def test_a_line_that_cuts_nothing_off_is_refused(line):
    with pytest.raises(ShiftSegError, match="does not cut object 7 in two: draw it from outside"):
        split_by_line(BAR, 7, line)


def test_an_object_that_is_not_there_is_refused():
    with pytest.raises(ShiftSegError, match="no object 5"):
        split_by_line(BAR, 5, [(0, 3), (3, 3)])


def test_separate_parts_of_an_object_count_as_cut_only_where_the_line_cuts():
    labels = np.where(TWO > 0, 1, 0).astype(np.int32)
    labels[:, 3] = 0
    labels[2] = 0
    with pytest.raises(ShiftSegError, match="does not cut"):
        split_by_line(labels, 1, [(0, 5), (3, 5)])


def test_crumbs_beside_the_line_are_no_objects():
    disc = np.hypot(*np.mgrid[-8:9, -8:9]) < 8
    labels, cuts = disc.astype(np.int32), 0
    for column in range(1, 16):
        line = [(-1, column), (18, column + 1)]
        try:
            after = split_by_line(labels, 1, line).applied(labels)
        except ShiftSegError:
            continue
        cuts += 1
        assert np.unique(after, return_counts=True)[1].min() >= 4
    assert cuts > 5


def test_a_line_across_two_arms_makes_three_objects():
    fork = painted("1111111", "1111111", "1100011", "1100011", "1100011", "1100011")
    after = split_by_line(fork, 1, [(2, -1), (2, 7)]).applied(fork)
    assert (after[:2] == 1).all()
    assert sorted(np.unique(after)) == [0, 1, 2, 3]


def test_in_three_dimensions_the_line_is_a_wall():
    volume = np.zeros((5, 6, 9), np.int32)
    volume[1:4, 1:5, 1:8] = 3
    after = split_by_line(volume, 3, [(0, 4), (5, 4)]).applied(volume)
    assert (after[1:4, 1:5, 1] == after[1, 1, 1]).all()
    assert after[1, 1, 1] != after[1, 1, 7]


def test_a_line_on_any_two_axes_in_any_order():
    volume = np.zeros((5, 6, 9), np.int32)
    volume[1:4, 1:5, 1:8] = 3
    one = split_by_line(volume, 3, [(0, 2), (4, 6)], axes=(0, 2)).applied(volume)
    other = split_by_line(volume, 3, [(2, 0), (6, 4)], axes=(2, 0)).applied(volume)
    assert (one == other).all()
    assert (one[:, 1] == one[:, 4]).all()


def test_pieces_that_the_type_cannot_number_are_refused():
    with pytest.raises(ShiftSegError, match="uint8 end at 255"):
        split_by_line(np.where(BAR, 255, 0).astype(np.uint8), 255, [(0, 3), (3, 3)])


@given(st.lists(st.tuples(st.integers(-2, 14), st.integers(-2, 14)), min_size=2, max_size=5))
def test_what_was_split_can_be_merged_again(line):
    labels = np.zeros((13, 13), np.int32)
    labels[2:11, 3:9] = 4
    labels[2:5, 9:] = 5
    try:
        edit = split_by_line(labels, 4, line)
    except ShiftSegError:
        return
    after = edit.applied(labels)
    assert edit.values.dtype == labels.dtype
    assert (after[labels != 4] == labels[labels != 4]).all()
    pieces = [label for label in np.unique(after[labels == 4]).tolist() if label != 4]
    assert pieces and min(pieces) > 5
    assert (merge(after, 4, pieces).applied(after) == labels).all()


def test_the_object_under_a_line_over_two_is_the_one_with_more_pixels():
    assert object_under(TWO, [(1, 2), (3, 2)]) == 2
    assert object_under(TWO, [(0, 0), (0, 2), (2, 2)]) == 1


@pytest.mark.parametrize("label", [7, 2**63 + 1])
def test_labels_of_64_bits_are_split(label):
    labels = np.where(BAR > 0, label, 0).astype(np.uint64)
    edited = split_by_line(labels, label, [(0, 3), (3, 3)]).applied(labels)
    assert sorted(set(edited.ravel().tolist())) == [0, label, label + 1]


def test_a_type_of_64_bits_that_is_used_up_is_to_be_renumbered():
    with pytest.raises(ShiftSegError, match="renumber them from 1"):
        next_label(np.array([2**63 - 1]))
