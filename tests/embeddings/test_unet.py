import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_shiftseg.embeddings.unet import Architecture, UNet, centre_crop
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry
from random_networks import architectures, geometries, random_network


def parameters(architecture):
    with torch.device("meta"):
        return sum(weights.numel() for weights in UNet(architecture).parameters())


def test_the_papers_network_has_2_3_million_parameters():
    architecture = Architecture(NetworkGeometry.regular(2, 4), maps=16, embedding_dims=3)
    assert parameters(architecture) == 2_311_011


def test_nearest_upsampling_learns_nothing():
    geometry = NetworkGeometry.regular(2, 1)
    learnt = parameters(Architecture(geometry, maps=4))
    nearest = parameters(Architecture(geometry, maps=4, upsampling="nearest"))
    assert learnt - nearest == 8 * 8 * 2 * 2 + 8


@given(st.data(), geometries(levels=1, kernels=(1, 3), convolutions=2))
def test_output_channels_are_the_embedding_and_the_foreground(data, geometry):
    architecture = data.draw(architectures(geometry))
    network = random_network(architecture)
    output = network(torch.zeros(1, architecture.in_channels, *geometry.min_input_size))
    assert output.shape[1] == architecture.embedding_dims + architecture.foreground
    assert output.shape[2:] == geometry.min_output_size


def test_nothing_but_the_head_is_negative():
    network = random_network(Architecture(NetworkGeometry.regular(2, 1), maps=4))
    features = []
    network.head.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    output = network(torch.rand(1, 1, 30, 30))
    assert features[0].min() >= 0
    assert output.min() < 0


def test_centre_crop_keeps_the_centre():
    image = torch.arange(49.0).reshape(1, 1, 7, 7)
    assert torch.equal(centre_crop(image, (3, 1)), image[..., 2:5, 3:4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upsampling": "bilinear"}, "'learnt' or 'nearest'"),
        ({"coordinate_dims": 1}, "legal: 0 or 2"),
        ({"embedding_dims": 1, "coordinate_dims": 2}, "at least 2"),
        ({"embedding_dims": 0}, "at least 1"),
        ({"maps": 0}, "must be positive"),
        ({"coordinate_scale": 0.0}, "must be positive"),
    ],
)
def test_impossible_architectures_are_refused(changes, message):
    with pytest.raises(ShiftSegError, match=message):
        Architecture(NetworkGeometry.regular(2, 1), **changes)
