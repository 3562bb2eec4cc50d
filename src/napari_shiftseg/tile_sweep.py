"""Sweep the tile size on one image: false splits and AP by tile size, as the paper's Fig. 6."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.comparison import check_truth
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.pipeline import Segmentation, plan_for, segment_events
from napari_shiftseg.seams.report import SeamReport, finite, number
from napari_shiftseg.settings import DEFAULT_MODEL, Clustering, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import Region, whole_numbers

_STEPS = 4
"""Tile sizes per period; its multiples and the natural sizes of most networks are among them."""

_PERIODS = 2
"""Periods that a sweep covers."""


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is: a fraction of 0 to 1, and what is being done."""

    fraction: float
    text: str


@dataclass(frozen=True)
class SweepPoint:
    """One stitched result of a sweep.

    Parameters
    ----------
    tile
        Tile size in pixels per axis.
    aligned
        Whether it is a multiple of the period on every axis.
    false_splits, false_merges
        Against the ground truth, or without it against the corrected labels.
    seam_splits
        Objects cut by a seam.
    ap50
        Average precision at IoU 0.5; None without ground truth.
    jump_ratio
        Embedding jump across seams over the jump beside them; NaN without seams.
    seams
        Lines along which tiles meet.
    """

    tile: Size
    aligned: bool
    false_splits: int
    false_merges: int
    seam_splits: int
    ap50: float | None
    jump_ratio: float
    seams: int

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain JSON values."""
        return {
            "tile": list(self.tile),
            "multiple_of_period": self.aligned,
            "false_splits": self.false_splits,
            "false_merges": self.false_merges,
            "seam_splits": self.seam_splits,
            "ap50": self.ap50,
            "seam_jump_ratio": finite(self.jump_ratio),
        }


@dataclass(frozen=True)
class Sweep:
    """What tile size does to one image.

    Parameters
    ----------
    model
        Name of the model.
    period
        Its period in pixels per axis.
    points
        Naive stitching, by ascending tile size.
    corrected
        Corrected stitching: the same for every tile size.
    scored
        Whether there was ground truth.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 4.2, Fig. 6.
    """

    model: str
    period: Size
    points: tuple[SweepPoint, ...]
    corrected: SweepPoint
    scored: bool

    @property
    def without_seams(self) -> bool:
        """Whether no tile size has a seam in what was swept."""
        return not any(point.seams for point in self.points)

    def to_dict(self) -> dict[str, Any]:
        """Return the sweep as plain JSON values."""
        return {
            "model": self.model,
            "period": list(self.period),
            "compared_with": "ground truth" if self.scored else "corrected labels",
            "naive": [point.to_dict() for point in self.points],
            "corrected": self.corrected.to_dict(),
        }

    def to_csv(self) -> str:
        """Return one line per result, the corrected one last."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["stitching", *self.corrected.to_dict()])
        for mode, point in self._rows():
            values = point.to_dict() | {"tile": by(point.tile)}
            table.writerow([mode, *values.values()])
        return text.getvalue()

    def __str__(self) -> str:
        against = "ground truth" if self.scored else "the corrected labels"
        lines = [
            f"{self.model}, period {by(self.period)} px; splits and merges against {against}",
            " " * 16 + "tile  splits  by seams  merges  AP 0.5    jump",
        ]
        return "\n".join([*lines, *(_line(mode, point) for mode, point in self._rows())])

    def _rows(self) -> list[tuple[str, SweepPoint]]:
        return [*(("naive", point) for point in self.points), ("corrected", self.corrected)]


def sweep_tiles(model: Model, image_size: Size) -> tuple[Size, ...]:
    """Choose tile sizes over two periods around the model's training window.

    Parameters
    ----------
    model
        The model.
    image_size
        Spatial size of the whole image in pixels. Sizes of more than that are left out,
        because they all make one tile.

    Returns
    -------
    tuple
        Ascending tile sizes in pixels per axis, a quarter of the period apart.
    """
    window, period = plan_for(model, image_size, "naive").tile_size, model.geometry.period
    tiles = {
        tuple(_size(w, p, step) for w, p in zip(window, period, strict=True))
        for step in range(_STEPS * _PERIODS + 1)
    }
    fitting = {tile for tile in tiles if any(t < n for t, n in zip(tile, image_size, strict=True))}
    return tuple(sorted(fitting or {window}))


def sweep_events(
    image: Any,
    model: str | Model,
    *,
    truth: Any | None = None,
    tiles: int | Sequence[int | Size] | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    region: Region | None = None,
    axes: str | None = None,
) -> Iterator[SweepProgress | Sweep]:
    """Sweep; yield the progress tile by tile, then the :class:`Sweep`.

    Takes what :func:`sweep` takes. Closing the generator cancels the run.
    """
    model = load_model(model)
    if truth is not None:
        truth = as_array(truth)
        check_truth(truth, model.frames(image, axes))
    sizes = _checked(model, tiles) or sweep_tiles(model, model.frames(image, axes).spatial)
    runs: list[tuple[StitchMode, Size | None]] = [("corrected", None)]
    runs += [("naive", size) for size in sizes]
    common: dict[str, Any] = {
        "clustering": clustering,
        "device": device,
        "region": region,
        "axes": axes,
    }
    points: list[SweepPoint] = []
    objects = truth if truth is None or region is None else np.asarray(truth[(..., *region)])
    for done, (mode, size) in enumerate(runs):
        for event in segment_events(image, model, stitch=mode, tile=size, **common):
            if isinstance(event, TileDone):
                yield _progress(event, done, len(runs), mode, size)
                continue
            objects = event.labels if objects is None else objects
            points.append(_point(event, objects, scored=truth is not None))
    corrected, *naive = points
    geometry = model.geometry
    yield Sweep(model.description.name, geometry.period, tuple(naive), corrected, truth is not None)


def sweep(
    image: Any,
    model: str | Model = DEFAULT_MODEL,
    *,
    truth: Any | None = None,
    tiles: int | Sequence[int | Size] | None = None,
    clustering: Clustering | None = None,
    device: str | None = None,
    region: Region | None = None,
    axes: str | None = None,
) -> Sweep:
    """Stitch an image naively from tiles of many sizes, and once correctly.

    Parameters
    ----------
    image, model, clustering, device, region, axes
        As for :func:`napari_shiftseg.segment`.
    truth
        Ground-truth labels of the image's shape. Without it, splits and merges are counted
        against the corrected labels.
    tiles
        Tile sizes in pixels; by default those of :func:`sweep_tiles`.

    Returns
    -------
    Sweep
        Prints as a table.

    Raises
    ------
    ShiftSegError
        If image, truth, model or tile sizes do not fit each other.

    References
    ----------
    Rumberger et al., ICCV 2021, Sec. 4.2, Fig. 6.
    """
    *_, result = sweep_events(
        image,
        model,
        truth=truth,
        tiles=tiles,
        clustering=clustering,
        device=device,
        region=region,
        axes=axes,
    )
    assert isinstance(result, Sweep)
    return result


def _size(window: int, period: int, step: int) -> int:
    """Tile size ``step`` quarters of a period above the lowest one of a sweep."""
    lowest = max(1, window // period - _PERIODS // 2) * period
    return lowest + round(step * period / _STEPS)


def _checked(model: Model, tiles: int | Sequence[int | Size] | None) -> tuple[Size, ...]:
    ndim = model.geometry.ndim
    given: Any = () if tiles is None else (tiles,) if np.ndim(tiles) == 0 else tiles
    if tiles is not None and len(given) == 0:
        raise ShiftSegError("tiles is empty; legal: one size or more, or None")
    sizes = {whole_numbers(tile, ndim, "the tile size") for tile in given}
    for size in sizes:
        if min(size) < 1:
            raise ShiftSegError(f"the tile size is {size} px; legal: {ndim} numbers of at least 1")
    return tuple(sorted(sizes))


def _progress(
    event: TileDone, done: int, runs: int, mode: StitchMode, size: Size | None
) -> SweepProgress:
    part = event.done / (event.total + 1)
    title = mode.capitalize() if size is None else f"Tiles of {by(size)} px"
    return SweepProgress((done + part) / runs, f"{title} ({done + 1} of {runs})")


def _point(result: Segmentation, objects: NDArray[Any], *, scored: bool) -> SweepPoint:
    report = SeamReport.of(result.labels, result.prediction.embedding, result.plan, truth=objects)
    assert report.false_splits is not None and report.false_merges is not None
    assert report.seam_splits is not None
    tile, period = result.plan.tile_size, result.plan.geometry.period
    return SweepPoint(
        tile=tile,
        aligned=all(t % p == 0 for t, p in zip(tile, period, strict=True)),
        false_splits=report.false_splits,
        false_merges=report.false_merges,
        seam_splits=report.seam_splits,
        ap50=report.ap50 if scored else None,
        jump_ratio=report.jumps.ratio,
        seams=sum(map(len, result.plan.seams)),
    )


def _line(mode: str, point: SweepPoint) -> str:
    tile = by(point.tile) + ("*" if point.aligned else "")
    counts = f"{point.false_splits:>8}{point.seam_splits:>10}{point.false_merges:>8}"
    return f"{mode:<11}{tile:>9}{counts}{number(point.ap50):>8}{number(point.jump_ratio):>8}"
