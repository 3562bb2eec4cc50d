"""Arrays as networks want them: channels first, finite, of the right number of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError


def channels_first(image: Any, *, ndim: int, in_channels: int) -> NDArray[Any]:
    """Bring an image to the shape ``(C, *spatial)``.

    Parameters
    ----------
    image
        ``(*spatial)`` for one channel, ``(C, *spatial)`` or ``(*spatial, C)``.
    ndim
        Spatial axes that the network needs.
    in_channels
        Channels that the network needs.

    Raises
    ------
    ShiftSegError
        If axes or channels do not fit, the image is empty, or a pixel is not finite.
    """
    pixels: NDArray[Any] = np.asarray(image)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    if pixels.dtype.kind not in "uif":
        raise ShiftSegError(f"pixels are of type {pixels.dtype}; legal: integers and floats")
    if pixels.size == 0:
        raise ShiftSegError(f"the image is empty: its shape is {pixels.shape}")
    if pixels.ndim == ndim and in_channels == 1:
        pixels = pixels[None]
    elif pixels.ndim == ndim + 1 and pixels.shape[0] == in_channels:
        pass
    elif pixels.ndim == ndim + 1 and pixels.shape[-1] == in_channels:
        pixels = np.moveaxis(pixels, -1, 0)
    else:
        raise ShiftSegError(_misfit(pixels.shape, ndim, in_channels))
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        bad = int(pixels.size - np.isfinite(pixels).sum())
        raise ShiftSegError(f"{bad} pixels are not finite (NaN or infinite); replace them first")
    return pixels


def _misfit(shape: tuple[int, ...], ndim: int, in_channels: int) -> str:
    given = f"the image has the shape {shape}"
    need = f"the model needs {ndim} spatial axes and {in_channels} channel(s)"
    if len(shape) == ndim + 1 and shape[-1] in (3, 4) and in_channels == 1:
        return f"{given}, which looks like colour (RGB); {need}: choose one channel"
    return f"{given}; {need}"
