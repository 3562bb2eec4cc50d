"""A wide network that begins with the weights of a narrow one."""

from dataclasses import replace

import pytest
import torch

from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.tiles.geometry import NetworkGeometry
from napari_shiftseg.training.widen import is_wider, widened

ARCHITECTURES = [
    Architecture(NetworkGeometry.regular(1, 2), maps=2),
    Architecture(NetworkGeometry.regular(2, 2), in_channels=3, maps=4, foreground=True),
    Architecture(NetworkGeometry.regular(2, 1, padding="same"), maps=2, upsampling="nearest"),
    Architecture(NetworkGeometry.regular(3, 1), maps=2, map_growth=3),
]


def picture(architecture):
    geometry = architecture.geometry
    output = geometry.natural_output((8,) * geometry.ndim)
    size = [n + c for n, c in zip(output, geometry.context, strict=True)]
    return torch.rand(1, architecture.in_channels, *size)


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_computes_what_the_narrow_one_does(architecture, times):
    torch.manual_seed(0)
    narrow = UNet(architecture).double()
    for layer in narrow.parameters():
        torch.nn.init.normal_(layer)
    wide = widened(narrow, replace(architecture, maps=times * architecture.maps)).double()
    image = picture(architecture).double()
    expected = narrow(image).detach()
    # The weights were shared out in float32.
    difference = (wide(image) - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()


def test_copies_of_a_map_have_gradients_of_their_own():
    architecture = ARCHITECTURES[1]
    torch.manual_seed(0)
    wide = widened(UNet(architecture), replace(architecture, maps=8))
    wide(picture(architecture)).square().sum().backward()
    one, two = wide.down[0][0].weight.grad[:2]
    assert not torch.allclose(one, two)


def test_only_more_maps_make_a_wider_one():
    narrow = ARCHITECTURES[1]
    assert is_wider(replace(narrow, maps=8), narrow)
    assert not is_wider(narrow, narrow)
    assert not is_wider(replace(narrow, maps=6), narrow)
    assert not is_wider(replace(narrow, maps=8, embedding_dims=7), narrow)
