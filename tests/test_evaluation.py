import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.evaluation import evaluate, evaluate_events
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples.discs import disc_image
from random_networks import phase_wheel


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    for name, size in (("a", 50), ("b", 60)):
        image, mask = disc_image(size)
        tifffile.imwrite(folder / "images" / f"{name}.tif", image)
        tifffile.imwrite(folder / "masks" / f"{name}.tif", mask)
    return folder


def test_scores_are_pooled_over_the_pack(trained_model, pack):
    scores = evaluate(trained_model, pack)
    assert scores.images == 2
    assert scores.counts.truth_objects == 16 + 25
    assert scores.average_precision["0.5"] > 0.9
    assert "images            2" in str(scores)


def test_as_json_with_the_agreed_keys(trained_model, pack):
    values = json.loads(json.dumps(evaluate(trained_model, pack).to_dict(), allow_nan=False))
    assert list(values["ap"]) == ["0.5", "0.6", "0.7", "0.8", "0.9"]
    low, high = values["ap_interval"]["0.5"]
    assert low <= values["ap"]["0.5"] <= high
    assert len(values["mean_ap_interval"]) == 2
    agreed = {"false_splits", "false_merges", "seam_splits", "seam_jump_ratio", "objects", "images"}
    assert agreed <= values.keys()
    assert values["mean_ap"] == pytest.approx(np.mean(list(values["ap"].values())))


def test_scores_grow_image_by_image(trained_model, pack):
    assert [scores.images for scores in evaluate_events(trained_model, pack)] == [1, 2]


def test_modes_can_be_compared_on_the_same_lines(trained_model, pack):
    corrected = evaluate(trained_model, pack, grid=18).to_dict()
    whole = evaluate(trained_model, pack, stitch="whole", grid=18).to_dict()
    assert corrected["seam_jump"] > 0
    for nested in ("ap", "ap_interval", "mean_ap_interval"):
        assert corrected.pop(nested) == whole.pop(nested)
    assert corrected == pytest.approx(whole, rel=1e-4)


def test_a_whole_image_has_no_jumps_of_its_own(trained_model, pack):
    values = evaluate(trained_model, pack, stitch="whole").to_dict()
    assert values["seam_jump"] is values["seam_jump_ratio"] is None
    assert values["seam_splits"] == 0


def test_naive_seams_turn_the_phase_wheel_and_corrected_ones_do_not(pack):
    naive = evaluate(phase_wheel(), pack, stitch="naive")
    corrected = evaluate(phase_wheel(), pack)
    assert naive.jumps.at_seams > 1.5 * corrected.jumps.at_seams
    assert corrected.jumps.ratio == pytest.approx(1, abs=0.1)


def test_what_is_no_pack_is_refused(trained_model, tmp_path):
    with pytest.raises(ShiftSegError, match="not a data pack"):
        evaluate(trained_model, tmp_path)


@pytest.mark.parametrize("data", [5, None, [5]])
def test_what_holds_no_pairs_is_refused(trained_model, data):
    with pytest.raises(ShiftSegError, match="legal: a pack, or pairs"):
        evaluate(trained_model, data)


def test_an_image_that_does_not_fit_is_named(trained_model, tmp_path):
    colours = np.zeros((40, 40, 3), np.uint8)
    colours[..., 1] = 9
    for kind, pixels in (("images", colours), ("masks", colours[..., 0])):
        (tmp_path / kind).mkdir()
        tifffile.imwrite(tmp_path / kind / "rgb.tif", pixels)
    with pytest.raises(ShiftSegError, match=r"images/rgb: .*colour"):
        evaluate(trained_model, tmp_path)


def test_arrays_score_as_the_same_images_in_a_pack(trained_model, tmp_path):
    image, truth = disc_image(64, spacing=13)
    for kind, pixels in (("images", image), ("masks", truth)):
        (tmp_path / kind).mkdir()
        tifffile.imwrite(tmp_path / kind / "discs.tif", pixels)
    from_arrays = evaluate(trained_model, [(image, truth)])
    assert from_arrays.to_dict() == evaluate(trained_model, tmp_path).to_dict()


def test_the_baseline_is_scored_on_the_same_images(trained_model, pack):
    scores = evaluate(trained_model, pack, baseline=True)
    values = scores.to_dict()
    assert values["baseline"]["true_objects"] == values["true_objects"]
    assert values["baseline"]["ap"]["0.5"] == 1  # discs that touch nothing
    first, *rows = str(scores).splitlines()
    assert first.split() == ["model", "baseline"]
    assert rows[0].split()[:2] == ["AP", "0.5"]
    assert rows[0].endswith("1.000 (1.000 to 1.000)")
    assert "baseline" not in evaluate(trained_model, pack).to_dict()


def test_only_what_is_known_is_scored(trained_model):
    image, mask = disc_image(60)
    part = mask.astype(np.int64)
    part[:, 30:] = -1
    scores = evaluate(trained_model, [(image, part)])
    assert scores.counts.truth_objects == len(np.unique(part[part > 0]))
    assert scores.counts.predicted_objects < len(np.unique(mask)) - 1
    assert scores.average_precision["0.5"] > 0.8


def test_slices_of_a_stack_are_scaled_together_as_when_they_are_segmented(trained_model, tmp_path):
    image, mask = disc_image(50)
    stack, labels = np.stack([image, 0.01 * image]).astype(np.float32), np.stack([mask, mask])
    for kind, pixels in (("images", stack), ("masks", labels)):
        (tmp_path / kind).mkdir()
        tifffile.imwrite(
            tmp_path / kind / "a.tif", pixels.astype(np.float32), imagej=True,
            metadata={"axes": "ZYX"},
        )  # fmt: skip
    percentile = replace(trained_model.description, intensity=Intensity("percentile"))
    model = replace(trained_model, description=percentile)
    segmented = segment(stack, model, axes="zyx")
    alone = [segment(plane, model).objects for plane in stack]
    scores = evaluate(model, tmp_path)
    assert scores.counts.predicted_objects == segmented.objects != sum(alone)


def test_masks_that_number_no_objects_are_told(trained_model):
    image, mask = disc_image(50)
    with pytest.warns(ShiftSegWarning, match="one label in several separate parts"):
        evaluate(trained_model, [(image, mask > 0)])


def test_frames_of_one_stack_are_one_image_to_the_intervals_of_both(trained_model):
    image, mask = disc_image(60)
    stack = (np.stack([image, image]), np.stack([mask, mask]))
    scores = evaluate(trained_model, [stack, (image, mask)], baseline=True)
    assert list(scores.scores.stacks) == list(scores.baseline.stacks) == [0, 0, 1]
