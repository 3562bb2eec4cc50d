import json
import pickle
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from napari_shiftseg.embeddings import model_file
from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model, bundled_models, load_model
from napari_shiftseg.embeddings.model_file import load_network, read_description, save_model
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import architectures, geometries, random_network

ARCHITECTURE = Architecture(NetworkGeometry.regular(2, 1), maps=2)
DESCRIPTION = ModelDescription("tiny", ARCHITECTURE, training_window=(12, 12))


@pytest.fixture
def network():
    return random_network(ARCHITECTURE)


@pytest.fixture
def path(tmp_path, network):
    save_model(tmp_path / "tiny.safetensors", network, DESCRIPTION)
    return tmp_path / "tiny.safetensors"


def checkpoint(folder, content, description=DESCRIPTION):
    torch.save(content, folder / "tiny.pt")
    (folder / "tiny.json").write_text(description.to_json())
    return folder / "tiny.pt"


class TestRoundtrip:
    def test_outputs_are_equal(self, path, network):
        loaded, description = load_network(path)
        image = torch.rand(1, 1, 30, 30)
        assert torch.equal(loaded(image), network(image))
        assert description == DESCRIPTION

    def test_half_storage_is_smaller_and_loaded_as_float32(self, path, network):
        half = path.with_name("half.safetensors")
        save_model(half, network, DESCRIPTION, half=True)
        loaded, _ = load_network(half)
        assert half.stat().st_size < path.stat().st_size
        for name, weights in loaded.state_dict().items():
            assert weights.dtype == torch.float32
            assert torch.equal(weights, network.state_dict()[name].half().float())

    def test_a_loaded_network_is_for_inference(self, path):
        network, _ = load_network(path)
        assert not network.training
        assert not any(weights.requires_grad for weights in network.parameters())

    def test_a_file_is_replaced_and_nothing_else_is_left(self, path, network):
        save_model(path, network, replace(DESCRIPTION, name="second"))
        assert read_description(path).name == "second"
        assert [f.name for f in path.parent.iterdir()] == [path.name]

    def test_load_model_knows_the_files_hash(self, path):
        model = load_model(path)
        assert len(model.sha256) == 64
        assert load_model(model) is model

    @given(st.data(), geometries())
    def test_any_description_travels_as_json(self, data, geometry):
        description = ModelDescription(
            "any",
            data.draw(architectures(geometry)),
            axes="zyx"[-geometry.ndim :],
            intensity=Intensity("percentile", 2, 98),
            training_window=geometry.min_output_size,
            clustering=Clustering(bandwidth=0.7, split_components=False),
            training={"command": "train", "recipe": {"steps": 7}},
            scores={"ap": 0.5},
        )
        assert ModelDescription.from_json(description.to_json()) == description


def test_the_header_is_readable_without_weights(path):
    whole = path.read_bytes()
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    kept = header["__metadata__"][model_file.HEADER_KEY]
    assert ModelDescription.from_json(kept) == read_description(path) == DESCRIPTION


class TestPlainCheckpoint:
    def test_with_its_description(self, tmp_path, network):
        loaded, description = load_network(checkpoint(tmp_path, network.state_dict()))
        image = torch.rand(1, 1, 30, 30)
        assert torch.equal(loaded(image), network(image))
        assert description == DESCRIPTION

    def test_without_its_description_is_refused(self, tmp_path, network):
        path = checkpoint(tmp_path, network.state_dict())
        path.with_suffix(".json").unlink()
        with pytest.raises(ShiftSegError, match=r"needs its description, .*tiny\.json"):
            load_network(path)

    @pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(3)])
    def test_that_holds_no_weights_is_refused(self, tmp_path, content):
        with pytest.raises(ShiftSegError, match="no state_dict"):
            load_network(checkpoint(tmp_path, content))


class Harmful:
    """What it is unpickled into is a call of ``open``, which makes a file."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return open, (str(self.proof), "w")


class TestCodeIsNeverRun:
    def test_the_pickle_would_run(self, tmp_path):
        pickle.loads(pickle.dumps(Harmful(tmp_path / "proof"))).close()
        assert (tmp_path / "proof").exists()

    def test_in_a_checkpoint(self, tmp_path):
        path = checkpoint(tmp_path, {"weights": Harmful(tmp_path / "proof")})
        with pytest.raises(ShiftSegError, match="could run code, so it is not opened"):
            load_network(path)
        assert not (tmp_path / "proof").exists()

    @pytest.mark.parametrize("name", ["bad.pt", "bad.pth", "bad.safetensors"])
    def test_in_a_bare_pickle(self, tmp_path, name):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Harmful(tmp_path / "proof")))
        path.with_suffix(".json").write_text(DESCRIPTION.to_json())
        with pytest.raises(ShiftSegError):
            load_network(path)
        assert not (tmp_path / "proof").exists()


class TestRefusals:
    def test_missing(self, tmp_path):
        for name in ("absent.safetensors", "absent.pt"):
            with pytest.raises(ShiftSegError, match="no such model file"):
                load_network(tmp_path / name)
        with pytest.raises(ShiftSegError, match=r"bundled: .*nuclei-2d"):
            load_model("absent")

    @pytest.mark.parametrize("name", ["bad.safetensors", "bad.pt"])
    @pytest.mark.parametrize("content", [b"", b"garbage", bytes(range(256)) * 8, b"PK\x03\x04"])
    def test_garbage(self, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ShiftSegError, match="bad"):
            load_network(tmp_path / name)

    @pytest.mark.parametrize("kept", [4, 100, -1])
    def test_truncated(self, path, kept):
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ShiftSegError, match="not a safetensors file"):
            load_network(path)

    def test_a_truncated_checkpoint(self, tmp_path, network):
        path = checkpoint(tmp_path, network.state_dict())
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(ShiftSegError, match="not a model file"):
            load_network(path)

    def test_someone_elses_safetensors(self, tmp_path):
        save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
        with pytest.raises(ShiftSegError, match="not a shiftseg model"):
            load_network(tmp_path / "other.safetensors")

    def test_weights_that_do_not_fit(self, tmp_path, network):
        larger = replace(DESCRIPTION, architecture=replace(ARCHITECTURE, maps=3))
        save_model(tmp_path / "a.safetensors", network, larger)
        with pytest.raises(ShiftSegError, match="weights do not fit the description"):
            load_network(tmp_path / "a.safetensors")

    @pytest.mark.parametrize("change", ["missing", "surplus"])
    def test_missing_and_surplus_weights(self, tmp_path, network, change):
        weights = dict(network.state_dict())
        if change == "missing":
            weights.popitem()
        else:
            weights["more"] = torch.zeros(1)
        with pytest.raises(ShiftSegError, match="1 weights do not fit"):
            load_network(checkpoint(tmp_path, weights))

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_weights_that_are_not_finite(self, tmp_path, network, value):
        next(iter(network.parameters())).flatten()[0] = value
        save_model(tmp_path / "a.safetensors", network, DESCRIPTION)
        with pytest.raises(ShiftSegError, match="not finite"):
            load_network(tmp_path / "a.safetensors")


class TestDescription:
    def with_header(self, tmp_path, network, **changes):
        values = json.loads(DESCRIPTION.to_json()) | changes
        path = checkpoint(tmp_path, network.state_dict())
        path.with_suffix(".json").write_text(json.dumps(values))
        return path

    @pytest.mark.parametrize("version", ["shiftseg-model/2", None])
    def test_of_an_unknown_format_is_refused(self, tmp_path, network, version):
        path = self.with_header(tmp_path, network, format=version)
        with pytest.raises(ShiftSegError, match="not of the format 'shiftseg-model/1'"):
            load_network(path)

    @pytest.mark.parametrize(
        "changes",
        [
            {"architecture": None},
            {"architecture": {}},
            {"architecture": "yx"},
            {"clustering": "yx"},
            {"surplus": 1},
            {"intensity": {"a": 1}},
        ],
    )
    def test_that_is_incomplete_is_refused(self, tmp_path, network, changes):
        path = self.with_header(tmp_path, network, **changes)
        with pytest.raises(ShiftSegError, match="incomplete or wrong"):
            load_network(path)

    @pytest.mark.parametrize("text", ["", "{", "[]", "3"])
    def test_that_is_no_description_is_refused(self, text):
        with pytest.raises(ShiftSegError, match="the model description is not"):
            ModelDescription.from_json(text)

    @pytest.mark.parametrize("changes", [{"axes": "zyx"}, {"training_window": (12,)}])
    def test_of_other_axes_is_refused(self, changes):
        with pytest.raises(ShiftSegError, match="2 axes"):
            replace(DESCRIPTION, **changes)


class TestTrainingWindow:
    @pytest.mark.parametrize("window", [(2, 2), (12, 2), (1, 12)])
    def test_up_to_the_period_warns_and_names_the_period(self, path, network, window):
        save_model(path, network, replace(DESCRIPTION, training_window=window))
        with pytest.warns(ShiftSegWarning, match="does not exceed its period of 2 x 2 px"):
            load_model(path)

    @pytest.mark.parametrize("window", [(), (3, 3), (4, 12)])
    def test_above_the_period_or_unknown_is_silent(self, path, network, window):
        save_model(path, network, replace(DESCRIPTION, training_window=window))
        assert isinstance(load_model(path), Model)


@pytest.mark.parametrize("name", sorted(bundled_models()))
def test_bundled_models_have_a_card(name):
    description = read_description(bundled_models()[name])
    assert description.name == name
    meant = name == "nuclei-2d-period-trained"  # to show what no stitching mends
    assert description.window_exceeds_period != meant
    assert description.summary
    assert description.licence
    assert description.licence
