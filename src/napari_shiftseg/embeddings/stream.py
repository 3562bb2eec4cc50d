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

from typing import Any

import torch
from torch import Tensor, nn

from napari_shiftseg.embeddings.fused import FusedConvolution, fused
from napari_shiftseg.embeddings.unet import UNet, centre_crop
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import NetworkGeometry, Size

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
        In evaluation mode; best made of fused layers already, see :func:`fused`.
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
        network = fused(network)
        self._levels = _Level(network, 0)
        self._head = _block(network.head)

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
        return _joined(done) if done else None


class _Level:
    """A level of the network with all that is below it."""

    def __init__(self, network: UNet, level: int) -> None:
        geometry = network.architecture.geometry
        self._down = _block(network.down[level])
        self._below: _Level | None = None
        if level < geometry.levels:
            self._pool = _Pool(network.pool[level], geometry.factors[level][0])
            self._below = _Level(network, level + 1)
            self._upsample = network.upsample[level]
            self._skip = _Skip(cropped_rows(geometry, level))
            self._up = _block(network.up[level])

    def push(self, rows: Rows, last: bool) -> Rows:
        features = _through(self._down, rows, last)
        if self._below is None:
            return features
        self._skip.put(features)
        below = self._below.push(self._pool.push(features), last)
        upsampled = [self._upsample(part) for part in below]
        skipped = self._skip.take(like=upsampled)
        first, *others = self._up
        return _through(others, first.push(skipped, upsampled, last=last), last)


class _Convolution:
    """A convolution; keeps the last ``kernel - 1`` rows of its input, or of its two."""

    def __init__(self, layer: FusedConvolution) -> None:
        self._layer = layer
        self._kept: tuple[Rows, ...] = ([], [])
        self._started = False

    def push(self, *inputs: Rows, last: bool) -> Rows:
        waiting = [[*kept, *rows] for kept, rows in zip(self._kept, inputs, strict=False)]
        parts = [self._padded(rows, last) for rows in waiting]
        self._started = self._started or bool(parts[0])
        kernel = self._layer.kernel[0]
        if _count(parts[0]) < kernel:
            self._kept = tuple(parts)
            return []
        joined = [_joined(rows) for rows in parts]
        self._kept = tuple([] if last else _tail(rows, kernel - 1) for rows in joined)
        return [self._layer.on_rows(*joined)]

    def _padded(self, rows: Rows, last: bool) -> Rows:
        """Add the zero rows of same padding at the two ends of the window."""
        rim = self._layer.padding[0]
        if not rim or not rows:
            return rows
        zeros = [_zero_rows(rows[0], rim)]
        return [*([] if self._started else zeros), *rows, *(zeros if last else [])]


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
        joined, rest = _joined(parts), count % self._factor
        self._kept = _tail(joined, rest)
        return [self._layer(joined.narrow(_ROWS, 0, count - rest))]


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

    def take(self, like: Rows) -> Rows:
        """Take as many waiting rows as there are in ``like``, cropped to its other axes."""
        taken: Rows = []
        missing = _count(like)
        while missing:
            rows = self._first(missing)
            missing -= rows.shape[_ROWS]
            taken.append(centre_crop(rows, (rows.shape[_ROWS], *like[0].shape[3:])))
        return taken

    def _first(self, at_most: int) -> Tensor:
        first = self._waiting[0]
        if first.shape[_ROWS] <= at_most:
            return self._waiting.pop(0)
        self._waiting[0] = first.narrow(_ROWS, at_most, first.shape[_ROWS] - at_most)
        return first.narrow(_ROWS, 0, at_most)


def _block(layers: Any) -> list[_Convolution]:
    return [_Convolution(layer) for layer in layers]


def _through(layers: list[_Convolution], rows: Rows, last: bool) -> Rows:
    for layer in layers:
        rows = layer.push(rows, last=last)
    return rows


def cropped_rows(geometry: NetworkGeometry, level: int) -> int:
    """Rows that are cropped from each end of a skip: what the path below loses."""
    if geometry.padding == "same":
        return 0
    lost = sum(kernel[0] - 1 for kernel in geometry.down[-1])
    for deeper in range(geometry.levels - 1, level, -1):
        kernels = (*geometry.down[deeper], *geometry.up[deeper])
        lost = lost * geometry.factors[deeper][0] + sum(kernel[0] - 1 for kernel in kernels)
    return lost * geometry.factors[level][0] // 2


def _count(rows: Rows) -> int:
    return sum(part.shape[_ROWS] for part in rows)


def _joined(rows: Rows) -> Tensor:
    return rows[0] if len(rows) == 1 else torch.cat(rows, _ROWS)


def _tail(rows: Tensor, count: int) -> Rows:
    """Copy the last rows: a view would keep all of them in memory."""
    start = rows.shape[_ROWS] - count
    return [rows.narrow(_ROWS, start, count).clone()] if count else []


def _zero_rows(like: Tensor, count: int) -> Tensor:
    shape = list(like.shape)
    shape[_ROWS] = count
    return like.new_zeros(shape)
