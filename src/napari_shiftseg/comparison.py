"""Compare stitch modes on one image: who cut what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.image.axes import Frames
from napari_shiftseg.pipeline import Segmentation, plan_for, segment_events
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.settings import DEFAULT_MODEL, Clustering, Stitching, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, by, corrected_tile
from napari_shiftseg.tiles.tile import Region, whole_numbers


@dataclass(frozen=True)
class Comparison:
    """Results and reports by stitch mode.

    Parameters
    ----------
    model
        The model that was used.
    results
        One segmentation per stitching, by the name of its mode; by mode and tile size
        (``"naive 100"``) where one mode was run twice.
    reports
        One seam report per stitching.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3.2, Fig. 4; Sec. 4.2 (scores).
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
    stitchings: Sequence[Stitching] = (Stitching("naive"), Stitching("corrected")),
    clustering: Clustering | None = None,
    device: str | None = None,
    region: Region | None = None,
    axes: str | None = None,
) -> Iterator[TileDone | Segmentation | Comparison]:
    """Compare; yield an event per tile and stitching, then the :class:`Comparison`.

    Takes what :func:`compare` takes, but for each stitching its own tile size.
    """
    model = load_model(model)
    frames = model.frames(image, axes)
    if truth is not None:
        truth = as_array(truth)
        check_truth(truth, frames)
    _check_distinct([plan_for(model, frames.spatial, s.mode, s.tile) for s in stitchings])
    results: list[Segmentation] = []
    for stitching in stitchings:
        for event in segment_events(
            image,
            model,
            stitch=stitching.mode,
            tile=stitching.tile,
            clustering=clustering,
            device=device,
            region=region,
            axes=axes,
        ):
            if isinstance(event, Segmentation):
                results.append(event)
            yield event
    yield comparison_of(results, truth)


def compare(
    image: Any,
    model: str | Model = DEFAULT_MODEL,
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

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 3.2, Fig. 4; Sec. 4.2 (scores).
    """
    model = load_model(model)
    stitchings = stitchings_of(model, modes, tile)
    *_, result = compare_events(
        image, model, truth=truth, stitchings=stitchings, clustering=clustering, device=device
    )
    assert isinstance(result, Comparison)
    return result


def stitchings_of(
    model: Model, modes: Sequence[StitchMode], tile: int | Size | None
) -> list[Stitching]:
    """Give each mode the tile size; corrected mode the largest multiple of the period in it."""
    if isinstance(modes, str):
        raise ShiftSegError(f"modes is {modes!r}; legal: several, as ('naive', 'corrected')")
    if not modes:
        raise ShiftSegError("there is no stitch mode to run; legal: one or more of the four")
    return [Stitching(mode, _tile_for(model, mode, tile)) for mode in modes]


def comparison_of(results: Sequence[Segmentation], truth: Any | None = None) -> Comparison:
    """Report what the seams of several results did.

    Parameters
    ----------
    results
        Of one image and model.
    truth
        Ground truth of the whole image; without it the corrected or whole-image result is
        the reference.
    """
    plan = results[0].plan
    if truth is not None:
        truth = np.asarray(truth[(..., *plan.region)])
    trusted = next((r for r in results if r.plan.mode in ("corrected", "whole")), None)
    named = dict(zip(_names(results), results, strict=True))
    reports = {
        name: SeamReport.of(
            result.labels,
            result.prediction.embedding,
            result.plan,
            truth=truth,
            reference=None if trusted is None else trusted.labels,
        )
        for name, result in named.items()
    }
    return Comparison(results[0].model, named, reports)


def _check_distinct(plans: Sequence[TilePlan]) -> None:
    """Find out before a run that two stitchings are one."""
    ways = [(plan.mode, plan.tile_size) for plan in plans]
    for mode, tile in ways:
        if ways.count((mode, tile)) > 1:
            raise ShiftSegError(
                f"two of the stitchings are the same, {mode} with tiles of {by(tile)} px; "
                "change mode or tile size of one"
            )


def _names(results: Sequence[Segmentation]) -> list[str]:
    modes = [result.plan.mode for result in results]
    return [
        f"{result.plan.mode} {by(result.plan.tile_size)}"
        if modes.count(result.plan.mode) > 1
        else result.plan.mode
        for result in results
    ]


def _tile_for(model: Model, mode: StitchMode, tile: int | Size | None) -> int | Size | None:
    if tile is None or mode != "corrected":
        return tile
    return corrected_tile(model.geometry, whole_numbers(tile, model.geometry.ndim, "the tile size"))


def check_truth(truth: Any, frames: Frames) -> None:
    """Find out before hours of computing that a ground truth is another image's.

    Parameters
    ----------
    truth
        Labels of the whole image, with or without its loop axes.
    frames
        The image.

    Raises
    ------
    ShiftSegError
        If the shapes do not fit.
    """
    shape, size = tuple(truth.shape), (*frames.loops, *frames.spatial)
    if len(shape) < len(frames.spatial) or shape != size[-len(shape) :]:
        raise ShiftSegError(f"the ground truth has the shape {shape}, the image {size}")
