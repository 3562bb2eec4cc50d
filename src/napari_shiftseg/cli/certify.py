"""``shiftseg certify``: tiled against whole-image inference."""

from __future__ import annotations

from pathlib import Path

from napari_shiftseg.certificate import certify as make_certificate
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import TEXT_ONLY, Device, ModelName, Reporting
from napari_shiftseg.cli.images import NamedImage
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.plan import by


@app.command
def certify(
    *,
    model: ModelName = "nuclei-2d",
    image: Path | None = None,
    stitch: StitchMode = "corrected",
    tile: int | None = None,
    device: Device = None,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Measure the largest difference between tiled and whole-image inference.

    Parameters
    ----------
    image
        TIFF or OME-Zarr to measure on; by default seeded noise that spans several tiles.
    stitch
        Stitch mode to certify.
    tile
        Output tile size in pixels.
    """
    ending.refuse_existing(reads=[model])
    loaded, pixels = load_model(model), None
    if image is not None:
        pixels = NamedImage.read(image).squeezed(loaded.description.axes).pixels
    result = make_certificate(loaded, pixels, stitch=stitch, tile=tile, device=device)
    verdict = "equal to" if result.equal else "NOT equal to"
    text = (
        f"{result.model}, {stitch} stitching with {result.tiles} tiles of {by(result.tile)} px on "
        f"{by(result.image_size)} px: {verdict} whole-image inference "
        f"(largest difference {result.max_abs_difference:.2g}, "
        f"relative {result.relative_difference:.2g})"
    )
    ending.report(result.to_dict(), text)
