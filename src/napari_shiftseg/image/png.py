"""PNG in, as other programs save images and labels; nothing is written as PNG."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.lazy import MOST_AT_ONCE
from napari_shiftseg.image.opened import COLOURS, OpenedImage
from napari_shiftseg.image.readable import readable, undamaged

_KIND = "a PNG file"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIZE = slice(16, 24)
"""Where a PNG says its width and height."""

_COLOUR_TYPE, _PALETTE = 25, 3
"""Where a PNG says its kind of pixels, and that they are numbers of a palette."""

_SAMPLE_BYTES = 8
"""Of a pixel at most: four samples of 16 bits."""


def open_png(path: str | Path, *, labels: bool = False) -> tuple[OpenedImage]:
    """Open a PNG of 8 or 16 bits, grey or in colours.

    Colours that are all the same are one grey image, as screenshots and many data sets save
    it, which is said by ``alike``. Transparency is left out.

    Parameters
    ----------
    path
        The file.
    labels
        Labels are wanted: those of a palette, and not their colours.

    Returns
    -------
    tuple of OpenedImage
        One, with the axes ``yx`` or ``yxs``.

    Raises
    ------
    ShiftSegError
        If the file is missing, is no PNG, claims more pixels than are read at once, or is
        damaged.
    """
    path = Path(path)
    with readable(path, _KIND):
        if path.is_dir():
            raise ShiftSegError(f"{path} is a folder, not {_KIND}")
        content = path.read_bytes()
        decoded = decode_labels(content, path) if labels else decode_png(content, path)
    pixels = greyed(decoded)
    axes = "yx" if pixels.ndim == 2 else "yxs"
    alike = pixels.ndim < decoded.ndim
    return (OpenedImage(path.stem, (pixels,), Calibration.of(axes), alike=alike),)


def decode_png(content: bytes, name: object) -> NDArray[Any]:
    """Return the pixels of a PNG, ``(Y, X)`` or ``(Y, X, 3)``, without its transparency.

    Raises as :func:`open_png`.

    Parameters
    ----------
    content
        Of the file.
    name
        For messages.
    """
    with undamaged(name, _KIND):
        if not content.startswith(_SIGNATURE):
            raise ValueError("it does not begin like one")
        width, height = struct.unpack(">II", content[_SIZE])
        if (claimed := width * height * _SAMPLE_BYTES) > MOST_AT_ONCE:
            raise ShiftSegError(
                f"{name} claims {height} x {width} px, which may be {claimed / 1e9:.1f} GB; "
                f"legal: up to {MOST_AT_ONCE / 1e9:.1f}"
            )
        pixels = imagecodecs.png_decode(content)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = pixels[..., :-1]
    return np.ascontiguousarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels)


def decode_labels(content: bytes, name: object) -> NDArray[Any]:
    """Return the labels of a PNG: of one with a palette, its numbers and not their colours.

    Parameters
    ----------
    content, name
        As for :func:`decode_png`, which raises the same.
    """
    pixels = decode_png(content, name)
    if content[_COLOUR_TYPE] != _PALETTE:
        return greyed(pixels)
    # Not by Image.open, which takes large images for attacks: decode_png knows what is too large.
    with undamaged(name, _KIND), PngImageFile(io.BytesIO(content)) as image:
        return np.asarray(image)


def greyed(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return one of three colours, ``(Y, X, 3)``, if they are all alike."""
    in_colours = pixels.ndim == 3 and pixels.shape[2] == COLOURS
    alike = in_colours and bool((pixels == pixels[..., :1]).all())
    return np.ascontiguousarray(pixels[..., 0]) if alike else pixels
