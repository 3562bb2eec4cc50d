"""Two executors of one plan: tile by tile, or column by column as streams.

By Corollary 4 the size of a corrected tile changes nothing in the result. So a tile for which
the device has no memory is computed in halves, and tiles above each other are computed as one
stream, which does not compute their overlapping margins twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_shiftseg.embeddings.budget import rows_read
from napari_shiftseg.embeddings.device import fast_layout, keep_freed_memory, out_of_memory
from napari_shiftseg.embeddings.fused import fused
from napari_shiftseg.embeddings.stream import Stream
from napari_shiftseg.embeddings.transfer import Arriving, one_ahead, to_device, to_host
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.image.border import read_reflected
from napari_shiftseg.image.intensity import Scaling
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, make_plan
from napari_shiftseg.tiles.tile import Region, Tile

Output = NDArray[np.float32]
"""``(embedding [+ foreground logit], *inner size)`` float32 of one tile."""


@dataclass
class Execution:
    """A plan on its way through a network.

    Parameters
    ----------
    network, channels_first, scaling, plan, device
        As of :func:`predict_tiles`.
    """

    network: UNet
    channels_first: Any
    scaling: Scaling
    plan: TilePlan
    device: torch.device

    def __post_init__(self) -> None:
        keep_freed_memory()
        network = fast_layout(self.network.to(self.device))
        self.network = network if network.compiled else fused(network)
        self.largest: Size | None = None
        """Corrected tiles that the device has memory for, once one has failed."""

    def tile_by_tile(self) -> Iterator[tuple[Tile, Output]]:
        """Run each tile alone, in raster order."""
        begun = ((tile, self._in_parts(tile)) for tile in self.plan)
        for tile, output in one_ahead(begun, self.device):
            yield tile, output()

    def column_by_column(self, rows: int) -> Iterator[tuple[Tile, Output]]:
        """Run all tiles that differ on the first axis alone as one stream.

        Parameters
        ----------
        rows
            How many rows of the column go through the network at once.
        """
        tiles = list(self.plan)
        columns = prod(self.plan.grid[1:])
        for column in range(columns):
            waiting = tiles[column::columns]
            try:
                for tile, output in self._streamed(list(waiting), rows):
                    waiting.pop(0)
                    yield tile, output
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            for tile in waiting:
                yield tile, self._in_parts(tile)()

    def _in_parts(self, tile: Tile) -> Arriving:
        """Compute a tile, in parts where the device has no memory for it at once."""
        if self.largest is None:
            output = self._at_once(tile)
            if output is not None:
                return output
        plan = make_plan(
            self.plan.geometry,
            self.plan.image_size,
            "corrected",
            tile=self.largest,
            region=tile.inner,
        )
        whole = np.empty((self.network.architecture.out_channels, *plan.result_size), np.float32)
        for part in plan:
            at_once = self._at_once(part)
            if at_once is None:
                return self._in_parts(tile)
            whole[(slice(None), *plan.place(part))] = at_once()
        return lambda: whole

    def _at_once(self, tile: Tile) -> Arriving | None:
        """Compute a tile; None if the device has no memory for it and a smaller one is legal."""
        try:
            with torch.inference_mode():
                output = self.network(self._read(tile.outer))[0][(slice(None), *tile.local)]
                return to_host(output)
        except (RuntimeError, MemoryError) as error:
            smaller = self._halved(tile) if out_of_memory(error) else None
            if smaller is None:
                raise
            self.largest = smaller
        # Not in the handler: there the error would keep the failed tile's features in memory.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _halved(self, tile: Tile) -> Size | None:
        """Halve a tile along its longest axis, in whole periods; None if it has but one."""
        if self.plan.mode != "corrected":
            return None
        period = self.plan.geometry.period
        size = [
            -(-inner.stop // p) * p - inner.start // p * p
            for inner, p in zip(tile.inner, period, strict=True)
        ]
        long = [a for a in range(len(size)) if size[a] > period[a]]
        if not long:
            return None
        axis = max(long, key=lambda a: size[a])
        size[axis] = -(-size[axis] // (2 * period[axis])) * period[axis]
        return tuple(size)

    def _streamed(self, tiles: list[Tile], rows: int) -> Iterator[tuple[Tile, Output]]:
        """Cut the output rows of a column into its tiles."""
        at, cross = tiles[0].window[0].start, tiles[0].local[1:]
        output: Output | None = None
        for piece in one_ahead(self._rows_out(tiles, rows), self.device):
            stop = at + piece.shape[1]
            while tiles and tiles[0].inner[0].start < stop:
                inner = tiles[0].inner[0]
                if output is None:
                    size = (s.stop - s.start for s in tiles[0].inner)
                    output = np.empty((len(piece), *size), np.float32)
                first, end = max(at, inner.start), min(stop, inner.stop)
                done = to_host(piece[(slice(None), slice(first - at, end - at), *cross)])()
                output[:, first - inner.start : end - inner.start] = done
                if inner.stop > stop:
                    break
                yield tiles.pop(0), output
                output = None
            if not tiles:
                return
            at = stop

    def _rows_out(self, tiles: list[Tile], rows: int) -> Iterator[Tensor]:
        """Push a column through the network: ``(channels, rows, *cross)`` at a time."""
        start, stop = tiles[0].outer[0].start, tiles[-1].outer[0].stop
        cross = tiles[0].outer[1:]
        stream = Stream(self.network, (stop - start, *(s.stop - s.start for s in cross)))
        step = rows_read(self.plan, rows)
        for first in range(start, stop, step):
            block = self._read((slice(first, min(first + step, stop)), *cross))
            for chunk in torch.split(block, rows, dim=2):
                with torch.inference_mode():
                    done = stream.push(chunk)
                if done is not None:
                    yield done[0]

    def _read(self, region: Region) -> Tensor:
        """Read and normalise: ``(1, C, *region size)`` on the device, in the network's type."""
        pixels = self.scaling(read_reflected(self.channels_first, region))
        kind = next(self.network.parameters()).dtype
        return fast_layout(to_device(torch.from_numpy(pixels)[None], self.device, kind))
