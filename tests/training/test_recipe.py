import json
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
import tifffile
import torch

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.model_file import load_network, save_model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.legal import legal_range
from napari_shiftseg.training.recipe import TrainingRecipe

RECIPE = TrainingRecipe("discs:13", window=12, levels=1, maps=2, steps=2, average=0)


def trainer_of(recipe, **options):
    return recipe.trainer(recipe.pairs(), **options)


def describe(recipe, trainer):
    return recipe.describe(
        trainer.step,
        trainer.seconds,
        name="discs",
        command="train",
        summary="Discs.",
        licence="CC0-1.0",
    )


def test_from_discs_to_a_model_file(tmp_path):
    trainer = trainer_of(RECIPE)
    list(trainer.run())
    description = describe(RECIPE, trainer)
    save_model(tmp_path / "discs.safetensors", trainer.trained, description)
    _, loaded = load_network(tmp_path / "discs.safetensors")
    assert loaded.to_json() == description.to_json()
    assert loaded.training_window == (12, 12)
    assert loaded.training["steps_done"] == 2
    assert loaded.intensity.kind == "none"
    assert TrainingRecipe(**loaded.training["recipe"]) == RECIPE
    json.dumps(loaded.training, allow_nan=False)


def test_numbers_of_numpy_and_paths_are_plain_values(tmp_path):
    given = TrainingRecipe(
        tmp_path, window=np.int64(12), levels=np.int8(1), seed=np.int64(3), steps=np.int32(2),
        learning_rate=np.float32(0.5), flips=np.bool_(False), start=tmp_path / "m.safetensors",
    )  # fmt: skip
    plain = TrainingRecipe(
        str(tmp_path), window=12, levels=1, seed=3, steps=2, learning_rate=0.5, flips=False,
        start=str(tmp_path / "m.safetensors"),
    )  # fmt: skip
    assert given == plain
    assert json.loads(json.dumps(asdict(given))) | {"window": (12, 12)} == (asdict(plain))


def test_a_pack_is_normalised_over_each_whole_image(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    image = np.random.default_rng(0).integers(0, 60000, (30, 30)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "images" / "a.tif", image)
    tifffile.imwrite(tmp_path / "masks" / "a.tif", np.ones((30, 30), np.uint8))
    recipe = TrainingRecipe(str(tmp_path), window=12, levels=1, maps=2)
    crops = trainer_of(recipe).crops
    np.testing.assert_allclose(np.percentile(crops.images[0], (1, 99.8)), (0, 1), atol=1e-5)


@pytest.mark.parametrize("data", ["discs:", "discs:x", "discs:0"])
def test_discs_need_a_spacing(data):
    recipe = TrainingRecipe(data, window=12, levels=1)
    with pytest.raises(ShiftSegError, match="legal: discs:SPACING"):
        trainer_of(recipe)


class TestRanges:
    """Said where settings are made: before any image is read."""

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("steps", 0, "steps is 0; legal: at least 1"),
            ("learning_rate", 0.0, "learning_rate is 0.0; legal: more than 0"),
            ("learning_rate", float("nan"), "learning_rate is nan; legal: more than 0"),
            ("decay", 1.5, "decay is 1.5; legal: more than 0 and at most 1"),
            ("average", 1.0, "average is 1.0; legal: at least 0 and less than 1"),
            ("seed", -1, "seed is -1; legal: at least 0"),
            ("embedding_dims", 1, "embedding_dims is 1; legal: at least 2"),
            ("window", (0,), "legal: at least 1"),
            ("bandwidth", 5000.0, "nearest: 1000"),
        ],
    )
    def test_are_named(self, name, value, words):
        with pytest.raises(ShiftSegError) as caught:
            TrainingRecipe("layers", **{name: value})
        assert words in str(caught.value)

    def test_of_every_number_are_known(self):
        numbers = {f.name for f in fields(TrainingRecipe) if "int" in f.type or "float" in f.type}
        ranged = {f.name for f in fields(TrainingRecipe) if legal_range(f)}
        assert numbers - ranged == {"window", "background_label"}


def test_images_of_other_axes_are_refused():
    recipe = TrainingRecipe("discs:13", window=12, ndim=3, levels=1)
    with pytest.raises(ShiftSegError, match=r"a 3-D network of 1 channel needs 3 axes"):
        trainer_of(recipe)


def test_training_can_start_from_a_model(tmp_path):
    first = trainer_of(RECIPE)
    list(first.run())
    path = tmp_path / "first.safetensors"
    save_model(path, first.trained, describe(RECIPE, first))
    again = trainer_of(replace(RECIPE, start=str(path)))
    expected = first.trained.state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in again.network.state_dict().items())


class TestStart:
    def refusal(self, start, **settings):
        recipe = TrainingRecipe("discs:13", start=str(start), **settings)
        with pytest.raises(ShiftSegError) as caught:
            trainer_of(recipe)
        return str(caught.value)

    def test_from_another_architecture_names_what_differs_and_the_flags(self):
        assert self.refusal("nuclei-2d-plain", maps=8) == (
            "nuclei-2d-plain has another architecture: maps 16, not 8; embedding_dims 8, not 4; "
            "coordinates False, not True. To start from it, give --maps 16 --embedding-dims 8 "
            "--no-coordinates"
        )

    def test_with_these_flags_it_starts(self):
        message = self.refusal("nuclei-2d-plain", preset="3d-anisotropic", convolutions=1)
        assert message.endswith(
            "give --ndim 2 --flat-levels 0 --maps 16 --convolutions 2 --embedding-dims 8 "
            "--no-coordinates"
        )
        architecture = load_model("nuclei-2d-plain").network.architecture
        same = TrainingRecipe(
            "discs:13", embedding_dims=8, coordinates=False, start="nuclei-2d-plain", window=20
        )
        assert same.architecture == architecture
        trainer_of(same)

    def test_from_a_network_of_another_kind_is_refused(self, tmp_path):
        geometry = NetworkGeometry.regular(2, 1, kernel=5)
        network = UNet(Architecture(geometry, maps=2))
        path = tmp_path / "other.safetensors"
        save_model(path, network, ModelDescription("other", network.architecture, axes="yx"))
        assert "is a network that cannot be trained here" in self.refusal(path, levels=1, window=12)
