"""``shiftseg certify``: tiled against whole-image inference."""

from __future__ import annotations

from pathlib import Path

from napari_shiftseg.certificate import certify as make_certificate
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import JsonFile, ModelName, refuse_json, report
from napari_shiftseg.image.tiff import read_tiff
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.plan import by


@app.command
def certify(
    *,
    model: ModelName = "nuclei-2d",
    image: Path | None = None,
    stitch: StitchMode = "corrected",
    tile: int | None = None,
    device: str | None = None,
    json: JsonFile = None,
    overwrite: bool = False,
) -> None:
    """Measure the largest difference between tiled and whole-image inference.

    Parameters
    ----------
    model
        Name of a bundled model or a model file.
    image
        TIFF to measure on; by default seeded noise that spans several tiles.
    stitch
        Stitch mode to certify.
    tile
        Output tile size in pixels.
    device
        cpu, cuda or mps; by default the fastest one here.
    json
        Write the certificate to this file, or to stdout with -.
    overwrite
        Replace an existing file.
    """
    refuse_json(json, overwrite=overwrite)
    pixels = None if image is None else read_tiff(image)
    result = make_certificate(model, pixels, stitch=stitch, tile=tile, device=device)
    verdict = "equal to" if result.equal else "NOT equal to"
    text = (
        f"{result.model}, {stitch} stitching with {result.tiles} tiles of {by(result.tile)} px on "
        f"{by(result.image_size)} px: {verdict} whole-image inference "
        f"(largest difference {result.max_abs_difference:.2g}, "
        f"relative {result.relative_difference:.2g})"
    )
    report(result.to_dict(), text, json)
