"""Tiled prediction: execute a plan, one event per tile, and stitch what comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from napari_shiftseg.embeddings.budget import rows_at_once, stream_rows, streamable
from napari_shiftseg.embeddings.coordinates import coordinate_ramp
from napari_shiftseg.embeddings.device import out_of_memory
from napari_shiftseg.embeddings.execute import Execution, Output
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import DeviceError, ShiftSegError, first_line
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.tiles.plan import TilePlan, by
from napari_shiftseg.tiles.tile import Tile

_PART = 2**20
_COMPILER = ("torch._inductor", "torch._dynamo")


@dataclass(frozen=True)
class TileDone:
    """One predicted tile.

    Parameters
    ----------
    tile
        Which one.
    total
        Number of tiles in the plan.
    output
        ``(embedding [+ foreground logit], *inner size)`` float32: what the tile
        contributes, pixel coordinates added where the model has them.
    done
        Tiles that are done, this one included; they come in any order.
    frame
        Index of the image in its stack; empty for a single image.
    """

    tile: Tile
    total: int
    output: NDArray[np.float32]
    done: int
    frame: tuple[int, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """A stitched prediction.

    Parameters
    ----------
    embedding
        ``(E, *loops, *spatial)`` float32; a single image has no loops.
    foreground
        ``(*loops, *spatial)`` float32 probability, or None if the model has no such output.
    """

    embedding: NDArray[np.float32]
    foreground: NDArray[np.float32] | None

    def frame(self, index: tuple[int, ...]) -> Prediction:
        """Return the prediction of one image of a stack."""
        foreground = None if self.foreground is None else self.foreground[index]
        at: tuple[Any, ...] = (slice(None), *index)
        return Prediction(self.embedding[at], foreground)


def predict_tiles(
    network: UNet,
    channels_first: Any,
    scaling: Scaling,
    plan: TilePlan,
    device: torch.device,
    *,
    streamed: bool | None = None,
) -> Iterator[TileDone]:
    """Run the network on each tile of a plan.

    The result does not depend on the executor. Tile by tile they come in raster order, as
    streams column by column, a column being all tiles that differ on the first axis alone.
    A corrected tile for which the device has no memory is computed in smaller ones.

    Parameters
    ----------
    network
        In evaluation mode.
    channels_first
        ``(C, *spatial)`` pixels, not yet normalised; anything that slices like an array.
    scaling
        The whole image's normalisation.
    plan
        What to run; its image size is the image's.
    device
        Where to run; the network is moved there.
    streamed
        Run the columns of a corrected or whole plan as streams, which computes nothing
        twice along the first axis and needs little memory; by default where that wins.

    Raises
    ------
    ShiftSegError
        If a plan is to be streamed whose tiles do not continue each other.
    DeviceError
        If the device fails, for lack of memory most often. (A bare RuntimeError would
        pass unseen through a napari worker.)
    """
    rows = _rows(network.architecture, plan, device, streamed)
    try:
        run = Execution(network, channels_first, scaling, plan, device)
        tiles = run.column_by_column(rows) if rows else run.tile_by_tile()
        for done, (tile, output) in enumerate(tiles, start=1):
            _add_coordinates(output, tile, network.architecture)
            yield TileDone(tile, len(plan), output, done)
    except (RuntimeError, MemoryError) as error:
        raise DeviceError(_failure(error, device, plan)) from error


def _failure(error: BaseException, device: torch.device, plan: TilePlan) -> str:
    """Say what failed. Corrected tiles without memory have been halved down to one period."""
    if type(error).__module__.startswith(_COMPILER):
        return (
            f"torch.compile failed on the device {device} ({first_line(error)}); legal: a run "
            "without compiled=True (--compile). Where a compiler is missing: a C++ compiler, as "
            "that of Debian's g++, or triton on graphics cards"
        )
    if plan.mode == "corrected" and out_of_memory(error):
        return (
            f"the device {device} has no memory for a tile of one period, "
            f"{by(plan.geometry.period)} px ({first_line(error)})"
        )
    return (
        f"the device {device} failed on a tile of {by(plan.tile_size)} px ({first_line(error)}); "
        "a smaller tile size needs less memory"
    )


def _rows(
    architecture: Architecture, plan: TilePlan, device: torch.device, streamed: bool | None
) -> int | None:
    """Return how many rows to stream at once; None for tile by tile."""
    if streamed is None:
        # Who asks for whole-image inference wants what everything else is compared with.
        return None if plan.mode == "whole" else stream_rows(architecture, plan, device)
    if streamed and not streamable(plan):
        raise ShiftSegError(f"{plan.mode} tiles cannot be streamed; legal: corrected and whole")
    return rows_at_once(architecture, plan) if streamed else None


def _add_coordinates(output: Output, tile: Tile, architecture: Architecture) -> None:
    if architecture.coordinate_dims:
        output[: architecture.embedding_dims] += coordinate_ramp(tile.inner, architecture).numpy()


class Stitcher:
    """Collects tiles in any order into one array.

    Parameters
    ----------
    plan
        The plan that is being executed.
    channels
        Output channels of the network.
    """

    def __init__(self, plan: TilePlan, channels: int) -> None:
        self.plan = plan
        self.total = np.zeros((channels, *plan.result_size), np.float32)
        blended = plan.mode == "blended"
        self.weight = np.zeros(plan.result_size, np.float32) if blended else None

    def add(self, done: TileDone) -> None:
        """Put a tile into its place."""
        inner = self.plan.place(done.tile)
        if self.weight is None:
            self.total[(slice(None), *inner)] = done.output
            return
        weight = gaussian_window(done.tile)
        self.total[(slice(None), *inner)] += weight * done.output
        self.weight[inner] += weight

    def result(self, *, foreground: bool) -> Prediction:
        """Finish, in place; ``foreground`` says that the last channel is a foreground logit."""
        if self.weight is not None:
            self.total /= self.weight
            self.weight = None
        if not foreground:
            return Prediction(self.total, None)
        _to_probability(self.total[-1].reshape(-1))
        return Prediction(self.total[:-1], self.total[-1])


def _to_probability(logits: NDArray[np.float32]) -> None:
    """Turn ``(n,)`` logits into probabilities, part by part: doubles take twice the memory."""
    for start in range(0, len(logits), _PART):
        part = logits[start : start + _PART]
        part[:] = expit(part.astype(np.float64))


def gaussian_window(tile: Tile) -> NDArray[np.float32]:
    """Weights of a blended window, sigma an eighth of its edge; never 0."""
    weight = np.ones((), np.float64)
    for window, local in zip(tile.window, tile.local, strict=True):
        size = window.stop - window.start
        position = np.arange(local.start, local.stop) - (size - 1) / 2
        along = np.exp(-0.5 * (position / (size / 8)) ** 2)
        weight = weight[..., None] * np.maximum(along, 1e-4)
    return weight.astype(np.float32)
