import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch

from napari_shiftseg.embeddings.model_file import load_network, save_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.recipe import TrainingRecipe

RECIPE = TrainingRecipe("discs:13", window=12, levels=1, maps=2, steps=2, average=0)


def describe(recipe, trainer):
    return recipe.describe(
        trainer, name="discs", command="train", summary="Discs.", licence="CC0-1.0", bandwidth=0.8
    )


def test_from_discs_to_a_model_file(tmp_path):
    trainer = RECIPE.trainer(checkpoint=None, allow_small_window=False)
    list(trainer.run())
    description = describe(RECIPE, trainer)
    save_model(tmp_path / "discs.safetensors", trainer.trained, description)
    _, loaded = load_network(tmp_path / "discs.safetensors")
    assert loaded == description
    assert loaded.training_window == (12, 12)
    assert loaded.training["steps_done"] == 2
    assert loaded.intensity.kind == "none"
    assert TrainingRecipe(**loaded.training["recipe"]) == RECIPE
    json.dumps(loaded.training, allow_nan=False)


def test_a_pack_is_normalised_over_each_whole_image(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    image = np.random.default_rng(0).integers(0, 60000, (30, 30)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "images" / "a.tif", image)
    tifffile.imwrite(tmp_path / "masks" / "a.tif", np.ones((30, 30), np.uint8))
    recipe = TrainingRecipe(str(tmp_path), window=12, levels=1, maps=2)
    crops = recipe.trainer(checkpoint=None, allow_small_window=False).crops
    np.testing.assert_allclose(np.percentile(crops.images[0], (1, 99.8)), (0, 1), atol=1e-5)


@pytest.mark.parametrize("data", ["discs:", "discs:x", "discs:0"])
def test_discs_need_a_spacing(data):
    recipe = TrainingRecipe(data, window=12, levels=1)
    with pytest.raises(ShiftSegError, match="legal: discs:SPACING"):
        recipe.trainer(checkpoint=None, allow_small_window=False)


def test_images_of_other_axes_are_refused():
    recipe = TrainingRecipe("discs:13", window=12, ndim=3, levels=1)
    with pytest.raises(ShiftSegError, match="3-D network needs 3 axes"):
        recipe.trainer(checkpoint=None, allow_small_window=False)


def test_training_can_start_from_a_model(tmp_path):
    first = RECIPE.trainer(checkpoint=None, allow_small_window=False)
    list(first.run())
    path = tmp_path / "first.safetensors"
    save_model(path, first.trained, describe(RECIPE, first))
    again = replace(RECIPE, start=str(path)).trainer(checkpoint=None, allow_small_window=False)
    expected = first.trained.state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in again.network.state_dict().items())
    wider = replace(RECIPE, start=str(path), maps=3)
    with pytest.raises(ShiftSegError, match="another architecture"):
        wider.trainer(checkpoint=None, allow_small_window=False)
