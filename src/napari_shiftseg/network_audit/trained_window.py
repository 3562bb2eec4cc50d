"""Was a network trained with an output window of at most its period? Its output tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.phases import PhaseProfile, phase_profiles
from napari_shiftseg.seams.report import finite
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by

TELLING = 1.5
"""Jump at one phase over the largest jump at any other: networks trained with a larger window
reached 1.11 on nuclei, one trained with a window of one period 3.4 and more."""


@dataclass(frozen=True)
class TrainedWindow:
    """What :func:`trained_window` returns.

    Parameters
    ----------
    period
        Per axis in pixels.
    profiles
        Mean jump between neighbouring pixels by phase, per axis.
    """

    period: Size
    profiles: tuple[PhaseProfile, ...]

    @property
    def peaks(self) -> tuple[int | None, ...]:
        """Phase at which the output jumps, per axis; None where the profile is flat."""
        return tuple(p.peak if p.contrast >= TELLING else None for p in self.profiles)

    @property
    def too_small(self) -> bool:
        """Whether any axis has a peak."""
        return any(peak is not None for peak in self.peaks)

    @property
    def sentence(self) -> str:
        """Say what it means."""
        contrast = max(profile.contrast for profile in self.profiles)
        if self.too_small:
            return (
                f"Inside one pass the output jumps {contrast:.1f} times as far every "
                f"{by(self.period)} px as anywhere else: trained with an output window of at "
                "most the period. These seams no stitching removes; only training with a "
                "larger window does."
            )
        return (
            f"Inside one pass no phase of the period stands out (largest jump {contrast:.2f} "
            "times that of any other phase): no sign of too small a window in training."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the test as plain JSON values."""
        return {
            "peaks": list(self.peaks),
            "contrast": [finite(profile.contrast) for profile in self.profiles],
            "jump_by_phase": [
                [finite(jump) for jump in profile.mean.tolist()] for profile in self.profiles
            ],
            "too_small": self.too_small,
            "sentence": self.sentence,
        }


def has_enough_periods(size: Size, period: Size) -> bool:
    """Tell whether an output is large enough for :func:`trained_window`."""
    return all(n >= 4 * p for n, p in zip(size, period, strict=True))


def trained_window(
    output: NDArray[Any], period: Size, *, objects: NDArray[Any] | None = None
) -> TrainedWindow:
    """Look for the period's grid in a prediction that was made in one piece (paper, Fig. 4a).

    Parameters
    ----------
    output
        ``(K, *spatial)``: embeddings, probabilities, any output per pixel.
    period
        Per axis in pixels.
    objects
        ``(*spatial)`` labels, to count only pairs of pixels within one object; by default
        all pairs count, and the content of the image averages out.

    Raises
    ------
    ShiftSegError
        If all axes have a period of one pixel, or one has fewer than four periods.
    """
    size = output.shape[1:]
    if len(size) != len(period) or not has_enough_periods(size, period):
        raise ShiftSegError(
            f"the output has {by(size)} px; at least four periods of {by(period)} px are needed"
        )
    if max(period) == 1:
        raise ShiftSegError("the period is 1 px: there are no phases to compare")
    inside = np.ones(size, np.uint8) if objects is None else objects
    return TrainedWindow(period, tuple(phase_profiles(output, inside, period)))
