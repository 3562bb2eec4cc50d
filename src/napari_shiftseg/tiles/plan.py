"""Plans: how an image is cut into tiles in each stitch mode. Integers only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from numbers import Integral, Real

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.settings import StitchMode, refuse_unknown_mode
from napari_shiftseg.tiles.geometry import Size, TilingGeometry, read_for
from napari_shiftseg.tiles.tile import Region, Tile, size_of, whole_numbers
from napari_shiftseg.wording import counted

_COMFORTABLE = {1: 1024, 2: 200, 3: 44}
"""Output window in pixels per number of axes where neither model nor user names one."""


@dataclass(frozen=True)
class Strip:
    """The tiles of one axis: consecutive spans ``(start, stop)`` in pixels.

    ``inner`` spans are kept; they meet at the seams, or overlap in blended mode.
    """

    outer: tuple[tuple[int, int], ...]
    window: tuple[tuple[int, int], ...]
    inner: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TilePlan:
    """An immutable plan that prediction executes and that the seam report explains.

    Parameters
    ----------
    mode
        Stitch mode.
    geometry
        The network's geometry.
    image_size
        Size of the image in pixels.
    tile_size
        Edge lengths of a tile's kept output (blended: of its window).
    strips
        The tiles of each axis; the plan is their product, in raster order.
    region
        The part of the image that is wanted. Its tiles lie where they lie in a plan of
        the whole image, so that its result is the same as cut from the whole.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 2.1; Corollary 4.
    """

    mode: StitchMode
    geometry: TilingGeometry
    image_size: Size
    tile_size: Size
    strips: tuple[Strip, ...]
    region: Region

    @property
    def result_size(self) -> Size:
        """Size of the region, and so of the result, in pixels."""
        return size_of(self.region)

    def place(self, tile: Tile) -> Region:
        """Return where a tile's kept output lies in the result."""
        return tuple(
            slice(inner.start - part.start, inner.stop - part.start)
            for inner, part in zip(tile.inner, self.region, strict=True)
        )

    @property
    def grid(self) -> Size:
        """Number of tiles per axis."""
        return tuple(len(strip.inner) for strip in self.strips)

    def __len__(self) -> int:
        return prod(self.grid)

    def __iter__(self) -> Iterator[Tile]:
        return (self.tile(index) for index in range(len(self)))

    def tile(self, index: int) -> Tile:
        """Return tile ``index`` of ``0 .. len(plan) - 1``."""
        if not 0 <= index < len(self):
            raise ShiftSegError(f"there is no tile {index}; legal: 0 to {len(self) - 1}")
        place, rest = [], index
        for count in reversed(self.grid):
            rest, at = divmod(rest, count)
            place.append(at)
        place.reverse()

        def region(kind: str) -> Region:
            spans = (getattr(s, kind)[at] for s, at in zip(self.strips, place, strict=True))
            return tuple(slice(*span) for span in spans)

        return Tile(index, region("outer"), region("window"), region("inner"))

    @cached_property
    def seams(self) -> tuple[tuple[int, ...], ...]:
        """Per axis the positions ``s`` where pixels ``s - 1`` and ``s`` come from two tiles.

        They are counted in pixels of the result, that is from the region's first pixel. In
        blended mode these are the borders of the windows inside of the region: the places
        where the set of averaged tiles changes.
        """
        return tuple(
            tuple(sorted({e - r.start for span in s.inner for e in span if r.start < e < r.stop}))
            for s, r in zip(self.strips, self.region, strict=True)
        )

    @property
    def misaligned(self) -> tuple[tuple[int, ...], ...]:
        """Per axis the seams at which the period's phase is broken (Sec. 3.2)."""
        return tuple(
            tuple(s for s in seams if self.phase_jump(axis, s) != 0)
            for axis, seams in enumerate(self.seams)
        )

    def phase_jump(self, axis: int, seam: int) -> int:
        """Phase at which the tile behind a seam meets the period of the one before it.

        0 means that the period's grid goes on unbroken, as in whole-image inference.
        """
        return self._phase_jumps[axis].get(seam, 0)

    @cached_property
    def _phase_jumps(self) -> tuple[dict[int, int], ...]:
        """Per axis the seams with a broken phase, and by how much."""
        return tuple(
            _phase_jumps(strip, period, part.start)
            for strip, period, part in zip(
                self.strips, self.geometry.period, self.region, strict=True
            )
        )

    def cause(self, axis: int, seam: int) -> str | None:
        """Why a seam can cut objects: ``"phase"``, ``"context"``, or None if it cannot."""
        if self.phase_jump(axis, seam):
            return "phase"
        if self.geometry.padding == "same" and self.mode in ("naive", "blended"):
            return "context"
        return None

    def sentence(self) -> str:
        """Say in numbers what this plan will do to objects."""
        count = sum(len(seams) for seams in self.seams)
        harmful = sum(self.cause(a, s) is not None for a, ss in enumerate(self.seams) for s in ss)
        size, period = by(self.tile_size), by(self.geometry.period)
        if self.mode == "whole":
            return "One pass over the whole image: no seams."
        if count == 0:
            return f"The image fits into one tile of {size} px: no seams."
        if harmful == 0:
            safe = "its seam cannot" if count == 1 else f"none of the {count} seams can"
            pairs = zip(self.tile_size, self.geometry.period, strict=True)
            multiples = not any(tile % step for tile, step in pairs)
            why = "are multiples of" if multiples else "happen to lie in phase with"
            return f"Tiles of {size} px {why} the {period} px period: {safe} split an object."
        if self.geometry.padding == "same":
            return (
                f"Tiles of {size} px see zeros beyond their border: "
                f"{harmful} of {counted(count, 'seam')} can split objects."
            )
        phases = sorted(
            {self.phase_jump(a, s) for a, ss in enumerate(self.seams) for s in ss} - {0}
        )
        what = "blur" if self.mode == "blended" else "split"
        return (
            f"Tiles of {size} px meet the {period} px period at phase "
            f"{', '.join(map(str, phases))}: {harmful} of {counted(count, 'seam')} can {what} "
            "objects."
        )


def make_plan(
    geometry: TilingGeometry,
    image_size: Size,
    mode: StitchMode = "corrected",
    *,
    tile: int | Size | None = None,
    overlap: float = 0.5,
    region: Region | None = None,
) -> TilePlan:
    """Resolve geometry, image size and settings into a plan.

    Parameters
    ----------
    geometry
        The network's geometry.
    image_size
        Size of the image in pixels per axis.
    mode
        ``"naive"``: windows of ``tile`` px at stride ``tile``, not cropped to the period.
        ``"corrected"``: tiles of n*P (Corollary 4). ``"whole"``: one pass.
        ``"blended"``: overlapping windows with Gaussian weights, the last one moved back
        into the image.
    tile
        Output tile size in pixels, one number or one per axis. By default a natural
        output size (naive, blended), or the largest multiple of P in it (corrected).
    overlap
        Blended mode: fraction of a window that its neighbour repeats, 0 <= overlap < 1.
    region
        The part of the image that is wanted, one slice per axis in pixels; all by default.
        Only the tiles that it needs are planned, at their places in the whole image.

    Returns
    -------
    TilePlan
        Tiles in raster order, and what their seams may do.

    Raises
    ------
    ShiftSegError
        If the mode is unknown, sizes are not positive, in corrected mode the tile size is
        not a multiple of the period, or the region does not lie inside of the image.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 2.1; Corollary 4.
    """
    refuse_unknown_mode(mode)
    image_size = tuple(image_size) if isinstance(image_size, Iterable) else (image_size,)
    if len(image_size) != geometry.ndim or not all(isinstance(n, Integral) for n in image_size):
        raise ShiftSegError(
            f"the image has the size {by(image_size)} px; the network needs {geometry.ndim} "
            "axes of whole pixels"
        )
    if min(image_size) < 1:
        raise ShiftSegError(f"the image has the size {by(image_size)} px; legal: at least 1 px")
    if not isinstance(overlap, Real) or not 0 <= overlap < 1:
        raise ShiftSegError(f"overlap is {overlap!r}; legal: 0 <= overlap < 1")
    sizes = _tile_sizes(geometry, image_size, mode, tile)
    wanted = checked_region(region, image_size)
    strips = tuple(
        _clipped(_strip(geometry, axis, image_size[axis], mode, size, overlap, part), part)
        for axis, (size, part) in enumerate(zip(sizes, wanted, strict=True))
    )
    return TilePlan(mode, geometry, tuple(image_size), sizes, strips, wanted)


def corrected_tile(geometry: TilingGeometry, at_most: Size) -> Size:
    """Return the largest tile of n*P, n >= 1, that is at most ``at_most`` per axis."""
    return tuple(max(1, n // p) * p for n, p in zip(at_most, geometry.period, strict=True))


def by(size: Size) -> str:
    """Write a size for people: one number if it is the same on every axis."""
    return str(size[0]) if len(set(size)) == 1 else " x ".join(map(str, size))


def _tile_sizes(
    geometry: TilingGeometry, image_size: Size, mode: StitchMode, tile: int | Size | None
) -> Size:
    if mode == "whole":
        return tuple(image_size)
    if tile is None:
        natural = geometry.natural_output((_COMFORTABLE[geometry.ndim],) * geometry.ndim)
        return corrected_tile(geometry, natural) if mode == "corrected" else natural
    sizes = whole_numbers(tile, geometry.ndim, "the tile size")
    if mode != "corrected" and min(sizes) < 1:
        raise ShiftSegError(f"the tile size is {by(sizes)} px; legal: at least 1 px")
    if mode == "corrected":
        for size, period in zip(sizes, geometry.period, strict=True):
            if size < 1 or size % period:
                below, above = size // period * period, (size // period + 1) * period
                near = f"{below} or {above}" if below > 0 else f"{max(above, period)}"
                raise ShiftSegError(
                    f"the tile size is {size} px; corrected stitching needs a multiple of the "
                    f"period, {period} px; nearest: {near}"
                )
    return sizes


def checked_region(region: Region | None, image_size: Size) -> Region:
    """Return a region, or all of the image; raises ShiftSegError if it is not inside of it."""
    if region is None:
        return tuple(slice(0, size) for size in image_size)
    if not isinstance(region, tuple | list) or not all(isinstance(p, slice) for p in region):
        raise ShiftSegError(f"the region is {region}; legal: a tuple of a slice per axis")
    if len(region) != len(image_size):
        raise ShiftSegError(
            f"the region has {len(region)} axes; legal: {len(image_size)}, as the image of "
            f"{by(image_size)} px"
        )
    if any(part.step not in (None, 1) for part in region):
        raise ShiftSegError(f"the region {region} leaves out pixels; legal: slices of step 1")
    spans = [
        whole_numbers(
            (part.start or 0, size if part.stop is None else part.stop), 2, "a side of the region"
        )
        for part, size in zip(region, image_size, strict=True)
    ]
    if not all(
        0 <= start < stop <= size for (start, stop), size in zip(spans, image_size, strict=True)
    ):
        said = ", ".join(f"{start} to {stop}" for start, stop in spans)
        raise ShiftSegError(
            f"the region is {said} px; it must lie inside of the image of {by(image_size)} px, and "
            "begin before it ends"
        )
    return tuple(slice(start, stop) for start, stop in spans)


def _strip(
    geometry: TilingGeometry,
    axis: int,
    size: int,
    mode: StitchMode,
    tile: int,
    overlap: float,
    part: slice,
) -> Strip:
    if mode == "whole" and part != slice(0, size):
        # One pass over the region alone, at the phase that it has in the whole image.
        starts, tile, mode = [part.start], part.stop - part.start, "corrected"
    else:
        # Only those that the region needs: of a huge image there are too many to list.
        starts = list(range(part.start // tile * tile, part.stop, tile))
    if mode == "corrected":
        kept = [(max(s, part.start), min(s + tile, part.stop)) for s in starts]
        return _corrected_strip(geometry, axis, size, [k for k in kept if k[0] < k[1]])
    context = geometry.context[axis]
    # Beyond the image there is nothing to compute, but a padded network sees where its input ends.
    needed = min(tile, size) if geometry.padding == "valid" else tile
    window = geometry.next_output_size(axis, needed)
    kept_size = tile
    if mode == "blended":
        starts, kept_size = _overlapping_starts(size, window, overlap), window
    return Strip(
        outer=tuple(read_for(s, s + window, context) for s in starts),
        window=tuple((s, s + window) for s in starts),
        inner=tuple((s, min(s + kept_size, size)) for s in starts),
    )


def _overlapping_starts(size: int, window: int, overlap: float) -> list[int]:
    if size <= window:
        return [0]
    stride = max(1, round(window * (1 - overlap)))
    return [*range(0, size - window, stride), size - window]


def _corrected_strip(
    geometry: TilingGeometry, axis: int, size: int, kept: list[tuple[int, int]]
) -> Strip:
    """Compute no more than is kept: each window starts in phase and is as small as it may be.

    By Corollary 4 the size of a window changes nothing, so what the border of the image or
    of a region cuts off need not be computed.
    """
    period = geometry.period[axis]
    starts = [start // period * period for start, _ in kept]
    if geometry.padding == "same":
        return _same_padded_strip(geometry, axis, size, kept, starts)
    windows = [
        (start, start + geometry.next_output_size(axis, stop - start))
        for start, (_, stop) in zip(starts, kept, strict=True)
    ]
    return Strip(
        outer=tuple(read_for(*window, geometry.context[axis]) for window in windows),
        window=tuple(windows),
        inner=tuple(kept),
    )


def _same_padded_strip(
    geometry: TilingGeometry,
    axis: int,
    size: int,
    kept: list[tuple[int, int]],
    starts: list[int],
) -> Strip:
    """Tiles with a halo of at least the receptive field, cut off after the network.

    At the true border the halo ends, so the network's own padding stays where
    whole-image inference has it.
    """
    period, halo = geometry.period[axis], geometry.halo[axis]
    padded = geometry.next_input_size(axis, size)
    needed = (
        (max(0, start - halo), min(padded, -(-stop // period) * period + halo))
        for start, (_, stop) in zip(starts, kept, strict=True)
    )
    read = tuple(geometry.enlarged(axis, padded, *span) for span in needed)
    return Strip(outer=read, window=read, inner=tuple(kept))


def _clipped(strip: Strip, part: slice) -> Strip:
    """Leave out what the region does not need."""
    needed = [
        i for i, (start, stop) in enumerate(strip.inner) if start < part.stop and stop > part.start
    ]
    return Strip(
        outer=tuple(strip.outer[i] for i in needed),
        window=tuple(strip.window[i] for i in needed),
        inner=tuple(
            (max(strip.inner[i][0], part.start), min(strip.inner[i][1], part.stop)) for i in needed
        ),
    )


def _phase_jumps(strip: Strip, period: int, origin: int) -> dict[int, int]:
    """Seams of a strip, counted from the origin, with a broken phase, and by how much."""
    jumps: dict[int, int] = {}
    for (before, after), edges in zip(pairwise(strip.window), pairwise(strip.inner), strict=True):
        jump = (after[0] - before[0]) % period
        if jump:
            for seam in (edges[0][1], edges[1][0]):
                jumps.setdefault(seam - origin, jump)
    return jumps
