"""Architectures to begin with."""

from __future__ import annotations

from typing import Any, Literal

PresetName = Literal["2d-small", "2d", "3d-small", "3d-anisotropic"]

PRESETS: dict[PresetName, dict[str, Any]] = {
    "2d-small": {"ndim": 2, "levels": 3, "flat_levels": 0, "maps": 16, "window": (204,)},
    "2d": {"ndim": 2, "levels": 4, "flat_levels": 0, "maps": 24, "window": (196,)},
    "3d-small": {"ndim": 3, "levels": 2, "flat_levels": 0, "maps": 12, "window": (36,)},
    "3d-anisotropic": {
        "ndim": 3,
        "levels": 3,
        "flat_levels": 1,
        "maps": 12,
        "window": (12, 28, 28),
    },
}
"""Fields of a :class:`~napari_shiftseg.training.recipe.TrainingRecipe` by preset."""
