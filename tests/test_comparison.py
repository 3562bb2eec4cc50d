import json

import numpy as np
import pytest

from napari_shiftseg.comparison import Comparison, compare, compare_events
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.figure import draw_comparison
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.settings import Stitching
from random_networks import phase_wheel

IMAGE, TRUTH = disc_image(70)


def test_both_modes_are_reported_with_the_agreed_keys(trained_model):
    comparison = compare(IMAGE, trained_model, truth=TRUTH, tile=18)
    values = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert (values["period"], values["context"]) == ([4, 4], [40, 40])
    assert list(values["modes"]) == ["naive", "corrected"]
    for mode in values["modes"].values():
        assert {"objects", "false_splits", "false_merges", "seam_splits", "ap50"} <= mode.keys()


def test_the_corrected_tile_is_the_largest_multiple_of_the_period(random_model):
    comparison = compare(IMAGE, random_model, tile=(18, 33))
    assert comparison.results["naive"].plan.tile_size == (18, 33)
    assert comparison.results["corrected"].plan.tile_size == (16, 32)


def test_naive_seams_turn_the_phase_wheel_and_corrected_ones_do_not():
    comparison = compare(IMAGE, phase_wheel(), truth=np.ones_like(TRUTH), tile=20)
    naive, corrected = (comparison.reports[mode].jumps for mode in ("naive", "corrected"))
    assert comparison.results["naive"].plan.misaligned == ((20, 40, 60), (20, 40, 60))
    assert naive.ratio == pytest.approx(np.sin(3 * np.pi / 8) / np.sin(np.pi / 8))
    assert corrected.ratio == pytest.approx(1)


def test_without_truth_the_corrected_labels_are_the_reference(sensitive_model):
    comparison = compare(IMAGE, sensitive_model, tile=18)
    naive, corrected = (comparison.reports[mode] for mode in ("naive", "corrected"))
    assert corrected.seam_splits == 0 < naive.seam_splits
    assert naive.ap50 is corrected.ap50 is None


def test_without_anything_to_compare_with_nobody_counts_what_seams_cut(random_model, tmp_path):
    modes = ("naive", "blended")
    comparison = compare(IMAGE, random_model, tile=18, modes=modes)
    draw_comparison(comparison, IMAGE, tmp_path / "naive.png")
    report = comparison.reports["naive"]
    assert report.to_dict()["seam_splits"] is None
    assert "caused by seams         –" in str(report)
    scored = compare(IMAGE, random_model, truth=TRUTH, tile=18, modes=modes).reports["naive"]
    assert scored.seam_splits is not None


def test_any_modes(random_model):
    comparison = compare(IMAGE, random_model, tile=16, modes=("whole", "blended"))
    assert list(comparison.reports) == ["whole", "blended"]
    assert str(comparison).count("stitching, tiles of") == 2


def test_events_end_with_the_comparison(random_model):
    *_, last = compare_events(IMAGE, random_model)
    assert isinstance(last, Comparison)


def test_one_mode_may_be_run_with_two_tile_sizes(random_model):
    stitchings = (Stitching("naive", 36), Stitching("naive", 30), Stitching("whole"))
    *_, last = compare_events(IMAGE, random_model, stitchings=stitchings)
    assert list(last.results) == ["naive 36", "naive 30", "whole"]
    assert last.results["naive 30"].plan.tile_size == (30, 30)


def test_frames_of_a_stack_are_compared_one_by_one(sensitive_model):
    frames = [np.roll(IMAGE, rows, axis=0) for rows in (0, 3, 6, 9)]
    stitchings = [Stitching("naive", 18), Stitching("corrected", 16)]
    alone = [list(compare_events(f, sensitive_model, stitchings=stitchings))[-1] for f in frames]
    *_, last = compare_events(np.stack(frames), sensitive_model, stitchings=stitchings)
    for mode, report in last.reports.items():
        each = [one.reports[mode] for one in alone]
        assert report.objects == sum(one.objects for one in each)
        assert report.seam_splits == sum(one.seam_splits for one in each)
        for number, one in enumerate(each):
            found = {s.position[1:] for s in report.splits if s.position[0] == number}
            assert found == {s.position for s in one.splits}
    assert sum(one.reports["naive"].seam_splits > 0 for one in alone) > 1


def test_a_truth_of_another_shape_is_refused(random_model):
    with pytest.raises(ShiftSegError, match=r"ground truth has the shape \(3, 3\)"):
        compare(IMAGE, random_model, truth=np.zeros((3, 3), int), tile=36)


@pytest.mark.parametrize("tiles", [(8, 8), (8, (8, 8))])
def test_two_stitchings_that_are_one_are_refused_before_any_run(random_model, tiles):
    image = disc_image(40)[0]
    alike = [Stitching("corrected", tile) for tile in tiles]
    with pytest.raises(ShiftSegError, match="are the same, corrected with tiles of 8 px"):
        next(compare_events(image, random_model, stitchings=alike))


def test_without_truth_whole_labels_are_a_reference_too(sensitive_model):
    comparison = compare(IMAGE, sensitive_model, tile=18, modes=("naive", "whole"))
    naive, whole = (comparison.reports[mode] for mode in ("naive", "whole"))
    assert whole.seam_splits == 0 < naive.seam_splits
