"""Decide on blocks and tiles, and find what is wrong before anything is computed."""

from __future__ import annotations

from math import prod

import numpy as np

from napari_shiftseg.blockwise.blocks import BLOCK_PIXELS, BlockGrid
from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.fingerprint import date_of, fingerprint_of
from napari_shiftseg.blockwise.job import Job, Order
from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.embeddings.budget import least_memory, tile_within
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.memory import in_bytes
from napari_shiftseg.pipeline import plan_for, scalings_of
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by, checked_region
from napari_shiftseg.tiles.tile import size_of


def prepare(source: Source, folder: WorkFolder, model: Model, settings: FileSettings) -> Job:
    """Return the job of a run over blocks.

    Raises
    ------
    ShiftSegError
        If image, model or settings do not fit each other.
    """
    if settings.stitch == "whole":
        raise ShiftSegError(
            "block by block there is no whole-image inference; stitch='corrected' equals it"
        )
    frames = source.frames
    region = checked_region(source.region, frames.spatial)
    grid = _grid(size_of(region), folder, model, settings)
    tile = _tile(grid, folder, model, settings)
    order = Order(
        folder=folder.path,
        model=settings.model_name,
        model_sha256=model.sha256,
        precision=model.precision,
        compiled=model.compiled,
        clustering=settings.clustering or model.description.clustering,
        stitch=settings.stitch,
        tile=plan_for(model, frames.spatial, settings.stitch, tile, region).tile_size,
        block=grid.block,
        spans=tuple((part.start, part.stop) for part in region),
        scalings=tuple(scalings_of(frames, model, np.ndindex(*frames.loops))),
        fingerprint=fingerprint_of(source),
        date=date_of(source),
        image=source.path,
        axes=settings.axes,
        channel=source.channel,
        device=settings.device,
        embeddings=str(settings.embedding_file or ""),
    )
    return Job(order, frames, model)


def _grid(size: Size, folder: WorkFolder, model: Model, settings: FileSettings) -> BlockGrid:
    """Cut pixels as an unfinished run has, or into blocks that take at most half the memory."""
    begun = folder.begun_with("block")
    if begun is not None and len(begun) == len(size):  # else it is refused as another run
        grid = BlockGrid(size, tuple(begun))
        if not settings.overwrite or _needed(grid, model) <= settings.budget:
            return grid
    fitting = settings.budget // 2 // _bytes_per_pixel(model)
    pixels = min(settings.block_pixels or BLOCK_PIXELS, fitting)
    return BlockGrid.of(size, model.geometry.period, max(1, pixels))


def _tile(
    grid: BlockGrid, folder: WorkFolder, model: Model, settings: FileSettings
) -> int | Size | None:
    """Return the fastest tile that fits into the memory beside a block, if none is given."""
    if settings.tile is not None or settings.stitch != "corrected":
        return settings.tile
    rounded = folder.begun_with("tile") if folder.begun_with("stitch") == "corrected" else None
    if rounded is not None and len(rounded) == len(grid.block):
        return tuple(rounded)
    architecture = model.description.architecture
    needed = _needed(grid, model)
    if settings.budget < needed:
        hint = (
            f"an unfinished run lies there in blocks of {by(grid.block)} px, which need "
            f"{in_bytes(needed)}; add --overwrite to start afresh in smaller ones"
            if folder.begun_with("block") is not None and not settings.overwrite
            else f"this network needs at least {in_bytes(2 * least_memory(architecture))}"
        )
        raise ShiftSegError(f"the memory is {in_bytes(settings.budget)}; {hint}")
    kept = _kept(grid, model)
    return tile_within(architecture, grid.block, settings.budget, resident_bytes=kept)


def _needed(grid: BlockGrid, model: Model) -> int:
    """Bytes that a block takes, with the smallest tile beside it."""
    return _kept(grid, model) + least_memory(model.description.architecture)


def _kept(grid: BlockGrid, model: Model) -> int:
    """Bytes that a block itself takes."""
    return prod(grid.block) * _bytes_per_pixel(model)


def _bytes_per_pixel(model: Model) -> int:
    """Bytes per pixel at the height of a block: output twice, its image, its labels twice."""
    return 4 * (2 * model.description.architecture.out_channels + 1) + 16
