import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_shiftseg.cli import sweep as command
from napari_shiftseg.cli.commands import main
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.tiff import write_tiff
from napari_shiftseg.samples.discs import disc_image
from napari_shiftseg.sweep_figure import LIGHT, draw_sweep, fill_figure
from napari_shiftseg.tile_sweep import Sweep, SweepProgress, sweep, sweep_events, sweep_tiles
from random_networks import phase_wheel

IMAGE, TRUTH = disc_image(70)


@pytest.fixture(scope="module")
def scored(trained_model):
    return sweep(IMAGE, trained_model, truth=TRUTH)


def test_tile_sizes_span_two_periods_around_the_training_window_in_quarters(trained_model):
    assert trained_model.geometry.period == (4, 4)
    assert sweep_tiles(trained_model, (70, 70)) == tuple((n, n) for n in range(16, 25))


def test_tiles_of_more_than_the_image_are_left_out(trained_model):
    assert max(sweep_tiles(trained_model, (19, 12))) == (18, 18)
    assert sweep_tiles(trained_model, (8, 8)) == ((20, 20),)


def test_only_multiples_of_the_period_keep_the_phase():
    result = sweep(IMAGE, phase_wheel(), truth=np.ones_like(TRUTH), tiles=(16, 14, 20, 24))
    assert [point.aligned for point in result.points] == [False, True, False, True]
    assert [point.jump_ratio == pytest.approx(1) for point in result.points] == [
        point.aligned for point in result.points
    ]


def test_one_size_is_a_sweep_too():
    result = sweep(IMAGE, phase_wheel(), truth=np.ones_like(TRUTH), tiles=14)
    assert [point.tile for point in result.points] == [(14, 14)]


def test_at_multiples_of_the_period_naive_stitching_is_corrected_stitching(scored):
    for point in scored.points:
        if point.aligned:
            assert point.seam_splits == 0
            assert point.ap50 == scored.corrected.ap50
            assert point.false_splits == scored.corrected.false_splits


def test_without_truth_the_corrected_labels_are_counted_against(sensitive_model):
    result = sweep(IMAGE, sensitive_model, tiles=(20, 18))
    assert [point.tile for point in result.points] == [(18, 18), (20, 20)]
    assert result.corrected.false_splits == result.corrected.false_merges == 0
    assert result.points[1].false_splits == 0 < result.points[0].false_splits
    assert {point.ap50 for point in result.points} == {None}
    assert result.to_dict()["compared_with"] == "corrected labels"


def test_progress_only_grows_and_the_result_comes_last(trained_model):
    *progress, last = sweep_events(IMAGE, trained_model, tiles=(36, 40))
    assert isinstance(last, Sweep)
    assert all(isinstance(event, SweepProgress) for event in progress)
    fractions = [event.fraction for event in progress]
    assert fractions == sorted(fractions) and 0 < fractions[0] and fractions[-1] < 1
    assert progress[-1].text == "Tiles of 40 px (3 of 3)"


def test_a_sweep_is_plain_json_and_a_table(scored):
    values = json.loads(json.dumps(scored.to_dict(), allow_nan=False))
    rows = list(csv.DictReader(scored.to_csv().splitlines()))
    assert len(rows) == len(values["naive"]) + 1
    assert rows[-1]["stitching"] == "corrected"
    assert [row["tile"] for row in rows[:2]] == ["16", "17"]
    assert float(rows[0]["ap50"]) == values["naive"][0]["ap50"]
    assert str(scored).count("\n") == len(rows) + 1


def test_a_region_is_swept_alone(sensitive_model):
    region = (slice(0, 40), slice(8, 48))
    whole, part = (
        sweep(IMAGE, sensitive_model, tiles=(18,), region=where) for where in (None, region)
    )
    assert 0 < part.points[0].false_splits < whole.points[0].false_splits


def test_of_a_region_the_sizes_are_those_of_the_image(trained_model):
    """Tiles larger than a region still have seams in it: they lie where those of the image do."""
    region = (slice(14, 26), slice(14, 26))
    found = sweep(IMAGE, trained_model, region=region)
    assert [point.tile for point in found.points] == list(sweep_tiles(trained_model, (70, 70)))
    assert not found.without_seams


def test_of_an_image_of_one_tile_it_is_said_that_there_is_no_seam(trained_model):
    assert sweep(IMAGE[:12, :12], trained_model).without_seams
    assert not sweep(IMAGE, trained_model, tiles=18).without_seams


@pytest.mark.parametrize("ap", [0.0, 0.98, 1.0])
def test_axes_hold_what_can_be(scored, ap):
    """Counts are whole, AP lies between 0 and 1, however little there is to show."""
    flat = [replace(p, false_splits=0, seam_splits=0, ap50=ap) for p in (*scored.points,)]
    figure = Figure()
    fill_figure(figure, replace(scored, points=tuple(flat), corrected=flat[0]), LIGHT)
    FigureCanvasAgg(figure).draw()
    counts, scores = (
        [tick for tick in panel.get_yticks() if panel.get_ylim()[0] <= tick <= panel.get_ylim()[1]]
        for panel in figure.axes
    )
    assert counts == [0, 1]
    assert len(scores) > 1 and min(scores) >= 0 and max(scores) <= 1


@pytest.mark.parametrize("tile", [0, (8, 8, 8)])
def test_a_tile_that_cannot_be_is_refused(random_model, tile):
    with pytest.raises(
        ShiftSegError, match=r"legal: (2 numbers of at least 1|a whole number, or 2)"
    ):
        sweep(IMAGE, random_model, tiles=[tile])


def test_a_truth_of_another_shape_is_refused(random_model):
    with pytest.raises(ShiftSegError, match=r"ground truth has the shape \(3, 3\)"):
        sweep(IMAGE, random_model, truth=np.zeros((3, 3), int), tiles=(36,))


def test_the_picture_is_written_whole(scored, tmp_path):
    draw_sweep(scored, tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.png"]
    with pytest.raises(ShiftSegError, match="no such folder"):
        draw_sweep(scored, tmp_path / "nowhere" / "sweep.png")


def test_the_command_writes_plot_and_numbers(trained_model, tmp_path, capsys):
    assert command
    write_tiff(tmp_path / "discs.tif", IMAGE, axes="YX")
    save_model(tmp_path / "m.safetensors", trained_model.network, trained_model.description)
    words = ["sweep", "discs.tif", "-m", "m.safetensors", "-o", ".", "--tile", "16", "--tile", "18"]
    words = [str(tmp_path / word) if "." in word else word for word in words]
    with pytest.raises(SystemExit, match="0"):
        main(words)
    assert capsys.readouterr().out.count("naive") == 2
    assert (tmp_path / "discs-sweep.png").exists()
    assert (tmp_path / "discs-sweep.csv").read_text().count("\n") == 4
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "--overwrite" in capsys.readouterr().err


def test_the_truth_is_cut_as_the_region_is(trained_model):
    region = (slice(10, 60), slice(3, 53))
    found = sweep(IMAGE, trained_model, truth=TRUTH, tiles=(18,), region=region)
    assert found.scored and found.corrected.ap50 > 0.8


def test_a_window_below_two_periods_is_swept_from_one_period_on(random_model):
    narrow = replace(random_model.description, training_window=(6, 6))
    assert sweep_tiles(replace(random_model, description=narrow), (70, 70))[0] == (4, 4)


def test_a_tile_is_a_multiple_of_the_period_only_on_all_axes():
    result = sweep(IMAGE, phase_wheel(), truth=np.ones_like(TRUTH), tiles=[(16, 14), (16, 24)])
    assert [point.aligned for point in result.points] == [False, True]
