"""The picture of a comparison: image, then each mode's labels with cut objects circled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray
from skimage.color import label2rgb

from napari_shiftseg.comparison import Comparison
from napari_shiftseg.files import file_beside
from napari_shiftseg.seams.report import SeamReport
from napari_shiftseg.seams.splits import SeamSplit
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.wording import counted

_CUT = "#ff3b30"
_GRID = "#ffffff"


def draw_comparison(result: Comparison, image: NDArray[Any], path: Path) -> None:
    """Write a PNG: the image, and per mode its labels, seams and cut objects.

    Of a volume or stack, the plane with most cut objects is shown.

    Parameters
    ----------
    result
        The comparison.
    image
        The image that was compared, as it was given.
    path
        PNG to write; replaced if it exists.
    """
    pixels = result.model.frames(image).first_channel()
    plane = _busiest_plane(result, pixels.shape)
    grey = _stretched(pixels[plane])
    height, width = grey.shape
    panels = 1 + len(result.results)
    figure = Figure(figsize=(5 * panels, 5 * height / width + 0.7), layout="constrained")
    axes = figure.subplots(1, panels)
    axes[0].imshow(grey, cmap="gray", vmin=0, vmax=1)
    axes[0].set_title("image")
    for axis, (mode, segmentation) in zip(axes[1:], result.results.items(), strict=True):
        labels = segmentation.labels[plane]
        axis.imshow(label2rgb(labels, grey, alpha=0.45, bg_label=0))
        for y in segmentation.plan.seams[-2]:
            axis.axhline(y - 0.5, color=_GRID, lw=0.5, alpha=0.6)
        for x in segmentation.plan.seams[-1]:
            axis.axvline(x - 0.5, color=_GRID, lw=0.5, alpha=0.6)
        _circle_cuts(axis, result.reports[mode], plane)
        axis.set_title(_title(result.reports[mode]))
    for axis in axes:
        axis.set_axis_off()
    with file_beside(path) as partial:
        FigureCanvasAgg(figure).print_png(partial)


def _title(report: SeamReport) -> str:
    title = f"{report.mode}, {by(report.tile_size)} px tiles"
    if report.seam_splits is None:
        return title
    return f"{title}: {counted(report.seam_splits, 'object', none='no')} cut by seams"


def _circle_cuts(axis: Any, report: SeamReport, plane: tuple[int, ...]) -> None:
    for split in report.splits:
        if _plane_of(split) != plane:
            continue
        centre = (split.position[-1], split.position[-2])
        axis.add_patch(Circle(centre, _radius(split), fill=False, color=_CUT, lw=1.8))


def _radius(split: SeamSplit) -> float:
    return max(8.0, 0.8 * split.length)


def _busiest_plane(result: Comparison, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Index of the plane with most cut objects, of an image with more axes than two."""
    cuts = Counter(_plane_of(s) for r in result.reports.values() for s in r.splits)
    return cuts.most_common(1)[0][0] if cuts else tuple(n // 2 for n in shape[:-2])


def _plane_of(split: SeamSplit) -> tuple[int, ...]:
    return tuple(round(place) for place in split.position[:-2])


def _stretched(pixels: NDArray[Any]) -> NDArray[np.float64]:
    low, high = np.percentile(pixels, (0.5, 99.8))
    span = float(high - low) or 1.0
    # A square root shows dim nuclei beside bright ones.
    scaled: NDArray[np.float64] = np.clip((pixels.astype(np.float64) - low) / span, 0, 1)
    return np.sqrt(scaled)
