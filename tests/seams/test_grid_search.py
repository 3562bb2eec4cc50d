import numpy as np
import pytest
from cut_labels import cut, nuclei
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.grid_search import (
    Sides,
    _best_of_each,
    find_grids,
    straight_pairs,
    straight_sides,
)
from napari_shiftseg.seams.outlines import Outlines


def grids(labels):
    return find_grids([Outlines.of(labels)])


class TestFound:
    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 99), st.sampled_from([48, 60, 64, 100]))
    def test_a_grid_from_the_first_pixel(self, seed, tile):
        (grid,) = grids(cut(nuclei((260, 300), seed), (tile, tile), (0, 0)))
        assert (grid.axes, grid.tile, grid.offset) == ((0, 1), tile, 0)
        assert grid.p_value < 1e-6

    def test_a_grid_that_starts_elsewhere(self):
        (grid,) = grids(cut(nuclei((260, 300)), (64, 64), (17, 17)))
        assert (grid.tile, grid.offset) == (64, 17)

    def test_another_grid_on_each_axis(self):
        rows, columns = grids(cut(nuclei((300, 300)), (60, 88), (0, 0)))
        assert (rows.axes, rows.tile) == ((0,), 60)
        assert (columns.axes, columns.tile) == ((1,), 88)

    def test_tiles_that_are_not_square_however_many_cuts_there_are(self):
        """Where the probability of one axis is too small for a number."""
        rows, columns = grids(cut(nuclei((1000, 1000)), (60, 130), (0, 0)))
        assert rows.p_value == 0 < columns.p_value
        assert (rows.axes, rows.tile, columns.axes, columns.tile) == ((0,), 60, (1,), 130)

    def test_of_volumes_any_two_axes_share_a_grid_or_none(self):
        labels = nuclei((48, 160, 160), radius=6, spacing=14)
        for tiles, shared in (((16, 64, 64), (1, 2)), ((20, 48, 20), (0, 2)), ((12, 50, 70), ())):
            found = {grid.axes: grid.tile for grid in grids(cut(labels, tiles, (0, 0, 0)))}
            alone = [axis for axis in range(3) if axis not in shared]
            expected = {(axis,): tiles[axis] for axis in alone}
            assert found == expected | ({shared: tiles[shared[0]]} if shared else {})

    def test_stripes_have_a_grid_on_one_axis_alone(self):
        (grid,) = grids(cut(nuclei((300, 300)), (60, 10**6), (0, 0)))
        assert (grid.axes, grid.tile) == ((0,), 60)

    def test_a_few_cuts_on_the_other_axis_make_the_tiles_square(self):
        whole = nuclei((300, 300))
        rows = cut(whole, (60, 10**6), (0, 0))
        two = np.isin(whole, np.unique(whole[:, 60])[1:3])
        few = np.where(two, cut(whole, (60, 60), (0, 0)) + rows.max(), rows)
        (grid,) = grids(few)
        assert (grid.axes, grid.tile, grid.offset) == ((0, 1), 60, 0)

    def test_volumes(self):
        labels = nuclei((40, 100, 100), radius=6, spacing=18)
        (grid,) = grids(cut(labels, (10**6, 32, 32), (0, 0, 0)))
        assert (grid.axes, grid.tile, grid.offset) == ((1, 2), 32, 0)

    def test_one_sided_cuts_whose_other_piece_is_gone(self):
        pieces = cut(nuclei((260, 300)), (64, 64), (0, 0))
        gone = np.random.default_rng(0).random(pieces.max() + 1) < 0.5
        assert grids(np.where(gone[pieces], 0, pieces))[0].tile == 64

    def test_a_grid_in_labels_that_were_enlarged(self):
        labels = np.kron(nuclei((200, 200)), np.ones((4, 4), int))
        (grid,) = grids(cut(labels, (192, 192), (0, 0)))
        assert (grid.axes, grid.tile, grid.offset) == ((0, 1), 192, 0)


class TestNone:
    @pytest.mark.parametrize("seed", range(5))
    def test_in_good_labels(self, seed):
        assert grids(nuclei((260, 300), seed)) == []

    def test_in_boxes_that_lie_anywhere(self):
        rng = np.random.default_rng(0)
        labels = np.zeros((300, 300), int)
        for number in range(1, 60):
            y, x, h, w = rng.integers((0, 0, 8, 8), (280, 280, 30, 30))
            labels[y : y + h, x : x + w] = number
        assert grids(labels) == []

    @pytest.mark.parametrize("margin", [1, 2, 4, 8, 16, 40])
    @pytest.mark.parametrize("seed", range(3))
    def test_in_masks_that_are_wiped_clean_along_their_border(self, margin, seed):
        """As those of valid networks, and of programs that drop what the border cuts."""
        labels = np.zeros((300, 300), int)
        inner = (slice(margin, -margin),) * 2
        labels[inner] = nuclei((300, 300), seed, radius=12, spacing=25)[inner]
        assert grids(labels) == []

    @pytest.mark.parametrize("times", [4, 8, 12])
    @pytest.mark.parametrize("cropped", [0, 3])
    def test_in_labels_that_were_enlarged(self, times, cropped):
        """Their sides are straight, and lie on multiples of so many pixels."""
        small = nuclei((70, 70), radius=4, spacing=9)
        assert grids(np.kron(small, np.ones((times, times), int))[cropped:, cropped:]) == []

    @pytest.mark.parametrize("labels", [np.zeros((50, 60), int), np.ones((50, 60), int)])
    def test_where_nothing_is(self, labels):
        assert grids(labels) == []


def test_a_pair_is_straight_if_its_contact_lies_on_one_line():
    labels = np.zeros((12, 12), int)
    labels[2:8, 2:5], labels[2:8, 5:9] = 4, 7
    assert straight_pairs(Contacts.of(labels)).tolist() == [[1, 5, 4, 7, 6, 4, 5]]
    labels[2:5, 5] = 4
    assert len(straight_pairs(Contacts.of(labels))) == 0


def test_sides_on_the_border_of_the_image_are_no_cuts():
    labels = np.zeros((30, 30), int)
    labels[0:10, 10:20] = 1
    labels[26:28, 3:5] = labels[26:28, 26:28] = 2
    rows, columns = straight_sides([Outlines.of(labels)], np.zeros((0, 2)))
    assert rows.single.tolist() == [10]
    assert sorted(columns.single.tolist()) == [10, 20]


def test_thousands_of_cuts_are_no_less_clear_than_a_few():
    sides = [
        Sides(
            np.repeat(np.arange(100, 2000, 100), 400),
            np.zeros(0, int),
            2000,
            (np.arange(1, 2000),) * 2,
        )
    ] * 2
    grid = _best_of_each(sides)[0, 1].grid
    assert (grid.tile, grid.offset) == (100, 0)
