"""Open all that a run needs, and find what is wrong before anything is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_shiftseg.blockwise.blocks import BlockGrid
from napari_shiftseg.blockwise.job import Job, Order
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image
from napari_shiftseg.image.intensity import Intensity, Scaling
from napari_shiftseg.pipeline import calibration_of_labels, frames_of, plan_for
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size


def prepare(
    image: str | Path | Any,
    folder: WorkFolder,
    model: Model,
    *,
    name: str,
    stitch: StitchMode,
    tile: int | Size | None,
    clustering: Clustering | None,
    device: str | None,
    axes: str | None,
    block_pixels: int,
) -> tuple[Job, Calibration]:
    """Return the job, and the axes and voxel size of its labels.

    Raises
    ------
    ShiftSegError
        If image, model or settings do not fit each other.
    """
    if stitch == "whole":
        raise ShiftSegError(
            "block by block there is no whole-image inference; stitch='corrected' equals it"
        )
    opened = open_image(image) if isinstance(image, str | Path) else None
    if opened is not None:
        axes = axes or opened.calibration.known_axes
    frames = frames_of(image if opened is None else opened.pixels, model, axes)
    plan = plan_for(model, frames.spatial, stitch, tile)
    order = Order(
        folder=folder.path,
        model=name,
        clustering=clustering or model.description.clustering,
        stitch=stitch,
        tile=plan.tile_size,
        block=BlockGrid.of(frames.spatial, model.geometry.period, block_pixels).block,
        scalings=_scalings(frames, model.description.intensity),
        image="" if opened is None else str(Path(image).absolute()),
        axes=axes,
        device=device,
    )
    given = None if opened is None else opened.calibration
    return Job(order, frames, model), calibration_of_labels(frames, model, given)


def _scalings(frames: Frames, intensity: Intensity) -> tuple[Scaling, ...]:
    """Measure the intensities of every frame; frames that share them are measured once."""
    measured: dict[tuple[int, ...], Scaling] = {}
    scalings = []
    for index, _ in frames:
        key, pixels = frames.alike(index)
        if key not in measured:
            measured[key] = intensity.measure(pixels)
        scalings.append(measured[key])
    return tuple(scalings)
