"""Compare stitch modes on one image: who cut what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.pipeline import Segmentation, segment_events
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.settings import Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import corrected_tile


@dataclass(frozen=True)
class Comparison:
    """Results and reports by stitch mode.

    Parameters
    ----------
    model
        The model that was used.
    results
        One segmentation per mode.
    reports
        One seam report per mode.
    """

    model: Model
    results: dict[str, Segmentation]
    reports: dict[str, SeamReport]

    def to_dict(self) -> dict[str, Any]:
        """Return period, context and all reports as plain JSON values."""
        geometry = self.model.geometry
        return {
            "model": self.model.description.name,
            "period": list(geometry.period),
            "context": list(geometry.context),
            "modes": {mode: report.to_dict() for mode, report in self.reports.items()},
        }

    def __str__(self) -> str:
        return "\n\n".join(str(report) for report in self.reports.values())


def compare_events(
    image: Any,
    model: str | Model,
    *,
    truth: Any | None = None,
    tile: int | Size | None = None,
    modes: Sequence[StitchMode] = ("naive", "corrected"),
    clustering: Clustering | None = None,
    device: str | None = None,
) -> Iterator[TileDone | Segmentation | Comparison]:
    """Compare; yield an event per tile and mode, then the :class:`Comparison`.

    Takes what :func:`compare` takes.
    """
    model = load_model(model)
    results: dict[str, Segmentation] = {}
    for mode in modes:
        size = _tile_for(model, mode, tile)
        for event in segment_events(
            image, model, stitch=mode, tile=size, clustering=clustering, device=device
        ):
            if isinstance(event, Segmentation):
                results[mode] = event
            yield event
    yield Comparison(model, results, _reports(results, truth))


def compare(
    image: Any,
    model: str | Model = "nuclei-2d",
    *,
    truth: Any | None = None,
    tile: int | Size | None = None,
    modes: Sequence[StitchMode] = ("naive", "corrected"),
    clustering: Clustering | None = None,
    device: str | None = None,
) -> Comparison:
    """Run several stitch modes on one image and report what their seams did.

    Parameters
    ----------
    image, model, clustering, device
        As for :func:`napari_shiftseg.segment`.
    truth
        Ground-truth labels ``(*spatial)``. Without it, an object counts as split if it is
        one in the corrected (or whole-image) labels and several in the others.
    tile
        Tile size in pixels; in corrected mode the largest multiple of the period in it.
    modes
        Stitch modes to run.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    ShiftSegError
        If image, truth, model or settings do not fit each other.
    """
    *_, result = compare_events(
        image, model, truth=truth, tile=tile, modes=modes, clustering=clustering, device=device
    )
    assert isinstance(result, Comparison)
    return result


def _tile_for(model: Model, mode: StitchMode, tile: int | Size | None) -> int | Size | None:
    if tile is None or mode != "corrected":
        return tile
    sizes = (tile,) * model.geometry.ndim if isinstance(tile, int) else tile
    return corrected_tile(model.geometry, sizes)


def _reports(results: dict[str, Segmentation], truth: Any | None) -> dict[str, SeamReport]:
    shape = next(iter(results.values())).labels.shape
    if truth is not None and truth.shape != shape:
        raise ShiftSegError(f"the ground truth has the shape {truth.shape}, the image {shape}")
    trusted = results.get("corrected") or results.get("whole")
    return {
        mode: SeamReport.of(
            result.labels,
            result.prediction.embedding,
            result.plan,
            truth=truth,
            reference=trusted.labels if trusted else None,
        )
        for mode, result in results.items()
    }
