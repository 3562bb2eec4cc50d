"""One model from several: the mean of weights that began as the same ones."""

from dataclasses import replace

import pytest
import torch

from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.embeddings.model_file import load_network, save_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.average import average_models


@pytest.fixture
def trained_on(model_file, tmp_path):
    """Model files whose weights differ from the first one's by so much."""

    def make(by: float, **changes: object):
        network, description = load_network(model_file)
        with torch.no_grad():
            for weights in network.parameters():
                weights += by
        path = tmp_path / f"by {by} {sorted(changes)}.safetensors"
        save_model(path, network, replace(description, **changes))
        return path

    return make


def first_weights(network):
    return next(network.parameters())


def test_the_mean_of_weights_lies_halfway(model_file, trained_on):
    other = trained_on(0.01)
    network, _ = average_models([model_file, other], name="mean")
    expected = first_weights(load_model(model_file).network) + 0.005
    torch.testing.assert_close(first_weights(network), expected)


def test_the_card_names_what_it_was_made_of_and_has_no_scores_of_others(model_file, trained_on):
    other = trained_on(0.01, licence="MIT", scores={"a": 1})
    models = [load_model(other), load_model(trained_on(0.02, licence="CC0-1.0"))]
    _, card = average_models(models, name="mean")
    assert card.name == "mean" and card.scores == {}
    assert card.licence == "CC0-1.0 AND MIT"
    assert [origin["sha256"] for origin in card.training["mean_of"]] == [m.sha256 for m in models]


def test_weights_that_have_no_common_start_have_no_mean(model_file, trained_on):
    with pytest.raises(ShiftSegError, match="only their mean is a network"):
        average_models([model_file, trained_on(3.0)], name="mean")


def test_other_networks_and_one_model_alone_are_refused(model_file):
    with pytest.raises(ShiftSegError, match="nuclei-3d has another architecture than"):
        average_models([model_file, "nuclei-3d"], name="mean")
    with pytest.raises(ShiftSegError, match="at least two models, not 1"):
        average_models([model_file], name="mean")


def test_the_command_writes_a_model_that_says_so(shiftseg, model_file, trained_on, tmp_path):
    output = tmp_path / "mean.safetensors"
    words = ("average", model_file, trained_on(0.01), "-o", output)
    assert shiftseg(*words).code == 0
    assert "mean of         the weights of 2 models" in shiftseg("models", output).out
    before = output.read_bytes()
    assert shiftseg(*words).code == 2 and output.read_bytes() == before


def test_a_mean_replaces_none_of_its_models(shiftseg, model_file, trained_on):
    other = trained_on(0.01)
    before = other.read_bytes()
    answer = shiftseg("average", model_file, other, "-o", other, "--overwrite")
    assert answer.code == 2 and "is or holds what is read" in answer.err
    assert other.read_bytes() == before
