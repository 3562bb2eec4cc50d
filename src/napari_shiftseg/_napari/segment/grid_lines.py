"""The stitching grid as line segments: numbers only, no layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.tiles.plan import TilePlan


@dataclass(frozen=True)
class Edges:
    """Lines across one axis, between the pixels ``position - 1`` and ``position``.

    Parameters
    ----------
    positions
        Ascending, in pixels.
    harmful
        Which of them can cut objects.
    """

    positions: NDArray[np.int64]
    harmful: NDArray[np.bool_]


@dataclass(frozen=True)
class Lines:
    """Segments for a napari Vectors layer.

    Parameters
    ----------
    vectors
        ``(n, 2, d)``: start and extent in pixels.
    harmful
        ``(n,)``: whether the segment lies on a seam that can cut objects.
    """

    vectors: NDArray[np.float32]
    harmful: NDArray[np.bool_]

    def stretched(self, factors: NDArray[np.float64]) -> Lines:
        """Return the lines in pixels that are smaller by a factor per axis."""
        if np.all(factors == 1):
            return self
        return Lines((self.vectors * factors).astype(np.float32), self.harmful)


def tile_edges(plan: TilePlan) -> list[Edges]:
    """Return the borders of the tiles per axis, those of the image included."""
    return [_tile_edges(plan, axis) for axis in range(len(plan.image_size))]


def _tile_edges(plan: TilePlan, axis: int) -> Edges:
    seams = plan.seams[axis]
    harmful = [plan.cause(axis, seam) is not None for seam in seams]
    positions = np.array([0, *seams, plan.image_size[axis]])
    return Edges(positions, np.array([False, *harmful, False]))


def period_edges(plan: TilePlan) -> list[Edges]:
    """Return the lines of the period inside of the tiles, per axis.

    They start anew with every tile, so that a broken phase shows as a narrower cell.
    """
    return [_period_edges(plan, axis) for axis in range(len(plan.image_size))]


def _period_edges(plan: TilePlan, axis: int) -> Edges:
    strip, period = plan.strips[axis], plan.geometry.period[axis]
    starts = [start for start, _ in strip.inner]
    ends = [*starts[1:], plan.image_size[axis]]
    lines = [
        np.arange(start + (window[0] - start) % period, end, period)
        for start, end, window in zip(starts, ends, strip.window, strict=True)
    ]
    positions = np.setdiff1d(np.concatenate(lines), starts)
    return Edges(positions, np.zeros(len(positions), bool))


def segments(
    edges: list[Edges],
    size: tuple[int, ...],
    displayed: tuple[int, ...],
    at: tuple[float, ...],
) -> Lines:
    """Turn edges into segments that span the image.

    Parameters
    ----------
    edges
        Per axis.
    size
        Image size in pixels.
    displayed
        The two or three axes on screen.
    at
        Where the slice lies on the other axes, in pixels.
    """
    parts = [_along(direction, edges, size, displayed, at) for direction in displayed]
    return Lines(
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.harmful for part in parts]),
    )


def _along(
    direction: int,
    edges: list[Edges],
    size: tuple[int, ...],
    displayed: tuple[int, ...],
    at: tuple[float, ...],
) -> Lines:
    across = [axis for axis in displayed if axis != direction]
    places = np.meshgrid(*(edges[axis].positions for axis in across), indexing="ij")
    flags = np.meshgrid(*(edges[axis].harmful for axis in across), indexing="ij")
    vectors = np.zeros((places[0].size, 2, len(size)), np.float32)
    vectors[:, 0] = np.asarray(at)
    # Pixel centres are at integers, so the line before pixel p lies at p - 1/2.
    vectors[:, 0, direction] = -0.5
    vectors[:, 1, direction] = size[direction]
    for axis, place in zip(across, places, strict=True):
        vectors[:, 0, axis] = place.ravel() - 0.5
    return Lines(vectors, np.logical_or.reduce(flags).ravel())
