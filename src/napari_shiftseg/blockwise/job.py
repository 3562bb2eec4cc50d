"""One run, as any process can take part in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_shiftseg._version import __version__
from napari_shiftseg.blockwise.blocks import BlockGrid
from napari_shiftseg.blockwise.fingerprint import fingerprint_of, refuse_another
from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.settings import Clustering, Precision, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.tile import Region, size_of


@dataclass(frozen=True)
class Order:
    """What is to be done: names and numbers, no pixels, so that it can be sent anywhere.

    Parameters
    ----------
    folder
        Where finished blocks are kept.
    model
        Name of a bundled model, or path of a model file; empty if it is a loaded model of the
        process that runs.
    model_sha256
        By which the model is known again.
    precision
        The number type to compute in.
    compiled
        Whether tiles are computed by what torch.compile makes of the network.
    clustering
        From embeddings to labels.
    stitch
        How the tiles of a block are stitched.
    tile
        Tile size in pixels per axis. Corrected tiles of any size give the same labels.
    block
        Block size in pixels per axis.
    spans
        Start and stop per axis of the part of each frame that is wanted.
    scalings
        The intensity scaling of each frame, measured once.
    fingerprint
        By which the image is known again.
    date
        When a large image was written; empty for a small one or an array.
    image
        Path of the image; empty if it is an array of the process that runs.
    axes
        One letter per axis of the image, where its file names them wrong.
    channel
        Number of the only channel that is wanted; None for all.
    device
        Where to predict; None is the fastest device.
    embeddings
        Where the embedding is to be written; empty for nowhere.
    """

    folder: Path
    model: str
    model_sha256: str
    precision: Precision
    compiled: bool
    clustering: Clustering
    stitch: StitchMode
    tile: Size
    block: Size
    spans: tuple[tuple[int, int], ...]
    scalings: tuple[Scaling, ...]
    fingerprint: str
    date: str
    image: str = ""
    axes: str | None = None
    channel: int | None = None
    device: str | None = None
    embeddings: str = ""


@dataclass(frozen=True)
class Job:
    """An order with its image and its model open.

    Parameters
    ----------
    order
        What is to be done.
    frames
        The image.
    model
        The model.
    """

    order: Order
    frames: Frames
    model: Model

    @classmethod
    def open(cls, order: Order) -> Job:
        """Open image and model by their names.

        Raises
        ------
        ShiftSegError
            If they cannot be opened, or others than those of the run have their names here.
        """
        model = load_model(order.model, precision=order.precision, compiled=order.compiled)
        source = Source.open(order.image, model, order.axes, channel=order.channel)
        refuse_another(order.model, model.sha256, order.model_sha256)
        refuse_another(order.image, fingerprint_of(source), order.fingerprint)
        return cls(order, source.frames, model)

    @property
    def identity(self) -> dict[str, Any]:
        """All that the labels depend on: what a run that goes on must share."""
        order = self.order
        exact = order.stitch == "corrected" and order.precision == "float32"
        cut = {} if exact else {"tile": list(order.tile)}
        return {
            "version": __version__,
            "image shape": list(self.frames.source.shape),
            "image type": str(self.frames.source.dtype),
            "axes": self.frames.axes,
            "channel": order.channel,
            "content of the image": order.fingerprint,
            "date of the image": order.date,
            "model": self.model.sha256,
            "precision": order.precision,
            **({"way of computing": "torch.compile"} if order.compiled else {}),
            "stitch": order.stitch,
            "block": list(order.block),
            "region": [list(span) for span in order.spans],
            "embeddings": order.embeddings,
            **cut,
            **asdict(order.clustering),
        }

    @property
    def folder(self) -> WorkFolder:
        """Where finished blocks are kept."""
        return WorkFolder(self.order.folder)

    @property
    def region(self) -> Region:
        """What is wanted of each frame."""
        return tuple(slice(*span) for span in self.order.spans)

    @property
    def size(self) -> Size:
        """Pixels per axis of what is wanted of each frame."""
        return size_of(self.region)

    @cached_property
    def grid(self) -> BlockGrid:
        """Blocks of what is wanted of one frame."""
        return BlockGrid(self.size, self.order.block)

    def __len__(self) -> int:
        return len(self.frames) * len(self.grid)

    def numbers(self, frame: int) -> range:
        """Return the numbers of a frame's blocks."""
        return range(frame * len(self.grid), (frame + 1) * len(self.grid))

    def place(self, number: int) -> tuple[int, Region]:
        """Return a block's frame, counted along the loop axes, and where its result lies."""
        frame, block = divmod(number, len(self.grid))
        return frame, self.grid.region(block)

    def in_frame(self, place: Region) -> Region:
        """Return where in the frame a part of the result lies."""
        return tuple(
            slice(part.start + own.start, part.stop + own.start)
            for part, own in zip(place, self.region, strict=True)
        )
