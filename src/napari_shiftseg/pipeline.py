"""The map: image → tiles → embeddings → labels → seams, as one generator of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._version import __version__
from napari_shiftseg.embeddings.device import choose_device
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.predict import Prediction, Stitcher, TileDone, predict_tiles
from napari_shiftseg.image.axes import channels_first
from napari_shiftseg.labels.cluster import cluster
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, corrected_tile, make_plan


@dataclass(frozen=True)
class Segmentation:
    """The result of one run.

    Parameters
    ----------
    labels
        ``(*spatial)`` int32; 0 is background.
    prediction
        Embedding and foreground.
    plan
        How the image was tiled.
    clustering
        The settings that were used.
    model
        The model that was used.
    """

    labels: NDArray[np.int32]
    prediction: Prediction
    plan: TilePlan
    clustering: Clustering
    model: Model

    @property
    def objects(self) -> int:
        """Number of objects."""
        return int(self.labels.max(initial=0))

    @property
    def provenance(self) -> dict[str, Any]:
        """All that is needed to make the labels again."""
        return {
            "version": __version__,
            "model": self.model.description.name,
            "model_sha256": self.model.sha256,
            "stitch": self.plan.mode,
            "tile": list(self.plan.tile_size),
            "period": list(self.plan.geometry.period),
            "context": list(self.plan.geometry.context),
            "origin": [0] * self.plan.geometry.ndim,
            "clustering": asdict(self.clustering),
        }


def plan_for(
    model: Model, image_size: Size, stitch: StitchMode = "corrected", tile: int | Size | None = None
) -> TilePlan:
    """Plan a run; without a tile size, naive tiles are those of the model's training.

    Corrected tiles are then the largest multiple of the period in that window.
    """
    window = model.description.training_window
    if tile is None and window:
        tile = corrected_tile(model.geometry, window) if stitch == "corrected" else window
    return make_plan(model.geometry, image_size, stitch, tile=tile)


def segment_events(
    image: Any,
    model: str | Model,
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
) -> Iterator[TileDone | Segmentation]:
    """Segment an image; yield an event per tile, then the :class:`Segmentation`.

    Takes what :func:`segment` takes. Closing the generator cancels the run.
    """
    model = load_model(model)
    architecture = model.description.architecture
    pixels = channels_first(
        image, ndim=architecture.geometry.ndim, in_channels=architecture.in_channels
    )
    plan = plan_for(model, pixels.shape[1:], stitch, tile)
    scaling = model.description.intensity.measure(pixels)
    stitcher = Stitcher(plan, architecture.out_channels)
    for event in predict_tiles(model.network, pixels, scaling, plan, choose_device(device)):
        stitcher.add(event)
        yield event
    prediction = stitcher.result(foreground=architecture.foreground)
    settings = clustering or model.description.clustering
    labels = cluster(prediction.embedding, prediction.foreground, settings)
    yield Segmentation(labels, prediction, plan, settings, model)


def segment(
    image: Any,
    model: str | Model = "nuclei-2d",
    *,
    stitch: StitchMode = "corrected",
    tile: int | Size | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
) -> Segmentation:
    """Segment an image into objects.

    Parameters
    ----------
    image
        ``(*spatial)``, or with a channel axis first or last; integers or floats.
    model
        Name of a bundled model, path of a model file, or a loaded model.
    stitch
        ``"corrected"`` (tiles of n*P; equals whole-image inference, Corollary 4),
        ``"naive"``, ``"whole"`` or ``"blended"``.
    tile
        Output tile size in pixels, one number or one per axis; by default it follows the
        model's training window.
    clustering
        Mean-shift settings; by default the model's own.
    device
        ``"cpu"``, ``"cuda"`` or ``"mps"``; by default the fastest one here.

    Returns
    -------
    Segmentation
        Labels, embedding, foreground and plan.

    Raises
    ------
    ShiftSegError
        If image, model or settings do not fit each other.
    """
    *_, result = segment_events(
        image, model, stitch=stitch, tile=tile, clustering=clustering, device=device
    )
    assert isinstance(result, Segmentation)
    return result
