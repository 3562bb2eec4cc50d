"""How many functions a constructed network is, and how many instances they tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.experiments.constructions import (
    diagonal_image,
    identity_network,
    periodic_image,
    prime_network,
)
from napari_shiftseg.experiments.equivariance import (
    count_different,
    image_size,
    instance_embeddings,
    outputs,
    relative_outputs,
)
from napari_shiftseg.tiles.geometry import NetworkGeometry

COUNTED = tuple(
    (ndim, factor, levels) for ndim in (1, 2, 3) for factor in (2, 3) for levels in (1, 2)
)
"""Axes d, factors f and levels l of the networks whose functions are counted."""


@dataclass(frozen=True)
class FunctionCounts:
    """What Lemma 1 and its corollaries count, for one d, f and l.

    Parameters
    ----------
    axes, factor, levels
        ``d``, ``f`` and ``l``.
    possible
        f^(dl).
    functions
        Relative-distinct functions of Lemma 1's network, seen at one shift more per axis
        than there are functions.
    ids
        Values that Corollary 5's network gives to a constant image.
    ids_nearest
        The same of Lemma 1's network, whose upsampling is fixed.
    told_apart_at_co_prime_spacing
        Embeddings of instances at spacing 2 f^l - 1 (Corollary 2).
    told_apart_at_multiple_of_period
        Embeddings of instances at spacing 2 f^l (Corollary 3).
    """

    axes: int
    factor: int
    levels: int
    possible: int
    functions: int
    ids: int
    ids_nearest: int
    told_apart_at_co_prime_spacing: int
    told_apart_at_multiple_of_period: int

    @property
    def exact(self) -> bool:
        """Whether all of them are what the paper proves."""
        reached = {self.functions, self.ids, self.told_apart_at_co_prime_spacing}
        alike = {self.ids_nearest, self.told_apart_at_multiple_of_period}
        return reached == {self.possible} and alike == {1}


def function_counts(ndim: int, factor: int, levels: int) -> FunctionCounts:
    """Build the paper's networks for one d, f and l, and count what they put out."""
    fixed = identity_network(pointwise(ndim, factor, levels, "nearest"))
    primes = prime_network(pointwise(ndim, factor, levels, "learnt"))
    geometry = fixed.architecture.geometry
    period = geometry.period
    constant = np.ones(period)
    # One shift more than there are functions: no further one may turn up.
    shifts = tuple(n + 1 for n in period)
    image = diagonal_image(image_size(geometry, shifts))
    return FunctionCounts(
        axes=ndim,
        factor=factor,
        levels=levels,
        possible=geometry.capacity,
        functions=count_different(relative_outputs(fixed, image, shifts)),
        ids=count_different(outputs(primes, constant)),
        ids_nearest=count_different(outputs(fixed, constant)),
        told_apart_at_co_prime_spacing=_told_apart(fixed, 2 * period[0] - 1),
        told_apart_at_multiple_of_period=_told_apart(fixed, 2 * period[0]),
    )


def pointwise(
    ndim: int, factor: int, levels: int, upsampling: Literal["learnt", "nearest"] = "learnt"
) -> Architecture:
    """Describe the smallest network of given d, f and l: one map, kernels of 1, no context."""
    geometry = NetworkGeometry.regular(ndim, levels, factor=factor, kernel=1, convolutions=1)
    return Architecture(geometry, maps=1, map_growth=1, upsampling=upsampling, embedding_dims=1)


def _told_apart(network: UNet, spacing: int) -> int:
    """Count the embeddings of f^l instances along each axis, as the discs of Fig. 2."""
    geometry = network.architecture.geometry
    cell = diagonal_image((spacing,) * geometry.ndim)
    size = tuple(period * (spacing + 1) for period in geometry.period)
    # All blocks of edge f^l that hold this pixel lie inside of its cell.
    pixel = tuple(period - 1 for period in geometry.period)
    image = periodic_image(cell, size)
    return count_different(instance_embeddings(network, image, cell.shape, pixel))
