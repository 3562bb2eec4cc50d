"""``shiftseg certify``: tiled against whole-image inference."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from napari_shiftseg.certificate import certify as make_certificate
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    UNEQUAL,
    ChannelName,
    Compiled,
    Device,
    ModelName,
    Numbers,
    Reporting,
    Strict,
)
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.settings import DEFAULT_MODEL


@app.command
def certify(
    image: Path | None = None,
    *,
    model: ModelName = DEFAULT_MODEL,
    stitch: Literal["corrected", "naive", "blended"] = "corrected",
    tile: int | None = None,
    channel: ChannelName = None,
    device: Device = None,
    precision: Numbers = "float32",
    compiled: Compiled = False,
    strict: Strict = False,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Measure the largest difference between tiled and whole-image inference.

    Whole-image inference is in float32, so that the difference includes the rounding of tiles
    in another precision.

    Parameters
    ----------
    image
        TIFF, PNG, .npy or OME-Zarr to measure on; by default seeded noise that spans several tiles.
    stitch
        Stitch mode to certify.
    tile
        Output tile size in pixels.
    """
    ending.refuse_existing(reads=[model, image])
    if channel is not None and image is None:
        raise ShiftSegError("--channel is one of an image, and no image is named")
    loaded, pixels = load_model(model, compiled=compiled), None
    if image is not None:
        reads = loaded.reads
        named = NamedImage.read(image, channel=channel, in_channels=reads.channels)
        pixels = named.squeezed(reads.axes).pixels
    result = make_certificate(
        loaded, pixels, stitch=stitch, tile=tile, device=device, precision=precision
    )
    ending.report(result.to_dict(), str(result))
    if strict and not result.equal:
        raise SystemExit(UNEQUAL)
