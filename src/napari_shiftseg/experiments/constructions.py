"""The networks and images that the paper's proofs construct: explicit weights, no training.

Weights and images are integers in double precision: every output is exact, so that outputs
are compared by ``==``.
"""

from __future__ import annotations

from itertools import count, islice
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import Size


@torch.no_grad()
def identity_network(architecture: Architecture) -> UNet:
    """Build the network of Lemma 1: the maximum of each max-pooling block of edge f^l.

    All convolutions are identities and skip connections are ignored; a learnt upsampling has
    kernels of ones, which is what a nearest one does. Proof of Lemma 1, part I.

    Parameters
    ----------
    architecture
        Any one. Only channel 0 is used; other channels, of the output too, are 0.

    Returns
    -------
    UNet
        Float64, in evaluation mode. Images must not be negative: ReLUs would cut them off.
    """
    network = UNet(architecture).double().eval().requires_grad_(False)
    for weights in network.parameters():
        weights.zero_()
    for block in (*network.down, network.head):
        _pass_on(block)
    for level, block in enumerate(network.up):
        # Skipped channels come first.
        _pass_on(block, channel=architecture.maps * architecture.map_growth**level)
    for upsampling in _learnt(network):
        upsampling.weight[0, 0] = 1
    return network


@torch.no_grad()
def prime_network(architecture: Architecture) -> UNet:
    """Build the network of Corollary 5: a product of prime numbers for each pixel of a block.

    The first convolution forgets the image. The kernels of the upsamplings hold prime numbers,
    none of them twice, so that each of the f^(dl) functions puts out a product of ``l`` primes
    that no other has. Proof of Corollary 5.

    Parameters
    ----------
    architecture
        Its upsampling must be learnt. Only channel 0 is used.

    Returns
    -------
    UNet
        Float64, in evaluation mode; channel 0 of its output is the ID of a pixel.

    Raises
    ------
    ShiftSegError
        If the upsampling has no weights.
    """
    if architecture.upsampling != "learnt":
        raise ShiftSegError(
            f"upsampling is {architecture.upsampling!r}; Corollary 5 needs 'learnt', whose "
            "kernels hold the prime numbers"
        )
    network = identity_network(architecture)
    first: Any = network.down[0]
    first[0].weight.zero_()
    first[0].bias[0] = 1
    numbers = _primes()
    for upsampling, factor in zip(_learnt(network), architecture.geometry.factors, strict=True):
        kernel = list(islice(numbers, prod(factor)))
        upsampling.weight[0, 0] = torch.tensor(kernel).reshape(factor)
    return network


def diagonal_image(size: Size) -> NDArray[np.float64]:
    """Draw pixels that rise along diagonals: every block has its maximum at its far corner.

    Pixels are ordered by the sum of their coordinates first, then by their first coordinate,
    their second, and so on: Equation 3.

    Parameters
    ----------
    size
        In pixels per axis.

    Returns
    -------
    (*size) float64
        0, 1, 2, ... in that order.
    """
    coordinates = np.indices(size).reshape(len(size), -1)
    order = np.lexsort((*coordinates[::-1], coordinates.sum(0)))
    image = np.empty(order.size)
    image[order] = np.arange(order.size)
    return image.reshape(size)


def periodic_image(cell: NDArray[Any], size: Size) -> NDArray[np.float64]:
    """Repeat one object with what surrounds it: same-looking instances in the sense of Sec. 3.1.

    Parameters
    ----------
    cell
        ``(*spatial)``; its edges are the spacing of the instances.
    size
        Of the image in pixels per axis.

    Returns
    -------
    (*size) float64
        Its first pixel is the cell's first.
    """
    places = np.ix_(*(np.arange(n) % c for n, c in zip(size, cell.shape, strict=True)))
    image: NDArray[np.float64] = cell[places].astype(np.float64)
    return image


def _pass_on(block: Any, channel: int = 0) -> None:
    """Make convolutions identities from ``channel`` of the first one's input to channel 0."""
    for layer in block:
        if hasattr(layer, "weight"):
            centre = tuple(k // 2 for k in layer.kernel_size)
            layer.weight[(0, channel, *centre)] = 1
            channel = 0


def _learnt(network: UNet) -> list[Any]:
    """Transposed convolutions from the finest level down; none if upsampling is fixed."""
    if network.architecture.upsampling == "nearest":
        return []
    layers: list[Any] = list(network.upsample)
    return [layer[0] for layer in layers]


def _primes() -> Any:
    return (n for n in count(2) if all(n % k for k in range(2, int(n**0.5) + 1)))
