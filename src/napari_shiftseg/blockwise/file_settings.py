"""How a file is to be segmented."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from napari_shiftseg.blockwise.workers import is_count, refuse_no_workers
from napari_shiftseg.embeddings.budget import memory_size
from napari_shiftseg.embeddings.device import choose_device
from napari_shiftseg.embeddings.model import Model, bundled_models, load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.memory import default_memory
from napari_shiftseg.settings import (
    DEFAULT_MODEL,
    Clustering,
    Precision,
    StitchMode,
    refuse_no_clustering,
)
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.tile import Region


@dataclass(frozen=True, kw_only=True)
class FileSettings:
    """The settings of :func:`segment_file`.

    Parameters
    ----------
    model
        Name of a bundled model, path of a model file, or a loaded model, which works in this
        process alone.
    precision
        The number type to compute in, ``"float32"`` or ``"bfloat16"``; by default the model's.
    compiled
        Compute tiles by what torch.compile makes of the network, see
        :meth:`Model.as_compiled`.
    stitch, tile, clustering, device, axes
        As of :func:`segment`; ``stitch="whole"`` is not possible block by block. Corrected
        tiles of no given size are as large as is fastest within the memory.
    channel
        The only channel to segment: its number from 0, or its name in the file; of RGB red,
        green or blue. By default each, or all that the model needs.
    region
        The part of each frame to segment, a slice per spatial axis; the labels are those of this
        part alone, as of :func:`segment`.
    memory
        What each process may take beside the 0.4 GB of Python and torch, in bytes or as
        ``"2GB"``; by default half of what is free. An image that needs more is segmented block
        by block.
    workers
        Go block by block in so many processes on this machine.
    scheduler
        Go block by block on the workers of this dask scheduler, which see the same files.
    block_pixels
        Go block by block, with blocks of at most about so many pixels.
    embeddings
        Also write the embedding to this file. Block by block it takes as much of the disk once
        more until the run is finished.
    overwrite
        Replace the output, and an unfinished run with other settings.
    """

    model: str | Model = DEFAULT_MODEL
    precision: Precision | None = None
    compiled: bool = False
    stitch: StitchMode = "corrected"
    tile: int | Size | None = None
    clustering: Clustering | None = None
    device: str | None = None
    axes: str | None = None
    channel: int | str | None = None
    region: Region | None = None
    memory: int | str | None = None
    workers: int | None = None
    scheduler: str | None = None
    block_pixels: int | None = None
    embeddings: str | Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        refuse_no_workers(self.workers, self.scheduler)
        refuse_no_clustering(self.clustering)
        if not (self.block_pixels is None or is_count(self.block_pixels)):
            raise ShiftSegError(f"block_pixels is {self.block_pixels!r}; legal: from 1 on")

    @property
    def embedding_file(self) -> Path | None:
        """Where the embedding is to be written."""
        return None if self.embeddings is None else Path(self.embeddings).absolute()

    @property
    def model_name(self) -> str:
        """By what any process finds the model, whatever its folder; empty for a loaded one."""
        if isinstance(self.model, Model):
            return ""
        bundled = str(self.model) in bundled_models()
        return str(self.model) if bundled else str(Path(self.model).absolute())

    def refuse_no_device(self) -> None:
        """Raise ShiftSegError if there is no such device; of a cluster its machines say that."""
        if self.scheduler is None:
            choose_device(self.device)

    def load(self) -> Model:
        """Load the model; raises ShiftSegError if there is none."""
        return load_model(self.model, precision=self.precision, compiled=self.compiled)

    @cached_property
    def budget(self) -> int:
        """Bytes that each process may take."""
        if self.memory is None:
            return default_memory() // (self.workers or 1)
        return memory_size(self.memory)

    @property
    def wants_blocks(self) -> bool:
        """Whether to go block by block even if the image fits into memory."""
        return any(given is not None for given in (self.workers, self.scheduler, self.block_pixels))
