"""A recipe as a model, before there are weights."""

from __future__ import annotations

from typing import cast

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.training.recipe import TrainingRecipe


def without_weights(recipe: TrainingRecipe) -> Model:
    """Return a model that has no weights: enough to tell what a layer's axes are to it."""
    axes = "zyx"[-recipe.geometry.ndim :]
    description = ModelDescription("training", recipe.architecture, axes=axes)
    return Model(cast("UNet", None), description)
