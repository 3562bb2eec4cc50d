"""What a network's shift equivariance is, measured exactly on an image (paper, Sec. 2 and 3.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.tiles.geometry import NetworkGeometry, Size


def image_size(geometry: NetworkGeometry, shifts: Size) -> Size:
    """Return the size of an image that can be shifted by 0 to ``shifts - 1`` pixels per axis."""
    inputs = _input_size(geometry, shifts)
    return tuple(n + shift - 1 for n, shift in zip(inputs, shifts, strict=True))


def relative_outputs(
    network: UNet, image: NDArray[np.float64], shifts: Size | None = None
) -> NDArray[np.float64]:
    """Evaluate the functions u of a network relative to one pixel x of an image (Lemma 1).

    The image is shifted under the network, so that x is put out by one function after the
    other: u_(x - s)(T_-s(I)) for each shift s, as in Equation 4. Relative-equal functions
    (Definition 1) put out the same.

    Parameters
    ----------
    network
        In double precision.
    image
        ``(*spatial)`` of at least :func:`image_size`; all channels of the input get it.
    shifts
        Numbers of shifts per axis, 0 to ``shifts - 1`` pixels; by default the period, so one
        for each function.

    Returns
    -------
    (E, *shifts) float64
    """
    geometry = network.architecture.geometry
    shifts = shifts or geometry.period
    size = _input_size(geometry, shifts)
    found = np.empty((network.architecture.out_channels, *shifts))
    for shift in np.ndindex(shifts):
        place = tuple(n - 1 - s for n, s in zip(shifts, shift, strict=True))
        output = outputs(network, _window(image, shift, size))
        found[(slice(None), *shift)] = output[(slice(None), *place)]
    return found


def commutes(network: UNet, image: NDArray[np.float64], shift: Size) -> bool:
    """Tell whether F(T(I)) = T(F(I)) for one image and shift T, where both are known.

    Periodic-t shift equivariance is that it does for all images and for shifts by multiples
    of t only (Definition 2).

    Parameters
    ----------
    network
        In double precision.
    image
        ``(*spatial)`` of at least :func:`image_size` for ``shift + 1`` shifts.
    shift
        In pixels per axis, 0 or more.
    """
    geometry = network.architecture.geometry
    size = _input_size(geometry, tuple(s + 1 for s in shift))
    straight = outputs(network, _window(image, (0,) * len(shift), size))
    shifted = outputs(network, _window(image, shift, size))
    common = tuple(n - s for n, s in zip(straight.shape[1:], shift, strict=True))
    moved = straight[(slice(None), *(slice(s, None) for s in shift))]
    return np.array_equal(moved, shifted[(slice(None), *map(slice, common))])


def instance_embeddings(
    network: UNet, image: NDArray[np.float64], spacing: Size, pixel: Size
) -> NDArray[np.float64]:
    """Read the embedding of one and the same pixel of every instance of a periodic image.

    Parameters
    ----------
    network
        In double precision, with valid padding.
    image
        ``(*spatial)`` of a legal input size.
    spacing
        Distance of the instances in pixels per axis.
    pixel
        Where in the first instance's cell the pixel is, counted from the image's first pixel.

    Returns
    -------
    (E, *instances) float64
        Of all instances whose pixel lies in the output.
    """
    context = network.architecture.geometry.context
    starts = ((p - c // 2) % s for p, c, s in zip(pixel, context, spacing, strict=True))
    steps = (slice(start, None, s) for start, s in zip(starts, spacing, strict=True))
    return outputs(network, image)[(slice(None), *steps)]


def count_different(embeddings: NDArray[np.float64]) -> int:
    """Count the different vectors of ``(E, *spatial)``, without tolerance."""
    return len(np.unique(embeddings.reshape(len(embeddings), -1), axis=1).T)


def outputs(network: UNet, image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Run a network in double precision: ``(*spatial)`` to ``(E, *output)``, both float64.

    All channels of the input get the image.
    """
    channels = network.architecture.in_channels
    pixels = torch.from_numpy(np.ascontiguousarray(image)).expand(1, channels, *image.shape)
    with torch.inference_mode():
        found: NDArray[np.float64] = network(pixels)[0].numpy()
    return found


def _input_size(geometry: NetworkGeometry, at_least: Size) -> Size:
    output = geometry.natural_output(at_least)
    return tuple(n + c for n, c in zip(output, geometry.context, strict=True))


def _window(image: NDArray[Any], start: Size, size: Size) -> NDArray[Any]:
    return image[tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))]
