"""The course of a training as two panels: loss terms above, validations below."""

from __future__ import annotations

from time import monotonic
from typing import Any

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter
from napari.utils.theme import get_theme
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_shiftseg._napari.palette import is_dark
from napari_shiftseg._napari.train.course import Course

_REST = 500
"""Milliseconds between two drawings at least."""

_TERMS = ("pull", "push", "regulariser", "foreground")
_DARK = ("#2ec4d6", "#ff8c1a", "#9fb7d4", "#d67bff")
_LIGHT = ("#0a7f8f", "#c85a00", "#54688a", "#8a2be2")
_AP, _SPLITS = 0, 1
"""Which of these colours the curves of the lower panel take."""

_FLOOR = 1e-6
"""What a loss of 0 is drawn as."""


class CoursePlot(QWidget):
    """A plot in the colours of napari's theme that draws itself twice a second at most."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.course = Course()
        self.drawings = 0
        self._paper, self._text, self._inks = "#000000", "#ffffff", _DARK
        self._lines: dict[str, Any] = {}
        self._panels: list[Any] = []
        self.figure = Figure()
        self.canvas = FigureCanvasQTAgg(self.figure)
        # A figure asks for more room than the dock has; it fills what is left instead.
        self.canvas.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.canvas.setMinimumHeight(220)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST)
        self._timer.timeout.connect(self.draw)

    def show_course(self, course: Course) -> None:
        """Show another course."""
        self.course = course
        self._rebuild()
        self.refresh()

    def refresh(self) -> None:
        """Draw what has come, but not at once."""
        if not self._timer.isActive():
            self._timer.start()

    def set_theme(self, theme: str) -> None:
        """Take the colours of a napari theme."""
        colours = get_theme(theme)
        self._paper, self._text = (
            "#{:02x}{:02x}{:02x}".format(*c.as_rgb_tuple(alpha=False))
            for c in (colours.background, colours.text)
        )
        self._inks = _DARK if is_dark(theme) else _LIGHT
        self._rebuild()
        self.refresh()

    def points(self, name: str) -> list[tuple[float, float]]:
        """Return the points of a curve as they were last drawn."""
        line = self._lines.get(name)
        return [] if line is None else [(float(x), float(y)) for x, y in line.get_xydata()]

    def draw(self) -> None:
        """Draw the course as it is now."""
        self._timer.stop()
        if bool(self.course.validations) != ("AP 0.5" in self._lines):
            self._rebuild()
        began = monotonic()
        self._fill()
        self.canvas.draw()
        self.drawings += 1
        # A busy machine draws slowly: the window stays free nine tenths of the time.
        self._timer.setInterval(max(_REST, round(10_000 * (monotonic() - began))))

    def _rebuild(self) -> None:
        """Make the panels: new ones cost much more than other data in those that are there."""
        self.figure.clear()
        self.figure.set_facecolor(self._paper)
        self._lines, scored = {}, bool(self.course.validations)
        self._panels = list(
            self.figure.subplots(2 if scored else 1, 1, sharex=True, squeeze=False)[:, 0]
        )
        # Fixed margins: to have them computed would take longer than to draw.
        self.figure.subplots_adjust(
            left=0.15, right=0.88 if scored else 0.97, top=0.9, bottom=0.13, hspace=0.16
        )
        self._panels[-1].set_xlabel("Step", color=self._text, fontsize=8, labelpad=1)
        self._build_losses(self._panels[0])
        if scored:
            self._build_scores(self._panels[1])

    def _build_losses(self, panel: Any) -> None:
        panel.set_yscale("log")
        self._dress(panel)
        panel.yaxis.set_major_locator(LogLocator(numticks=5))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.minorticks_off()
        panel.set_ylabel("Loss", color=self._text, fontsize=8, labelpad=1)
        for name, colour in zip(_TERMS, self._inks, strict=True):
            (self._lines[name],) = panel.plot([], [], color=colour, lw=1.3, label=name)
        self.figure.legend(
            handles=[self._lines[name] for name in _TERMS],
            loc="upper center",
            ncols=4,
            fontsize=7.5,
            frameon=False,
            labelcolor=self._text,
            handlelength=1.2,
            columnspacing=1,
        )

    def _build_scores(self, panel: Any) -> None:
        self._dress(panel)
        panel.set_ylim(-0.04, 1.04)
        panel.yaxis.set_major_locator(FixedLocator((0, 0.5, 1)))
        panel.set_ylabel("AP 0.5", color=self._inks[_AP], fontsize=8, labelpad=1)
        # Both begin at 0, the one over the other: its marks are larger than those above them.
        (self._lines["AP 0.5"],) = panel.plot(
            [], [], color=self._inks[_AP], lw=1.3, marker="s", ms=6
        )
        other = panel.twinx()
        self._dress(other)
        other.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        other.set_ylabel("False splits", color=self._inks[_SPLITS], fontsize=8, labelpad=3)
        (self._lines["false splits"],) = other.plot(
            [], [], color=self._inks[_SPLITS], lw=1.3, ls="--", marker="o", ms=3
        )
        self._panels.append(other)

    def _dress(self, panel: Any) -> None:
        panel.set_facecolor(self._paper)
        panel.tick_params(colors=self._text, labelsize=7.5)
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        for side, spine in panel.spines.items():
            spine.set_color(self._text)
            spine.set_visible(side in ("left", "bottom"))

    def _fill(self) -> None:
        course = self.course
        steps = np.asarray(course.steps, float)
        for name in _TERMS:
            values = np.asarray(course.smooth(name), float)
            self._lines[name].set_data(steps[len(steps) - len(values) :], values.clip(_FLOOR))
        every = [value for name in course.terms for value in course.smooth(name)]
        shown = np.asarray([v for v in every if np.isfinite(v) and v > _FLOOR])
        if shown.size:
            low, high = np.percentile(shown, (5, 100))
            self._panels[0].set_ylim(low / 2, high * 1.5)
        last = max([*course.steps[-1:], *[v.step for v in course.validations[-1:]], 2])
        self._panels[0].set_xlim(0, last * 1.02)
        if "AP 0.5" in self._lines:
            at = [v.step for v in course.validations]
            splits = [v.false_splits for v in course.validations]
            self._lines["AP 0.5"].set_data(at, [v.ap for v in course.validations])
            self._lines["false splits"].set_data(at, splits)
            self._panels[-1].set_ylim(-0.04 * max(1, *splits, 1), 1.1 * max(1, *splits, 1))
