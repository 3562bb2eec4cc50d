"""The image of a run: its frames, and what its file says of axes and voxel size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.image.array import as_array
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image
from napari_shiftseg.image.opened import Kind, OpenedImage
from napari_shiftseg.pipeline import calibration_of_labels
from napari_shiftseg.tiles.plan import checked_region
from napari_shiftseg.tiles.tile import Region


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
    region
        The part of each frame that is wanted; None for all.
    channel
        Number of the only channel that is wanted; None for all.
    kind
        What its file says that it is.
    """

    frames: Frames
    calibration: Calibration
    path: str = ""
    region: Region | None = None
    channel: int | None = None
    kind: Kind = "image"

    @classmethod
    def open(
        cls,
        image: str | Path | Any,
        model: Model,
        axes: str | None,
        region: Region | None = None,
        channel: int | str | None = None,
    ) -> Source:
        """Open a file, or wrap an array; raises ShiftSegError if it does not fit the model."""
        path = str(Path(image).absolute()) if isinstance(image, str | Path) else ""
        opened = open_image(path) if path else _wrapped(image)
        opened, axes, number = opened.narrowed(axes, channel, in_channels=model.reads.channels)
        frames = model.frames(opened.pixels, axes)
        calibration = calibration_of_labels(frames, model.description.axes, opened.calibration)
        if region is not None:
            region = checked_region(region, frames.spatial)
            calibration = calibration.cropped([part.start for part in region])
        return cls(frames, calibration, path, region, number, opened.kind)


def _wrapped(image: Any) -> OpenedImage:
    """Wrap an array, of whose axes nothing is known."""
    pixels = as_array(image)
    return OpenedImage("", (pixels,), Calibration.of("?" * len(pixels.shape)))
