"""What a streamed run costs, when to stream, and the best tile for an amount of memory."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import product
from math import inf, prod
from numbers import Real
from typing import NamedTuple

import torch

from napari_shiftseg.embeddings.cost import FLOAT, Cost, Layer, cost_of, layers_of
from napari_shiftseg.embeddings.stream import cropped_rows
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.memory import in_bytes
from napari_shiftseg.tiles.geometry import NetworkGeometry, Size
from napari_shiftseg.tiles.plan import TilePlan, make_plan

_CHUNK = 2**16
"""Pixels that go through the network at once in a stream: few enough for caches, many enough
to keep the arithmetic units busy (measured on CPUs)."""

_SHALLOW = 8
"""Fewest rows at once: with fewer, what is kept is copied more often than it is used."""

_WORTH = 0.97
"""A stream must save this much arithmetic, or memory: it has a little more to copy."""

_ALIKE = 1.05
"""Tiles whose arithmetic differs less are equally fast; the one with less memory is taken."""

_READ = 8
"""Most pushes whose rows are read from the image at once."""

_SCALING = 20
"""Bytes per pixel and channel while an image's intensities are scaled: two doubles, one float."""

_MARGIN = 1.6
"""Measured over counted memory: what allocators and libraries take besides the tensors."""

_WASTE = 2.5
"""Arithmetic of a tile over that of its share of an endless image, from which margins cost too
much: small volumes are slow besides."""

_ENDLESS = 2**20
"""Periods along each axis beside which margins are nothing."""

_ENOUGH = {1: 2**16, 2: 2048, 3: 256}
"""Pixels along an axis, by the number of axes, that tell which tile is fastest."""

_SMALL, _LARGE = 2**13, 2**21
"""Pixels of a tile below which margins cost too much, and above which caches do not help."""


def rows_at_once(architecture: Architecture, plan: TilePlan) -> int:
    """Return how many rows of a column to push at once, a multiple of the period."""
    period = architecture.geometry.period[0]
    cross = prod(max(stop - start for start, stop in s.outer) for s in plan.strips[1:])
    wanted = max(_SHALLOW, _CHUNK // cross)
    return max(1, wanted // period) * period


def rows_read(plan: TilePlan, rows: int) -> int:
    """Return how many rows of a column to read at once, a multiple of those pushed at once.

    Lazy images decode whole chunks at each read, so reads are larger than pushes, but no larger
    than a tile.
    """
    return min(_READ, -(-plan.tile_size[0] // rows)) * rows


def streamed_cost(
    architecture: Architecture, plan: TilePlan, rows: int | None = None, frames: int = 1
) -> Cost:
    """Count what a plan needs where each of its columns is one stream.

    Parameters
    ----------
    architecture
        The network.
    plan
        Corrected or whole.
    rows
        Rows that are pushed at once, by default those that a run takes.
    frames
        Frames of the stack.

    Returns
    -------
    Cost
        As of :func:`cost_of`; ``tile_bytes`` is what one column needs: features of the rows
        that are under way, those that layers and skips keep, the rows that are read at once,
        and the output of the tile that is being completed.
    """
    rows = rows or rows_at_once(architecture, plan)
    along = plan.strips[0].outer[-1][1] - plan.strips[0].outer[0][0]
    axes = [Counter(stop - start for start, stop in s.outer) for s in plan.strips[1:]]
    flops, peak = 0.0, 0
    for sizes in product(*(axis.items() for axis in axes)):
        window = (along, *(size for size, _ in sizes))
        flops += _flops(architecture, window) * prod(n for _, n in sizes)
        read = _SCALING * architecture.in_channels * rows_read(plan, rows) * prod(window[1:])
        peak = max(peak, _stream_bytes(architecture, window, rows) + read)
    tile = tuple(min(n, m) for n, m in zip(plan.tile_size, plan.result_size, strict=True))
    peak += FLOAT * architecture.out_channels * prod(tile)
    return Cost(frames * flops, peak, cost_of(architecture, plan, frames).result_bytes)


def stream_rows(
    architecture: Architecture, plan: TilePlan, device: torch.device | None = None
) -> int | None:
    """Decide whether a plan is best run as streams.

    Returns
    -------
    int or None
        Rows to push at once; None if tile by tile is as good or the plan cannot be streamed:
        tiles that are not in phase do not continue each other. A stream makes many small
        steps, which only CPUs run at full speed.
    """
    if not streamable(plan) or (device is not None and device.type != "cpu"):
        return None
    rows, period = rows_at_once(architecture, plan), architecture.geometry.period[0]
    tiled, streamed = cost_of(architecture, plan), streamed_cost(architecture, plan, rows)
    while streamed.tile_bytes > tiled.tile_bytes and rows >= 2 * max(period, _SHALLOW):
        rows = rows // 2 // period * period
        streamed = streamed_cost(architecture, plan, rows)
    if streamed.flops > tiled.flops or streamed.tile_bytes > tiled.tile_bytes:
        return None
    saves = streamed.flops < _WORTH * tiled.flops or 2 * streamed.tile_bytes < tiled.tile_bytes
    return rows if saves else None


def streamable(plan: TilePlan) -> bool:
    """Whether the tiles of a column continue each other's windows."""
    return plan.mode in ("corrected", "whole")


@lru_cache(maxsize=64)
def tile_within(
    architecture: Architecture,
    image_size: Size,
    memory_bytes: int,
    *,
    resident_bytes: int = 0,
    device: str = "cpu",
) -> Size:
    """Choose the corrected tile that takes the least time within an amount of memory.

    Wide tiles waste less in their margins. Among tiles whose arithmetic is alike the one with
    the least memory is taken: it stays nearer to the caches. The result of a run does not
    depend on the choice (Corollary 4).

    Parameters
    ----------
    architecture
        The network.
    image_size
        Size of an image in pixels per spatial axis.
    memory_bytes
        What the run may add to the process.
    resident_bytes
        What of it is taken already, by a result that is kept in memory most often.
    device
        Where the network will run.

    Returns
    -------
    tuple of int
        Tile size in pixels, a multiple of the period on each axis.

    Raises
    ------
    ShiftSegError
        If not even a tile of one period fits.
    """
    # Beyond some size an image is only more of the same.
    image_size = tuple(min(n, _ENOUGH[len(image_size)]) for n in image_size)
    period = architecture.geometry.period
    tiles = list(product(*(_sizes(n, p) for n, p in zip(image_size, period, strict=True))))
    usual = [tile for tile in tiles if _SMALL <= prod(tile) <= _LARGE]
    for candidates in (usual, tiles):
        priced = [_price(architecture, image_size, tile, device) for tile in candidates]
        fitting = [price for price in priced if resident_bytes + price.bytes <= memory_bytes]
        if fitting:
            break
    else:
        least = resident_bytes + min(price.bytes for price in priced)
        raise ShiftSegError(
            f"the memory is {in_bytes(memory_bytes)}; this network needs at least "
            f"{in_bytes(least)} here, with tiles of one period"
        )
    # Tiles lower than what is pushed at once would make streams go in smaller steps.
    fitting = [price for price in fitting if price.tall] or fitting
    fast = _ALIKE * min(price.flops for price in fitting)
    alike = [price for price in fitting if price.flops <= fast]
    return min(alike, key=lambda price: (price.bytes, price.flops, price.tile)).tile


@lru_cache(maxsize=64)
def without_waste(architecture: Architecture, tile: Size) -> Size:
    """Double a corrected tile until its margins cost no more than it is worth.

    Parameters
    ----------
    architecture
        The network.
    tile
        Tile size in pixels, a multiple of the period on each axis.

    Returns
    -------
    tuple of int
        Tile size in pixels.
    """
    geometry = architecture.geometry
    endless = tuple(_ENDLESS * period for period in geometry.period)
    needed = _flops(architecture, endless) / prod(endless)
    while _flops(architecture, _window_of(geometry, tile)) > _WASTE * needed * prod(tile):
        tile = tuple(2 * size for size in tile)
    return tile


def _window_of(geometry: NetworkGeometry, tile: Size) -> Size:
    """Return what the network reads for a tile that has others on every side."""
    image_size = tuple(
        2 * (size + halo) + size for size, halo in zip(tile, geometry.halo, strict=True)
    )
    plan = make_plan(geometry, image_size, "corrected", tile=tile)
    return tuple(max(stop - start for start, stop in strip.outer) for strip in plan.strips)


def least_memory(architecture: Architecture, device: str = "cpu") -> int:
    """Return the bytes that a tile of one period takes."""
    period = architecture.geometry.period
    return _price(architecture, period, period, device).bytes


class _Price(NamedTuple):
    """What a tile size costs."""

    flops: float
    bytes: int
    tall: bool
    """Whether tiles are at least as high as what a stream pushes at once, if it may choose."""
    tile: Size


def _price(architecture: Architecture, image_size: Size, tile: Size, device: str) -> _Price:
    """Price a tile size, by the executor that a run will choose."""
    plan = make_plan(architecture.geometry, image_size, "corrected", tile=tile)
    rows = stream_rows(architecture, plan, torch.device(device))
    cost = cost_of(architecture, plan)
    if rows is not None:
        cost = streamed_cost(architecture, plan, rows)
    tall = tile[0] >= min(image_size[0], rows_at_once(architecture, plan))
    return _Price(cost.flops, int(_MARGIN * cost.tile_bytes), tall, tile)


def _sizes(size: int, period: int) -> list[int]:
    """Tile sizes of one axis: in 1, 2, 3, 4, 6, 8, ... tiles of much the same size."""
    blocks = -(-size // period)
    parts, step = [1, 2, 3], 1
    while parts[-1] < blocks:
        step *= 2
        parts += [2 * step, 3 * step]
    return sorted({-(-blocks // n) * period for n in parts}, reverse=True)


@lru_cache(maxsize=4096)
def _flops(architecture: Architecture, window: Size) -> float:
    return sum(layer.flops for layer in layers_of(architecture, window))


@lru_cache(maxsize=4096)
def _stream_bytes(architecture: Architecture, window: Size, rows: int) -> int:
    """Bytes at the height of a stream that is well under way."""
    geometry = architecture.geometry
    rows = min(rows, window[0])
    layers = layers_of(architecture, window)
    entering = [
        max(1, rows // prod(f[0] for f in geometry.factors[:i])) for i in range(geometry.levels + 1)
    ]
    waiting = _waiting_rows(geometry, rows, window[0])
    kept = sum(_kept(layer, waiting) for layer in layers)
    alive = max(_alive(layer, entering[layer.level]) for layer in layers)
    return FLOAT * (kept + alive)


def _kept(layer: Layer, waiting: list[int]) -> int:
    """Elements that a layer keeps between two pushes."""
    plane = layer.n_in * prod(layer.before[1:])
    if layer.kind == "convolve":
        return (layer.kernel[0] - 1) * plane
    return waiting[layer.level] * plane if layer.kind == "pool" else 0


def _alive(layer: Layer, rows: int) -> int:
    """Elements that a layer reads and writes in one push."""
    before, after = layer.n_in * prod(layer.before[1:]), layer.n_out * prod(layer.after[1:])
    if layer.kind == "convolve" and layer.kernel[0] > 1:
        return rows * before + (rows + layer.kernel[0] - 1) * before + rows * after
    if layer.kind == "pool":
        return 0
    return rows * (before + after)


def _waiting_rows(geometry: NetworkGeometry, rows: int, window: int) -> list[int]:
    """Rows of each skip that wait for the path below, at most."""
    pushed = -(-(geometry.receptive_field[0] * 2) // rows) * rows
    new, old = pushed + rows, pushed
    found = []
    for level in range(geometry.levels):
        factor = geometry.factors[level][0]
        new, old = (max(0, n - _delay(geometry, geometry.down[level])) for n in (new, old))
        below = _finished(geometry, level + 1, old // factor) * factor
        found.append(min(window, max(0, new - cropped_rows(geometry, level) - below)))
        new, old = new // factor, old // factor
    return found


def _finished(geometry: NetworkGeometry, level: int, rows: int) -> int:
    """Rows that leave a level once so many have entered it."""
    rows = max(0, rows - _delay(geometry, geometry.down[level]))
    if level == geometry.levels:
        return rows
    factor = geometry.factors[level][0]
    below = _finished(geometry, level + 1, rows // factor) * factor
    return max(0, below - _delay(geometry, geometry.up[level]))


def _delay(geometry: NetworkGeometry, kernels: tuple[Size, ...]) -> int:
    """Rows that convolutions wait for; same padding has put half of them in already."""
    lost = sum(kernel[0] - 1 for kernel in kernels)
    return lost if geometry.padding == "valid" else lost // 2


_UNITS = {
    **{letter: 1000**n for n, letter in enumerate(("b", "kb", "mb", "gb", "tb"))},
    **{letter: 1024**n for n, letter in enumerate(("b", "kib", "mib", "gib", "tib"))},
}


def memory_size(text: str | int) -> int:
    """Read an amount of memory, as ``2GB``, ``1.5 GiB`` or ``500MB``; a number is in bytes.

    Raises
    ------
    ShiftSegError
        If it is none: a number above 0 and a unit, in small or large letters.
    """
    if isinstance(text, Real) and 1 <= text < inf:
        return int(text)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b)\s*", str(text).lower())
    size = int(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else 0
    if size < 1:
        raise ShiftSegError(
            f"the memory is {text!r}; legal: a number above 0 and a unit, as 500MB, 2GB or 1.5GiB"
        )
    return size
