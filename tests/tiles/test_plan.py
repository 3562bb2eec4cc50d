import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.tiles.plan import corrected_tile, make_plan
from random_networks import geometries

SMALL = NetworkGeometry.regular(2, 1)
PAPER = NetworkGeometry.regular(2, 3)


def coverage(plan):
    count = np.zeros(plan.image_size, int)
    for tile in plan:
        count[tile.inner] += 1
    return count


@st.composite
def plans(draw, modes):
    geometry = draw(geometries(levels=2))
    mode = draw(st.sampled_from(modes))
    longest = 60 if geometry.ndim == 2 else 30
    size = tuple(draw(st.integers(1, longest)) for _ in range(geometry.ndim))
    if mode == "corrected":
        tile = tuple(p * draw(st.integers(1, 4)) for p in geometry.period)
    else:
        tile = tuple(draw(st.integers(3, 40)) for _ in range(geometry.ndim))
    return make_plan(geometry, size, mode, tile=tile, overlap=draw(st.sampled_from((0, 0.3, 0.5))))


@given(plans(["naive", "corrected", "whole"]))
def test_every_pixel_is_covered_exactly_once(plan):
    assert (coverage(plan) == 1).all()


@given(plans(["blended"]))
def test_blended_windows_cover_every_pixel_and_stay_inside(plan):
    assert (coverage(plan) >= 1).all()
    for strip, size in zip(plan.strips, plan.image_size, strict=True):
        window = strip.window[0][1] - strip.window[0][0]
        if size > window:
            assert strip.window[-1][1] == size
            assert all(0 <= start for start, _ in strip.window)


@given(plans(["naive", "corrected", "whole", "blended"]))
def test_a_tile_reads_what_its_network_takes_and_keeps_what_it_puts_out(plan):
    for tile in plan:
        read = tuple(s.stop - s.start for s in tile.outer)
        put_out = tuple(s.stop - s.start for s in tile.window)
        assert plan.geometry.output_size(read) == put_out
        for local, length in zip(tile.local, put_out, strict=True):
            assert 0 <= local.start < local.stop <= length


@given(plans(["naive", "corrected", "whole", "blended"]))
def test_the_context_lies_evenly_around_the_window(plan):
    for tile in plan:
        for outer, window in zip(tile.outer, tile.window, strict=True):
            assert window.start - outer.start == outer.stop - window.stop


@given(plans(["corrected"]))
def test_corrected_tiles_start_at_multiples_of_the_period(plan):
    for tile in plan:
        for kept, window, period in zip(tile.inner, tile.window, plan.geometry.period, strict=True):
            assert kept.start % period == 0
            assert window.start % period == 0
    assert not any(plan.misaligned)


@given(plans(["naive"]))
def test_naive_phases_are_broken_unless_the_tile_is_a_multiple_of_the_period(plan):
    for axis, (tile, period) in enumerate(zip(plan.tile_size, plan.geometry.period, strict=True)):
        broken = plan.seams[axis] if tile % period else ()
        assert plan.misaligned[axis] == broken
        assert {plan.phase_jump(axis, s) for s in plan.seams[axis]} <= {tile % period}


@given(plans(["naive", "corrected"]))
def test_tiles_are_numbered_in_raster_order(plan):
    starts = [tuple(s.start for s in tile.inner) for tile in plan]
    assert starts == sorted(starts)
    assert [tile.index for tile in plan] == list(range(len(plan)))


@pytest.mark.parametrize("index", [-1, 6])
def test_there_is_no_tile_outside_of_the_plan(index):
    plan = make_plan(SMALL, (30, 20), "naive", tile=10)
    assert len(plan) == 6
    with pytest.raises(ShiftSegError, match="0 to 5"):
        plan.tile(index)


class TestSeams:
    def test_lie_where_tiles_meet(self):
        plan = make_plan(PAPER, (250, 100), "naive", tile=100)
        assert plan.seams == ((100, 200), ())
        assert plan.grid == (3, 1)

    def test_of_blended_windows_are_their_borders_inside_of_the_image(self):
        plan = make_plan(SMALL, (30, 10), "blended", tile=10)
        assert plan.strips[0].inner == ((0, 10), (5, 15), (10, 20), (15, 25), (20, 30))
        assert plan.seams == ((5, 10, 15, 20, 25), ())

    def test_a_whole_image_has_none(self):
        assert make_plan(PAPER, (250, 100), "whole").seams == ((), ())

    def test_phase_jump_is_the_tile_modulo_the_period(self):
        assert make_plan(PAPER, (250, 250), "naive", tile=100).phase_jump(0, 100) == 4
        assert make_plan(PAPER, (250, 250), "naive", tile=99).phase_jump(1, 198) == 3

    def test_the_last_blended_window_breaks_the_phase_when_it_moves_back(self):
        plan = make_plan(SMALL, (27, 10), "blended", tile=8)
        assert plan.strips[0].window[-2:] == ((16, 24), (19, 27))
        assert plan.misaligned == ((19, 24), ())


class TestCause:
    same = NetworkGeometry.regular(2, 2, padding="same")

    def test_phase(self):
        assert make_plan(PAPER, (250, 250), "naive", tile=100).cause(0, 100) == "phase"

    def test_context_where_a_zero_padded_tile_is_aligned(self):
        assert make_plan(self.same, (50, 50), "naive", tile=16).cause(0, 16) == "context"
        assert make_plan(self.same, (50, 50), "blended", tile=16).cause(0, 16) == "context"

    def test_phase_comes_first(self):
        assert make_plan(self.same, (50, 50), "naive", tile=18).cause(0, 18) == "phase"

    def test_none_in_corrected_plans(self):
        assert make_plan(self.same, (50, 50), "corrected", tile=16).cause(0, 16) is None
        assert make_plan(PAPER, (50, 50), "corrected", tile=16).cause(0, 16) is None

    def test_none_for_naive_tiles_of_whole_periods(self):
        assert make_plan(PAPER, (250, 250), "naive", tile=96).cause(0, 96) is None


class TestSentence:
    def test_naive_names_phase_and_counts(self):
        text = make_plan(PAPER, (250, 250), "naive", tile=100).sentence()
        assert text == (
            "Tiles of 100 px meet the 8 px period at phase 4: 4 of 4 seams can split objects."
        )

    def test_corrected_promises(self):
        text = make_plan(PAPER, (250, 250), "corrected", tile=96).sentence()
        assert "none of the 4 seams can split an object" in text

    def test_blended_blurs(self):
        text = make_plan(SMALL, (27, 27), "blended", tile=8).sentence()
        assert "4 of 14 seams can blur objects" in text

    def test_only_tiles_of_whole_periods_are_called_so(self):
        text = make_plan(PAPER, (250, 250), "naive", tile=96).sentence()
        assert text.startswith("Tiles of 96 px are multiples of the 8 px period: none of the 4")
        text = make_plan(PAPER, (116, 116), "blended", tile=108).sentence()
        assert text.startswith("Tiles of 108 px happen to lie in phase with the 8 px period: none")

    def test_zero_padding(self):
        text = make_plan(TestCause.same, (50, 50), "naive", tile=16).sentence()
        assert "see zeros" in text
        assert "6 of 6" in text

    def test_without_seams(self):
        assert "no seams" in make_plan(PAPER, (50, 50), "naive", tile=100).sentence()
        assert "One pass" in make_plan(PAPER, (50, 50), "whole").sentence()


class TestTileSize:
    def test_off_the_period_is_refused_with_both_neighbours(self):
        with pytest.raises(ShiftSegError, match="period, 8 px; nearest: 96 or 104"):
            make_plan(PAPER, (500, 500), "corrected", tile=100)

    def test_below_the_period_only_the_period_is_offered(self):
        with pytest.raises(ShiftSegError, match=r"nearest: 8$"):
            make_plan(PAPER, (500, 500), "corrected", tile=5)

    def test_each_axis_has_its_own_period(self):
        geometry = NetworkGeometry(
            factors=((1, 2), (2, 3)),
            down=(((3, 3),),) * 3,
            up=(((3, 3),),) * 2,
        )
        assert geometry.period == (2, 6)
        assert make_plan(geometry, (50, 50), tile=(4, 12)).seams[1] == (12, 24, 36, 48)
        with pytest.raises(ShiftSegError, match=r"period, 6 px; nearest: 6$"):
            make_plan(geometry, (50, 50), tile=(4, 4))

    @pytest.mark.parametrize("tile", [0, -8, (8,), (8, 8, 8), (8, 0)])
    def test_that_is_no_size_is_refused(self, tile):
        with pytest.raises(ShiftSegError, match="tile size is"):
            make_plan(PAPER, (50, 50), "corrected", tile=tile)

    def test_by_default_naive_takes_a_natural_output_and_corrected_its_periods(self):
        naive = make_plan(PAPER, (999, 999), "naive").tile_size
        corrected = make_plan(PAPER, (999, 999), "corrected").tile_size
        assert PAPER.natural_output(naive) == naive
        assert corrected == corrected_tile(PAPER, naive)
        assert naive[0] - corrected[0] == 4

    @given(st.integers(1, 200), st.integers(1, 200))
    def test_corrected_tile_is_the_largest_multiple_within(self, rows, columns):
        for size, most in zip(corrected_tile(PAPER, (rows, columns)), (rows, columns), strict=True):
            assert size % 8 == 0
            assert size <= max(8, most) < size + 8


@pytest.mark.parametrize("mode", ["naive", "corrected", "whole", "blended"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 5)])
def test_images_smaller_than_a_tile_take_one_tile(mode, size):
    plan = make_plan(PAPER, size, mode, tile=None)
    assert len(plan) == 1
    assert not any(plan.seams)
    assert plan.tile(0).inner == tuple(slice(0, n) for n in size)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ((50,), {}, "needs 2 axes"),
        ((50, 0), {}, "at least 1 px"),
        ((50, 50), {"mode": "magic"}, "legal: naive, corrected, whole, blended"),
        ((50, 50), {"mode": "blended", "overlap": 1.0}, "0 <= overlap < 1"),
    ],
)
def test_impossible_plans_are_refused(size, options, message):
    with pytest.raises(ShiftSegError, match=message):
        make_plan(PAPER, size, **options)


class TestRegion:
    REGION = (slice(10, 45), slice(0, 60))

    def plan(self, mode="naive", tile=18, region=REGION):
        geometry = NetworkGeometry.regular(2, 2)
        return make_plan(geometry, (60, 60), mode, tile=tile, region=region)

    def test_takes_the_tiles_that_it_needs_from_the_plan_of_the_whole(self):
        part, whole = self.plan(), self.plan(region=None)
        assert part.grid == (3, 4)
        assert {tile.outer[0].start for tile in part} == {t.outer[0].start for t in whole} - {
            whole.tile(len(whole) - 1).outer[0].start
        }

    def test_covers_every_pixel_once(self):
        plan = self.plan()
        count = np.zeros(plan.result_size, int)
        for tile in plan:
            count[plan.place(tile)] += 1
        assert plan.result_size == (35, 60)
        assert (count == 1).all()

    def test_counts_seams_from_its_first_pixel(self):
        plan, whole = self.plan(), self.plan(region=None)
        assert plan.seams[0] == (8, 26)
        assert whole.seams[0] == (18, 36, 54)
        assert [plan.phase_jump(0, s) for s in plan.seams[0]] == [2, 2]
        assert plan.cause(0, 8) == "phase"

    def test_of_a_whole_pass_is_one_tile_in_phase(self):
        (tile,) = self.plan("whole")
        assert tile.window[0].start == 8
        assert tile.inner == self.REGION

    @pytest.mark.parametrize(
        ("region", "message"),
        [
            ((slice(-1, 5), slice(0, 60)), "must lie inside of the image of 60 px"),
            ((slice(5, 5), slice(0, 60)), "must lie inside of the image of 60 px"),
            ((slice(0, 9),), "has 1 axes; legal: 2"),
            ((slice(0, 9, 2), slice(0, 9)), "legal: slices of step 1"),
        ],
    )
    def test_outside_of_the_image_is_refused(self, region, message):
        with pytest.raises(ShiftSegError, match=message):
            self.plan(region=region)

    def test_a_tile_larger_than_the_image_reads_no_more_than_one_of_its_size(self):
        large, fitting = (self.plan(tile=tile, region=None) for tile in (10_000, 60))
        assert [tile.outer for tile in large] == [tile.outer for tile in fitting]
        assert [tile.inner for tile in large] == [tile.inner for tile in fitting]

    def test_sizes_may_be_numbers_of_numpy(self):
        assert self.plan(tile=np.int64(18)) == self.plan(tile=18)

    def test_what_is_left_out_is_the_border_of_the_image(self):
        plan = self.plan(region=(slice(10, None), slice(None)))
        assert plan.region == (slice(10, 60), slice(0, 60))


def test_windows_that_overlap_almost_wholly_move_on_by_a_pixel():
    plan = make_plan(SMALL, (12, 12), "blended", tile=8, overlap=0.99)
    assert [tile.window[0].start for tile in plan][:: plan.grid[1]] == [0, 1, 2, 3, 4]
