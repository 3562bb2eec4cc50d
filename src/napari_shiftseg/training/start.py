"""Beginning with a model's weights: what a recipe must have in common with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.widen import is_wider

if TYPE_CHECKING:
    from napari_shiftseg.training.recipe import TrainingRecipe


def refuse_other_architecture(recipe: TrainingRecipe, start: Architecture) -> None:
    """Check that a recipe trains the network whose weights it begins with, or a wider one.

    Parameters
    ----------
    recipe
        Names the model to start from.
    start
        That model's architecture.

    Raises
    ------
    ShiftSegError
        If it does not; what differs is named, and the flags that make it the same.
    """
    if start == recipe.architecture or is_wider(recipe.architecture, start):
        return
    wanted = {
        name: value for name, value in _settings(start).items() if value != getattr(recipe, name)
    }
    if not _makes(recipe, wanted, start):
        raise ShiftSegError(f"{recipe.start} is a network that cannot be trained here")
    different = "; ".join(f"{name} {wanted[name]}, not {getattr(recipe, name)}" for name in wanted)
    flags = " ".join(_flag(name, value) for name, value in wanted.items())
    raise ShiftSegError(
        f"{recipe.start} has another architecture: {different}. To start from it, give {flags}"
    )


def _makes(recipe: TrainingRecipe, settings: dict[str, Any], start: Architecture) -> bool:
    try:
        # The window is another matter, and may not fit other axes.
        return replace(recipe, window=(1,), **settings).architecture == start
    except ShiftSegError:
        return False


def _settings(architecture: Architecture) -> dict[str, Any]:
    """Return the settings of a recipe for a network, or for the most similar one there is."""
    geometry = architecture.geometry
    return {
        "ndim": geometry.ndim,
        "levels": geometry.levels,
        "flat_levels": sum(factor[0] == 1 for factor in geometry.factors),
        "maps": architecture.maps,
        "convolutions": len(geometry.down[0]),
        "channels": architecture.in_channels,
        "upsampling": architecture.upsampling,
        "padding": geometry.padding,
        "embedding_dims": architecture.embedding_dims,
        "coordinates": architecture.coordinate_dims > 0,
        "coordinate_scale": architecture.coordinate_scale,
        "foreground": architecture.foreground,
    }


def _flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}"
