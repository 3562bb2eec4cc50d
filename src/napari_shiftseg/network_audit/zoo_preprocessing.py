"""What a package of the BioImage Model Zoo does to an image before its network sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_shiftseg.image.intensity import Fixed, Intensity

_NO_CHANGE = ("ensure_dtype",)
"""Images are float32 here as they are."""


def intensity_of(steps: Sequence[Any], channels: int) -> tuple[Intensity | Fixed | None, str]:
    """Read the preprocessing of an input tensor.

    Parameters
    ----------
    steps
        As ``bioimageio.spec`` describes them.
    channels
        Of the input. Statistics are taken of each alone: those of several together cannot be
        done here.

    Returns
    -------
    intensity : Intensity, Fixed or None
        What does the same; None if nothing here does.
    preparation : str
        The names of the steps.
    """
    steps = [step for step in steps if step.id not in _NO_CHANGE]
    names = ", ".join(str(step.id) for step in steps)
    if not steps:
        return Intensity("none"), names
    if len(steps) > 1:
        return None, names
    return _of_one(str(steps[0].id), steps[0].kwargs, channels), names


def _of_one(name: str, options: Any, channels: int) -> Intensity | Fixed | None:
    if name == "scale_linear" and _is_number(options.gain, options.offset) and options.gain != 0:
        return Fixed(-options.offset / options.gain, 1 / options.gain)
    if name == "fixed_zero_mean_unit_variance" and _is_number(options.mean, options.std):
        return Fixed(options.mean, options.std)
    if channels > 1 and "channel" in map(str, options.axes or ("channel",)):
        return None
    if name == "zero_mean_unit_variance":
        return Intensity("standard")
    if name == "scale_range" and options.reference_tensor is None:
        return Intensity("percentile", options.min_percentile, options.max_percentile)
    return None


def _is_number(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)
