"""The certificate that tile-and-stitch equals whole-image inference (Corollary 4)."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.embeddings.device import choose_device
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.predict import Stitcher, predict_tiles
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Frame
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.settings import Precision, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, by, corrected_tile
from napari_shiftseg.wording import counted

TOLERANCE = 1e-5
"""Relative difference that float32 rounding explains."""


@dataclass(frozen=True)
class Certificate:
    """Tiled against whole.

    Parameters
    ----------
    model, model_sha256
        Which model.
    stitch, tile, tiles, image_size
        Which plan.
    precision
        The number type that the tiles were computed in; the whole image is in float32.
    compiled
        Whether the tiles were computed by what torch.compile makes of the network; the whole
        image never is.
    max_abs_difference
        Largest difference of the network's raw output, to which no coordinates are added.
    relative_difference
        That, over the largest magnitude of the whole-image output.
    equal
        Whether the relative difference is at most 1e-5.

    References
    ----------
    Rumberger et al., ICCV 2021, Corollary 4.
    """

    model: str
    model_sha256: str
    stitch: str
    tile: Size
    tiles: int
    image_size: Size
    precision: Precision
    compiled: bool
    max_abs_difference: float
    relative_difference: float
    equal: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate as plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        how = "" if self.precision == "float32" else f" in {self.precision}"
        how += ", compiled" if self.compiled else ""
        return (
            f"{self.model}{how}, {self.stitch} stitching with {counted(self.tiles, 'tile')} "
            f"of {by(self.tile)} px on {by(self.image_size)} px: "
            f"{'equal' if self.equal else 'NOT equal'} to whole-image inference "
            f"(largest difference {self.max_abs_difference:.2g}, "
            f"relative {self.relative_difference:.2g})"
        )


def certify(
    model: str | Model,
    image: Any | None = None,
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    device: str | None = None,
    precision: Precision = "float32",
) -> Certificate:
    """Compare tiled with whole-image inference.

    Parameters
    ----------
    model
        Name, path or loaded model. Of a compiled one the tiles are, and not the whole image.
    image
        An image; by default seeded noise that spans three tiles and a bit on each axis
        in 2-D, two in 3-D.
    stitch, tile
        The plan to certify; corrected stitching by default. Where no tile size is given and one
        tile would be all, tiles are half of the image.
    device
        ``"cpu"``, ``"cuda"`` or ``"mps"``; by default the fastest one here.
    precision
        Of the tiles. They are compared with whole-image inference in float32, so that the
        difference in ``"bfloat16"`` is what its rounding does to this image.

    Returns
    -------
    Certificate
        Prints as a sentence. Equal is what Corollary 4 promises of corrected stitching.

    Raises
    ------
    ShiftSegError
        If model, image and tile size do not fit, there is but one tile, or the model's weights
        are rounded already.

    References
    ----------
    Rumberger et al., ICCV 2021, Corollary 4.
    """
    model = load_model(model)
    exact = model.in_precision("float32")
    if stitch == "whole":
        raise ShiftSegError(
            "whole is what tiles are compared with; legal: corrected, naive, blended"
        )
    if image is None:
        image = _noise(model, plan_for(model, (1,) * model.geometry.ndim, stitch, tile))
    frames = model.frames(image)
    if frames.loops:
        raise ShiftSegError(
            f"the image is a stack of {len(frames)} frames; legal: one of them, as its own image"
        )
    plan = _in_tiles(model, frames.spatial, stitch, tile)
    rounded = model.in_precision(precision)
    tiled = _raw(rounded, frames.frame(), plan, device, compiled=model.compiled)
    whole = _raw(exact, frames.frame(), plan_for(model, frames.spatial, "whole"), device)
    difference = float(np.abs(tiled - whole).max())
    relative = difference / max(float(np.abs(whole).max()), float(np.finfo(np.float32).tiny))
    return Certificate(
        model=model.description.name,
        model_sha256=model.sha256,
        stitch=stitch,
        tile=plan.tile_size,
        tiles=len(plan),
        image_size=plan.image_size,
        precision=precision,
        compiled=model.compiled,
        max_abs_difference=difference,
        relative_difference=relative,
        equal=relative <= TOLERANCE,
    )


def _in_tiles(
    model: Model, image_size: Size, stitch: StitchMode, tile: int | Size | None
) -> TilePlan:
    """Plan two tiles or more: of one alone nothing would be compared."""
    plan = plan_for(model, image_size, stitch, tile)
    if len(plan) == 1 and tile is None:
        half = tuple(-(-n // 2) for n in image_size)
        if stitch == "corrected":
            half = corrected_tile(model.geometry, half)
        plan = plan_for(model, image_size, stitch, half)
    if len(plan) == 1:
        raise ShiftSegError(
            f"one tile of {by(plan.tile_size)} px is all of the image of {by(image_size)} px, and "
            "nothing would be compared; legal: smaller tiles, or a larger image"
        )
    return plan


def _noise(model: Model, plan: TilePlan) -> NDArray[np.float32]:
    spans = 3 if model.geometry.ndim == 2 else 2
    size = tuple(spans * tile + 5 for tile in plan.tile_size)
    channels = model.description.architecture.in_channels
    return np.random.default_rng(0).random((channels, *size), np.float32)


def _raw(
    model: Model, pixels: Frame, plan: TilePlan, device: str | None, *, compiled: bool = False
) -> NDArray[np.float32]:
    # Coordinates grow with the image: beside them any difference would be small.
    network = copy.copy(model.network)  # which is never compiled
    network.architecture = replace(network.architecture, coordinate_dims=0)
    if compiled:
        network = replace(model, network=network).as_compiled().network
    scaling = model.description.intensity.measure(pixels)
    stitcher = Stitcher(plan, network.architecture.out_channels)
    on, streamed = choose_device(device), False if compiled else None
    for event in predict_tiles(network, pixels, scaling, plan, on, streamed=streamed):
        stitcher.add(event)
    return stitcher.result(foreground=False).embedding
