"""The options of the commands that segment files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.cli.console import (
    Axes,
    Bandwidth,
    ChannelName,
    Compiled,
    Device,
    Foreground,
    MinSize,
    ModelName,
    Numbers,
    refuse_idle_tile,
)
from napari_shiftseg.embeddings.budget import memory_size
from napari_shiftseg.embeddings.model import model_file
from napari_shiftseg.embeddings.model_file import read_description
from napari_shiftseg.settings import DEFAULT_MODEL, StitchMode


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How files are segmented; see :class:`FileSettings`."""

    model: ModelName = DEFAULT_MODEL
    stitch: Annotated[
        StitchMode,
        Parameter(help="How tiles are stitched; corrected equals whole-image inference."),
    ] = "corrected"
    tile: Annotated[
        int | None,
        Parameter(
            help="Output tile size in pixels; corrected needs a multiple of the model's period. "
            "By default corrected tiles are as large as is fastest within the memory."
        ),
    ] = None
    bandwidth: Bandwidth = None
    min_size: MinSize = None
    foreground: Foreground = None
    axes: Axes = None
    channel: ChannelName = None
    device: Device = None
    precision: Numbers = "float32"
    compiled: Compiled = False
    memory: Annotated[
        str | None,
        Parameter(
            help="Memory that each process may take beside the 0.4 GB of Python and torch, as 2GB; "
            "by default half of what is free. An image that needs more goes block by block."
        ),
    ] = None
    workers: Annotated[int | None, Parameter(help="Work in so many processes.")] = None
    scheduler: Annotated[
        str | None,
        Parameter(help="Work on the workers of this dask scheduler, as tcp://host:8786."),
    ] = None

    def settings(self, **more: Any) -> FileSettings:
        """Return them with the other fields; raises ShiftSegError for what is no legal value."""
        refuse_idle_tile(self.stitch, self.tile)
        own = read_description(model_file(self.model)).clustering
        return FileSettings(
            model=self.model,
            stitch=self.stitch,
            tile=self.tile,
            clustering=own.replaced(
                bandwidth=self.bandwidth,
                min_size=self.min_size,
                foreground_threshold=self.foreground,
            ),
            axes=self.axes,
            channel=self.channel,
            device=self.device,
            precision=self.precision,
            compiled=self.compiled,
            memory=None if self.memory is None else memory_size(self.memory),
            workers=self.workers,
            scheduler=self.scheduler,
            **more,
        )


AS_USUAL = FileOptions()
