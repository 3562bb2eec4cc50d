"""What the form asks for, checked before anything starts: a recipe that makes sense."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.crops import Augmentation
from napari_shiftseg.training.fit import Schedule
from napari_shiftseg.training.recipe import TrainingRecipe

_FROM = {"convolutions": 1, "mosaic": 1, "batch": 1, "steps": 1, "validate_every": 1, "channels": 1}
_UP_TO = {"decay": 1.0, "average": 1.0}
_ANY = ("background_label",)
_POSITIVE = ("learning_rate", "coordinate_scale", "bandwidth", "push_margin", "decay")


def recipe_of(values: dict[str, Any]) -> TrainingRecipe:
    """Make a recipe of values by field, and everything of it that needs no images.

    Raises
    ------
    ShiftSegError
        If a value is outside of its range, or values do not fit each other.
    """
    for name, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            _check_range(name, value)
    recipe = TrainingRecipe(**values)
    for settings in (Augmentation, Schedule):
        _made_from(settings, recipe)
    assert recipe.architecture and recipe.windows and recipe.clustering
    return recipe


def without_weights(recipe: TrainingRecipe) -> Model:
    """Return a model that has no weights: enough to tell what a layer's axes are to it."""
    axes = "zyx"[-recipe.geometry.ndim :]
    description = ModelDescription("training", recipe.architecture, axes=axes)
    return Model(cast("UNet", None), description)


def _check_range(name: str, value: float) -> None:
    low, high = _FROM.get(name, 0), _UP_TO.get(name)
    if name in _ANY:
        return
    if value < low or (name in _POSITIVE and value == 0):
        legal = "more than 0" if name in _POSITIVE else f"at least {low}"
        raise ShiftSegError(f"{name} is {value}; legal: {legal}")
    if high is not None and value > high:
        raise ShiftSegError(f"{name} is {value}; legal: at most {high:g}")


def _made_from(settings: Any, recipe: TrainingRecipe) -> Any:
    """Make a settings class of the recipe's fields of the same names."""
    own = vars(recipe)
    names = [field.name for field in dataclasses.fields(settings) if field.name in own]
    return settings(**{name: own[name] for name in names})
