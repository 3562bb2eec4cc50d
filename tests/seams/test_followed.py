import numpy as np

from napari_shiftseg.seams.followed import followed


def frame(*sides):
    """Lines and centres, of sides that lie along the first axis."""
    return np.array([(line, line, place) for line, place in sides], int).reshape(-1, 3)


def test_of_one_frame_every_side_counts():
    assert followed([frame((5, 10), (5, 12), (40, 10))]).tolist() == [5, 5, 40]


def test_what_stays_or_moves_a_little_counts_once_where_it_is_most_often():
    lines = [60, 61, 61, 60, 61]
    assert followed([frame((line, 20 + 2 * i)) for i, line in enumerate(lines)]).tolist() == [61]


def test_of_lines_as_frequent_the_first_counts():
    assert followed([frame((33, 9)), frame((31, 9)), frame((35, 9))]).tolist() == [33]


def test_what_is_far_is_another_one_and_each_is_followed_by_one():
    first, then = frame((60, 20), (60, 26)), frame((60, 23), (60, 90), (60, 27))
    assert followed([first, then]).tolist() == [60, 60, 60]
    assert followed([frame(), then, frame()]).tolist() == [60, 60, 60]
