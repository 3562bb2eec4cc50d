"""Embeddings as colours."""

import numpy as np
import pytest

from napari_shiftseg.embeddings.colours import Colouring
from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.predict import Prediction
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.tiles.geometry import NetworkGeometry


@pytest.fixture
def model():
    network = UNet(Architecture(NetworkGeometry.regular(2, 1), maps=1))
    return Model(network, ModelDescription("plain", network.architecture))


def prediction(dims=5, foreground=None):
    """Dimension 4 varies most, then 3, then 2; 0 and 1 hardly at all."""
    noise = np.random.default_rng(0).normal(size=(dims, 30, 40)).astype(np.float32)
    return Prediction(noise * np.arange(1, dims + 1)[:, None, None] ** 3, foreground)


def test_the_first_three_dimensions_are_red_green_and_blue(model):
    values = prediction()
    colours = Colouring.fit(values, model)(values)
    assert colours.shape == (30, 40, 3) and colours.dtype == np.uint8
    for channel in range(3):
        order = np.corrcoef(colours[..., channel].ravel(), values.embedding[channel].ravel())
        assert order[0, 1] > 0.98


def test_principal_axes_are_those_of_most_spread(model):
    values = prediction()
    colours = Colouring.fit(values, model, "principal")(values)
    for channel, dimension in enumerate((4, 3, 2)):
        order = np.corrcoef(colours[..., channel].ravel(), values.embedding[dimension].ravel())
        assert abs(order[0, 1]) > 0.95


def test_the_background_is_dark(model):
    foreground = np.zeros((30, 40), np.float32)
    foreground[10:] = 1
    values = prediction(foreground=foreground)
    colours = Colouring.fit(values, model)(values)
    assert not colours[:10].any() and colours[10:].any()


def test_a_stack_has_the_colours_of_its_frames(model):
    values = prediction()
    colouring = Colouring.fit(values, model)
    stack = Prediction(np.stack([values.embedding] * 2, axis=1), None)
    np.testing.assert_array_equal(colouring(stack)[1], colouring(values))
