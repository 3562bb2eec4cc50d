"""Two plots of an audit in the colours of napari's theme."""

from __future__ import annotations

import warnings
from math import isfinite
from typing import Any

import numpy as np
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_shiftseg._napari.audit.job import Audited
from napari_shiftseg._napari.palette import is_dark
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg.network_audit.curves import Response, ShiftCurve
from napari_shiftseg.sweep_figure import DARK, LIGHT, Ink

_FLOOR = 1e-17
"""Where errors of nought are drawn."""

_NARROWEST = 240
"""Pixels that axes and their numbers need side by side."""


class AuditPlots(QWidget):
    """Error against shift above, receptive field below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._audited: Audited | None = None
        self._ink: Ink = DARK
        self.about_shifts, self.about_field = Sentence(), Sentence()
        self.shifts, self.field = _canvas(150), _canvas(150)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        for part, stretch in (
            (self.about_shifts, 0),
            (self.shifts, 5),
            (self.about_field, 0),
            (self.field, 6),
        ):
            column.addWidget(part, stretch)
        self.clear()

    def clear(self) -> None:
        """Forget the plots."""
        self._audited = None
        self.about_shifts.say("Error against shift, and the receptive field, are drawn here.")
        self.about_field.say("")
        self.shifts.hide()
        self.field.hide()

    def show_audited(self, audited: Audited) -> None:
        """Draw an audit."""
        self._audited = audited
        exact = None not in audited.audit.period
        self.about_shifts.say(
            "Shift the image, and the output should only shift: it does where the error "
            "is rounding, " + ("at multiples of the period." if exact else "which is nowhere here.")
        )
        self.about_field.say(
            "How far one output pixel sees, in input pixels from its own place."
            if audited.responses
            else "No receptive field is drawn: every output pixel depends on the whole tile, or on "
            "its place in it."
        )
        self.shifts.show()
        self.field.setVisible(bool(audited.responses))
        self._draw()

    def set_theme(self, theme: str) -> None:
        """Take the colours of a napari theme."""
        colours = get_theme(theme)
        paper, text = (
            tuple(v / 255 for v in c.as_rgb_tuple(alpha=False))
            for c in (colours.background, colours.text)
        )
        base = DARK if is_dark(theme) else LIGHT
        self._ink = Ink(_hex(paper), _hex(text), base.naive, base.aligned)
        self._draw()

    def _draw(self) -> None:
        if self._audited is None:
            return
        draw_shifts(self.shifts.figure, self._audited.shifts, self._ink)
        draw_responses(self.field.figure, self._audited.responses, self._ink)
        self.shifts.draw_idle()
        self.field.draw_idle()


def draw_shifts(figure: Figure, curves: tuple[ShiftCurve, ...], ink: Ink) -> None:
    """Draw one panel per axis."""
    figure.clear()
    figure.set_facecolor(ink.paper)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for curve, panel, name in zip(curves, panels, "zyx"[-len(curves) :], strict=True):
        _draw_shift(panel, curve, ink)
        panel.set_xlabel(f"Shift along {name} (px)", color=ink.text, fontsize=8)
        _dress(panel, ink)
    errors = (e for curve in curves for e in (*curve.given, *curve.random) if isfinite(e))
    panels[0].set_ylim(_FLOOR / 3, 3 * max(10, *errors))
    panels[0].set_ylabel("Error", color=ink.text, fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=3,
        fontsize=7,
        frameon=False,
        labelcolor=ink.text,
        columnspacing=1,
        handlelength=1.4,
    )


def _draw_shift(panel: Any, curve: ShiftCurve, ink: Ink) -> None:
    drawn = [max(e, _FLOOR) if isfinite(e) else np.nan for e in curve.given]
    random = [max(e, _FLOOR) if isfinite(e) else np.nan for e in curve.random]
    panel.set_yscale("log")
    panel.axhspan(_FLOOR / 3, curve.equal, color=ink.aligned, alpha=0.15, lw=0)
    panel.plot(
        curve.shifts, random, color=ink.text, alpha=0.5, lw=0.8, ls=":", label="random weights"
    )
    panel.plot(
        curve.shifts, drawn, color=ink.naive, lw=1.2, marker="o", ms=2.5, label="given weights"
    )
    exact = [n for n, e in enumerate(curve.given) if e <= curve.equal]
    panel.plot(
        [curve.shifts[n] for n in exact],
        [drawn[n] for n in exact],
        color=ink.aligned,
        ls="none",
        marker="D",
        ms=6,
        clip_on=False,
        zorder=5,
        label="only shifts" if exact else None,
    )
    panel.yaxis.set_major_locator(FixedLocator([_FLOOR, 1e-12, 1e-8, 1e-4, 1]))
    panel.set_yticklabels(["0", "1e-12", "1e-8", "1e-4", "1"])
    panel.yaxis.set_minor_locator(FixedLocator([]))
    if curve.period:
        ticks = [curve.period * k for k in range(1, curve.shifts[-1] // curve.period + 1)]
        panel.xaxis.set_major_locator(FixedLocator([1, *ticks] if curve.period > 2 else ticks))
    else:
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def draw_responses(figure: Figure, responses: tuple[Response, ...], ink: Ink) -> None:
    """Draw heat maps of a 2-D network, profiles of others."""
    figure.clear()
    figure.set_facecolor(ink.paper)
    if not responses:
        return
    if len(responses[0].axes) == 2:
        _draw_maps(figure, responses[0], ink)
    else:
        _draw_profiles(figure, responses, ink)


def _draw_maps(figure: Figure, response: Response, ink: Ink) -> None:
    panels = figure.subplots(1, 2, sharey=True)
    rows, columns = response.positive.shape
    top, left = response.before
    extent = (-left - 0.5, columns - left - 0.5, rows - top - 0.5, -top - 0.5)
    for panel, values, title in (
        (panels[0], response.positive, "Architecture"),
        (panels[1], response.given, "Given weights"),
    ):
        # The square root shows the faint rim, which counts as well.
        panel.imshow(np.sqrt(values), cmap="inferno", extent=extent, vmin=0, vmax=1)
        panel.set_title(title, color=ink.text, fontsize=8)
        panel.set_xlabel("x (px)", color=ink.text, fontsize=8)
        panel.xaxis.set_major_locator(FixedLocator([-left, 0, columns - left - 1]))
        panel.yaxis.set_major_locator(FixedLocator([-top, 0, rows - top - 1]))
        _dress(panel, ink)
    panels[0].set_ylabel("y (px)", color=ink.text, fontsize=8)


def _draw_profiles(figure: Figure, responses: tuple[Response, ...], ink: Ink) -> None:
    panels = figure.subplots(1, len(responses), sharey=True, squeeze=False)[0]
    for response, panel, name in zip(responses, panels, "zyx"[-len(responses) :], strict=True):
        (before,) = response.before
        places = np.arange(len(response.positive)) - before
        panel.fill_between(
            places,
            response.positive,
            color=ink.aligned,
            alpha=0.3,
            step="mid",
            label="architecture",
        )
        panel.plot(places, response.given, color=ink.naive, lw=1.2, label="given weights")
        panel.set_xlabel(f"{name} (px)", color=ink.text, fontsize=8)
        panel.xaxis.set_major_locator(FixedLocator([places[0], 0, places[-1]]))
        panel.set_ylim(0, 1.05)
        _dress(panel, ink)
    panels[0].set_ylabel("Response", color=ink.text, fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=2,
        fontsize=7,
        frameon=False,
        labelcolor=ink.text,
    )


def _dress(panel: Any, ink: Ink) -> None:
    panel.set_facecolor(ink.paper)
    panel.tick_params(colors=ink.text, labelsize=7)
    for side, spine in panel.spines.items():
        spine.set_color(ink.text)
        spine.set_visible(side in ("left", "bottom"))


class _Canvas(FigureCanvasQTAgg):
    """Draws what there is room for, and does not complain of a dock that is too low."""

    def draw(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            super().draw()


def _canvas(height: int) -> Any:
    canvas = _Canvas(Figure(layout="constrained"))
    # A figure asks for more height than the dock has; it fills what is left instead.
    canvas.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
    canvas.setMinimumSize(_NARROWEST, height)
    return canvas


def _hex(colour: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * v):02x}" for v in colour)
