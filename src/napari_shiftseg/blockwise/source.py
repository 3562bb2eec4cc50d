"""The image of a run: its frames, and what its file says of axes and voxel size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image
from napari_shiftseg.pipeline import calibration_of_labels, frames_of


@dataclass(frozen=True)
class Source:
    """An opened image.

    Parameters
    ----------
    frames
        Its pixels as a model reads them.
    calibration
        Axes and voxel size of the labels that the model makes of it.
    path
        Its file; empty if it is an array.
    """

    frames: Frames
    calibration: Calibration
    path: str = ""

    @classmethod
    def open(cls, image: str | Path | Any, model: Model, axes: str | None) -> Source:
        """Open a file, or wrap an array; raises ShiftSegError if it does not fit the model."""
        if not isinstance(image, str | Path):
            frames = frames_of(image, model, axes)
            return cls(frames, calibration_of_labels(frames, model.description.axes))
        opened = open_image(image)
        frames = frames_of(opened.pixels, model, axes or opened.calibration.known_axes)
        calibration = calibration_of_labels(frames, model.description.axes, opened.calibration)
        return cls(frames, calibration, str(Path(image).absolute()))
