"""The picture of a sweep: false splits and AP against tile size, as the paper's Fig. 6."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine
from matplotlib.ticker import FixedLocator, MaxNLocator

from napari_shiftseg.files import file_beside
from napari_shiftseg.tile_sweep import Sweep, SweepPoint
from napari_shiftseg.tiles.plan import by

_ROOM = 0.06
"""Of a panel's height, above the highest marks and below the lowest."""

_LEAST = 0.02
"""AP that the height of a panel is at least: less is no difference."""

_MOST_TICKS = 10
"""Tile sizes that can all be written below the axis."""


@dataclass(frozen=True)
class Ink:
    """Colours of a plot, as matplotlib takes them.

    Parameters
    ----------
    paper, text
        Background; axes and words.
    naive, aligned
        Naive stitching; tiles that are multiples of the period.
    """

    paper: str
    text: str
    naive: str
    aligned: str


LIGHT = Ink(paper="#ffffff", text="#1e1e21", naive="#c85a00", aligned="#0a7f8f")
DARK = Ink(paper="#23242b", text="#f0f1f2", naive="#ff8c1a", aligned="#2ec4d6")


class Margins(LayoutEngine):
    """Leaves room for words and numbers of 8 pt, in inches: to measure them costs another draw."""

    _adjust_compatible = True
    _colorbar_gridspec = True

    def execute(self, fig: Any) -> None:
        """Place the panels in a figure of any size."""
        width, height = fig.get_size_inches()
        fig.subplots_adjust(
            left=min(0.62 / width, 0.4),
            right=1 - min(0.12 / width, 0.1),
            bottom=min(0.46 / height, 0.3),
            top=1 - min(0.42 / height, 0.3),
            hspace=0.12,
        )


def draw_sweep(sweep: Sweep, path: Path) -> None:
    """Write a sweep as a PNG.

    Parameters
    ----------
    sweep
        What to draw.
    path
        PNG to write; replaced if it exists.

    Raises
    ------
    ShiftSegError
        If it cannot be written.
    """
    figure = Figure(figsize=(5, 4.6 if sweep.scored else 2.9), dpi=200)
    fill_figure(figure, sweep, LIGHT)
    with file_beside(path) as partial:
        FigureCanvasAgg(figure).print_png(partial)


def fill_figure(figure: Figure, sweep: Sweep, ink: Ink) -> None:
    """Draw a sweep into a figure: splits above, and AP below where there is ground truth."""
    figure.clear()
    figure.set_layout_engine(Margins())
    figure.set_facecolor(ink.paper)
    rows = 2 if sweep.scored else 1
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    _draw_counts(panels[0], sweep, ink)
    if sweep.scored:
        _draw_scores(panels[1], sweep, ink)
    for panel in panels:
        _dress(panel, sweep, ink)
    panels[-1].set_xlabel("Tile size (px)", color=ink.text, fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="upper center",
        ncols=2,
        fontsize=8,
        frameon=False,
        labelcolor=ink.text,
    )


def _draw_counts(panel: Any, sweep: Sweep, ink: Ink) -> None:
    _curve(panel, sweep, [p.false_splits for p in sweep.points], ink)
    seams = [p.seam_splits for p in sweep.points]
    panel.plot(_widths(sweep.points), seams, color=ink.naive, lw=1, ls=":", label="naive: by seams")
    _level(panel, sweep.corrected.false_splits, ink)
    panel.set_ylabel("False splits", color=ink.text, fontsize=8)
    panel.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    most = max(1, *(p.false_splits for p in (*sweep.points, sweep.corrected)), *seams)
    panel.set_ylim(-_ROOM * most, (1 + _ROOM) * most)


def _draw_scores(panel: Any, sweep: Sweep, ink: Ink) -> None:
    scores = [p.ap50 or 0.0 for p in sweep.points]
    _curve(panel, sweep, scores, ink)
    level = sweep.corrected.ap50 or 0.0
    _level(panel, level, ink)
    panel.set_ylabel("AP 0.5", color=ink.text, fontsize=8)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    low, high = min(*scores, level), max(*scores, level)
    height = max(high - low, _LEAST)
    low, high = max(0.0, (low + high - height) / 2), min(1.0, (low + high + height) / 2)
    panel.set_ylim(low - _ROOM * height, high + _ROOM * height)


def _curve(panel: Any, sweep: Sweep, values: list[float], ink: Ink) -> None:
    """Join all naive points; the multiples of the period stand out."""
    widths = _widths(sweep.points)
    panel.plot(widths, values, color=ink.naive, lw=1.6, marker="o", ms=4, label="naive")
    aligned = [i for i, point in enumerate(sweep.points) if point.aligned]
    panel.plot(
        [widths[i] for i in aligned],
        [values[i] for i in aligned],
        color=ink.aligned,
        ls="none",
        marker="D",
        ms=7,
        label=f"multiple of {by(sweep.period)} px",
    )


def _level(panel: Any, value: float, ink: Ink) -> None:
    panel.axhline(value, color=ink.aligned, lw=1.2, ls="--", label="corrected")


def _dress(panel: Any, sweep: Sweep, ink: Ink) -> None:
    panel.set_facecolor(ink.paper)
    panel.tick_params(colors=ink.text, labelsize=8)
    widths = _widths(sweep.points)
    few = len(widths) <= _MOST_TICKS
    panel.xaxis.set_major_locator(FixedLocator(widths) if few else MaxNLocator(8, integer=True))
    for side, spine in panel.spines.items():
        spine.set_color(ink.text)
        spine.set_visible(side in ("left", "bottom"))
    panel.grid(axis="y", color=ink.text, alpha=0.15)


def _widths(points: tuple[SweepPoint, ...]) -> list[int]:
    return [point.tile[-1] for point in points]
