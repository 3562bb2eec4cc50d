"""The paper's synthetic images: a periodic grid of identical discs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOISE = 0.01
"""Variance of the Gaussian noise that is added to the discs, whose height is 1."""

DISC_IMAGE = 284
"""Edge length in pixels of the image, unless a training window needs more."""


def disc_image(
    size: int = DISC_IMAGE, spacing: int = 13, *, radius: int = 5, start: int = 5
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Draw discs on a square grid (paper, Figs. 2 and 4).

    Parameters
    ----------
    size
        Edge length of the image in pixels.
    spacing
        Distance between neighbouring centres in pixels.
    radius
        A pixel belongs to a disc if its distance to the centre is strictly less.
    start
        Row and column of the first centre.

    Returns
    -------
    image : (size, size) uint8
        1 inside of the discs, else 0.
    labels : (size, size) int32
        Discs numbered in raster order from 1.
    """
    centres = np.arange(start, size + radius, spacing)
    offsets = np.abs(np.arange(size)[:, None] - centres)
    nearest, distance = offsets.argmin(1), offsets.min(1)
    inside = distance[:, None] ** 2 + distance**2 < radius**2
    numbers = 1 + nearest[:, None] * len(centres) + nearest
    return inside.astype(np.uint8), np.where(inside, numbers, 0).astype(np.int32)


def with_noise(
    image: NDArray[np.uint8], *, variance: float = NOISE, seed: int = 0
) -> NDArray[np.float32]:
    """Add Gaussian noise, the same at every call.

    Parameters
    ----------
    image
        As :func:`disc_image` draws it.
    variance
        Of the noise.
    seed
        Of the random numbers.

    Returns
    -------
    (size, size) float32
    """
    noise = np.random.default_rng(seed).normal(0, variance**0.5, image.shape)
    return (image + noise).astype(np.float32)
