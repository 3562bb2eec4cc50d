"""Streamed evaluation: a long window goes through the network a few rows at a time.

Tiles compute the features in their overlapping margins again and again; whole-image inference
holds all features at once. A stream does neither: the window is cut along its first spatial
axis, and each layer keeps just the rows that its next output still needs::

    rows ─▶ convolution ─────┬──────────▶ join ─▶ convolution ─▶ finished rows
            keeps k - 1 rows │             ▲      keeps k - 1 rows
                             │  skipped    │ waits in a queue for the path below
                             ▼  rows       │
                           pool ─▶ ... ─▶ upsample
                           keeps the rows of an unfinished block

"Rows" are slices along the first spatial axis: samples in 1-D, rows in 2-D, planes in 3-D. The
other axes are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_shiftseg.embeddings.unet import UNet, centre_crop
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import Size

_CONVOLVE: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}

_ROWS = 2
"""The axis of rows in ``(B, C, *spatial)``."""

Rows = list[Tensor]
"""Consecutive rows in pieces ``(B, C, rows, *cross)``; an empty list while there are none."""


class Stream:
    """One window on its way through a network; each feature is computed once.

    All outputs together equal ``network(window)``, however the rows are cut into chunks: the
    same sums of the same numbers, so that they differ by rounding alone.

    Parameters
    ----------
    network
        In evaluation mode.
    window
        Size of the whole window in pixels, without channels.

    Raises
    ------
    ShiftSegError
        If the network cannot take a window of that size.
    """

    def __init__(self, network: UNet, window: Size) -> None:
        geometry = network.architecture.geometry
        geometry.output_size(window)
        self._missing = window[0]
        self._levels = _Level(network, 0)
        self._head = _block(network.head, same=geometry.padding == "same")

    def push(self, rows: Tensor) -> Tensor | None:
        """Take the next rows of the window and return the output rows that they complete.

        Parameters
        ----------
        rows
            ``(B, C, rows, *cross)``, at least one row.

        Returns
        -------
        Tensor or None
            ``(B, out channels, rows, *cross)``; None if no row is complete. With the last row
            of the window all that was still under way is complete.

        Raises
        ------
        ShiftSegError
            If there are more rows than the window has.
        """
        count = rows.shape[_ROWS]
        if not 1 <= count <= self._missing:
            raise ShiftSegError(f"got {count} rows; legal: 1 to {self._missing}, all that is left")
        self._missing -= count
        last = self._missing == 0
        done = _through(self._head, self._levels.push([rows], last), last)
        return torch.cat(done, _ROWS) if done else None


class _Level:
    """A level of the network with all that is below it."""

    def __init__(self, network: UNet, level: int) -> None:
        geometry = network.architecture.geometry
        same = geometry.padding == "same"
        self._down = _block(network.down[level], same)
        self._below: _Level | None = None
        if level < geometry.levels:
            self._pool = _Pool(network.pool[level], geometry.factors[level][0])
            self._below = _Level(network, level + 1)
            self._upsample = network.upsample[level]
            self._skip = _Skip(0 if same else _cropped_rows(network, level))
            self._up = _block(network.up[level], same)

    def push(self, rows: Rows, last: bool) -> Rows:
        features = _through(self._down, rows, last)
        if self._below is None:
            return features
        self._skip.put(features)
        below = self._below.push(self._pool.push(features), last)
        joined = self._skip.join([self._upsample(part) for part in below])
        return _through(self._up, joined, last)


class _Convolution:
    """A convolution with or without a ReLU; keeps the last ``kernel - 1`` rows of its input."""

    def __init__(self, layer: nn.Module, *, relu: bool, same: bool) -> None:
        self._layer: Any = layer
        self._relu = relu
        kernel = self._layer.kernel_size
        self._kernel = kernel[0]
        # The ends of the window are padded row by row, the cross axes by torch.
        self._rim = kernel[0] // 2 if same else 0
        self._padding = (0, *(k // 2 if same else 0 for k in kernel[1:]))
        self._kept: Rows = []
        self._started = False

    def push(self, rows: Rows, last: bool) -> Rows:
        parts = [*self._kept, *rows]
        if self._rim and parts:
            zeros = _zero_rows(parts[0], self._rim)
            parts = [*([] if self._started else [zeros]), *parts, *([zeros] if last else [])]
            self._started = True
        if _count(parts) < self._kernel:
            self._kept = parts
            return []
        joined = parts[0] if len(parts) == 1 else torch.cat(parts, _ROWS)
        self._kept = _tail(joined, self._kernel - 1)
        convolve = _CONVOLVE[joined.ndim - 2]
        result = convolve(joined, self._layer.weight, self._layer.bias, padding=self._padding)
        return [result.relu_() if self._relu else result]


class _Pool:
    """A pooling; keeps the rows of a block that is not complete."""

    def __init__(self, layer: nn.Module, factor: int) -> None:
        self._layer = layer
        self._factor = factor
        self._kept: Rows = []

    def push(self, rows: Rows) -> Rows:
        parts = [*self._kept, *rows]
        count = _count(parts)
        if count < self._factor:
            self._kept = parts
            return []
        joined = parts[0] if len(parts) == 1 else torch.cat(parts, _ROWS)
        self._kept = _tail(joined, count % self._factor)
        return [self._layer(joined.narrow(_ROWS, 0, count - count % self._factor))]


class _Skip:
    """A skip connection: the rows that wait for the path below."""

    def __init__(self, cropped: int) -> None:
        self._cropped = cropped
        """Rows that the central crop still has to drop."""
        self._waiting: Rows = []

    def put(self, rows: Rows) -> None:
        for part in rows:
            drop = min(self._cropped, part.shape[_ROWS])
            self._cropped -= drop
            if drop < part.shape[_ROWS]:
                self._waiting.append(part.narrow(_ROWS, drop, part.shape[_ROWS] - drop))

    def join(self, upsampled: Rows) -> Rows:
        """Put as many waiting rows before the channels of the upsampled ones."""
        joined = []
        for part in upsampled:
            done = 0
            while done < part.shape[_ROWS]:
                skipped = self._take(part.shape[_ROWS] - done)
                beside = part.narrow(_ROWS, done, skipped.shape[_ROWS])
                cropped = centre_crop(skipped, beside.shape[2:])
                joined.append(torch.cat([cropped, beside], dim=1))
                done += skipped.shape[_ROWS]
        return joined

    def _take(self, at_most: int) -> Tensor:
        first = self._waiting[0]
        if first.shape[_ROWS] <= at_most:
            return self._waiting.pop(0)
        self._waiting[0] = first.narrow(_ROWS, at_most, first.shape[_ROWS] - at_most)
        return first.narrow(_ROWS, 0, at_most)


def _block(layers: nn.Module, same: bool) -> list[_Convolution]:
    """Wrap a sequence of convolutions, each followed by a ReLU or by nothing."""
    found: Sequence[nn.Module] = list(layers.children())
    return [
        _Convolution(layer, relu=isinstance(after, nn.ReLU), same=same)
        for layer, after in zip(found, [*found[1:], None], strict=True)
        if not isinstance(layer, nn.ReLU)
    ]


def _through(layers: list[_Convolution], rows: Rows, last: bool) -> Rows:
    for layer in layers:
        rows = layer.push(rows, last)
    return rows


def _cropped_rows(network: UNet, level: int) -> int:
    """Rows that a valid network crops from each end of a skip: what the path below loses."""
    geometry = network.architecture.geometry
    lost = sum(kernel[0] - 1 for kernel in geometry.down[-1])
    for deeper in range(geometry.levels - 1, level, -1):
        kernels = (*geometry.down[deeper], *geometry.up[deeper])
        lost = lost * geometry.factors[deeper][0] + sum(kernel[0] - 1 for kernel in kernels)
    return lost * geometry.factors[level][0] // 2


def _count(rows: Rows) -> int:
    return sum(part.shape[_ROWS] for part in rows)


def _tail(rows: Tensor, count: int) -> Rows:
    """Copy the last rows: a view would keep all of them in memory."""
    start = rows.shape[_ROWS] - count
    return [rows.narrow(_ROWS, start, count).clone()] if count else []


def _zero_rows(like: Tensor, count: int) -> Tensor:
    shape = list(like.shape)
    shape[_ROWS] = count
    return like.new_zeros(shape)
