"""Open all that a run needs, and find what is wrong before anything is computed."""

from __future__ import annotations

from hashlib import sha256
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_shiftseg.blockwise.blocks import BlockGrid
from napari_shiftseg.blockwise.job import Job, Order
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.embeddings.budget import tile_within
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import open_image
from napari_shiftseg.image.intensity import Intensity, Scaling
from napari_shiftseg.pipeline import calibration_of_labels, frames_of, plan_for
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size

_PROBES, _PROBE = 4, 16
"""Spans per axis, and pixels of each, by which an image is known again."""


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
    memory: int,
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
    block = folder.begun_with("block")
    if block is None:
        grid = _grid(frames, model, memory, block_pixels)
    else:
        grid = BlockGrid(frames.spatial, tuple(block))
    if tile is None and stitch == "corrected":
        architecture = model.description.architecture
        kept = prod(grid.block) * _bytes_per_pixel(model)
        tile = tile_within(architecture, grid.block, memory, resident_bytes=kept)
    plan = plan_for(model, frames.spatial, stitch, tile)
    order = Order(
        folder=folder.path,
        model=name,
        clustering=clustering or model.description.clustering,
        stitch=stitch,
        tile=plan.tile_size,
        block=grid.block,
        scalings=_scalings(frames, model.description.intensity),
        fingerprint=_fingerprint(frames),
        image="" if opened is None else str(Path(image).absolute()),
        axes=axes,
        device=device,
    )
    given = None if opened is None else opened.calibration
    return Job(order, frames, model), calibration_of_labels(frames, model, given)


def _grid(frames: Frames, model: Model, memory: int, pixels: int) -> BlockGrid:
    """Cut frames into blocks that take at most half of the memory."""
    fitting = memory // 2 // _bytes_per_pixel(model)
    return BlockGrid.of(frames.spatial, model.geometry.period, max(1, min(pixels, fitting)))


def _bytes_per_pixel(model: Model) -> int:
    """Bytes per pixel at the height of a block: output twice, its image, its labels twice."""
    return 4 * (2 * model.description.architecture.out_channels + 1) + 16


def _fingerprint(frames: Frames) -> str:
    """Hash some pixels of every frame: enough to tell an image from another one."""
    found = sha256()
    for _, frame in frames:
        for part in product(*(_probes(size) for size in frame.shape[1:])):
            found.update(np.ascontiguousarray(frame[(slice(None), *part)]).tobytes())
    return found.hexdigest()


def _probes(size: int) -> list[slice]:
    """Spread a few short spans over an axis."""
    starts = np.linspace(0, max(0, size - _PROBE), _PROBES).astype(int)
    return [slice(start, start + _PROBE) for start in np.unique(starts).tolist()]


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
