"""False splits and AP against tile size, as the paper's Fig. 6, on the image at hand."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from napari.utils.theme import get_theme
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_shiftseg._napari.palette import HARMFUL, HARMLESS, is_dark
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.save_dialog import ask_where_to_save
from napari_shiftseg._napari.segment.export import proposed
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.turns import Steps
from napari_shiftseg.sweep_figure import DARK, LIGHT, Ink, fill_figure
from napari_shiftseg.tile_sweep import Sweep

_KINDS = {"Picture (*.png)": ".png", "Numbers (*.csv)": ".csv"}


class SweepPlot(QWidget):
    """A plot in the colours of napari's theme, and what starts and saves it."""

    export_requested = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sweep: Sweep | None = None
        self._title = ""
        self._ink: Ink = DARK
        self.run = RunBar(
            "Plot against tile size",
            "Stitch naively from tiles of many sizes around the model's training window",
        )
        self.export = QPushButton("Export…")
        self.export.setToolTip("Write the plot as PNG, or its numbers as CSV")
        self.run.buttons.addWidget(self.export)
        self.caption = Sentence()
        self.canvas = FigureCanvasQTAgg(Figure())
        # A figure asks for more height than the dock has; it fills what is left instead.
        self.canvas.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.canvas.setMinimumHeight(200)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.run)
        column.addWidget(self.caption)
        column.addWidget(self.canvas, 1)
        column.addStretch()  # where there is no plot yet
        self.export.clicked.connect(self._ask)
        self.clear()

    def clear(self) -> None:
        """Forget the plot."""
        self._sweep = None
        self.canvas.hide()
        self.export.setEnabled(False)
        self.caption.say(
            "How many objects are split depends on the tile size, and on nothing else here: "
            "at multiples of the period there are no more than in corrected stitching."
        )

    def show_sweep(self, sweep: Sweep, title: str) -> Steps:
        """Draw a sweep: the figure is made in one step, and painted in another.

        Parameters
        ----------
        sweep
            What to draw.
        title
            What was swept.
        """
        self._sweep, self._title = sweep, title
        fill_figure(self.canvas.figure, sweep, self._ink)
        yield
        if self._sweep is not sweep:
            return
        against = "ground truth" if sweep.scored else "the corrected labels"
        alone = " No tile of these sizes has a seam in it: there is nothing to compare."
        text = f"{title}: {sweep.model}, counted against {against}."
        self.caption.say(text + alone * sweep.without_seams, warning=sweep.without_seams)
        self.export.setEnabled(True)
        self.canvas.show()
        self.canvas.draw_idle()

    def set_theme(self, theme: str) -> None:
        """Take the colours of a napari theme."""
        colours = get_theme(theme)
        paper, text = (str(c.as_hex()) for c in (colours.background, colours.text))
        if is_dark(theme):
            self._ink = Ink(_long(paper), _long(text), HARMFUL, HARMLESS)
        else:
            self._ink = Ink(_long(paper), _long(text), LIGHT.naive, LIGHT.aligned)
        self._draw()

    def _draw(self) -> None:
        if self._sweep is not None:
            fill_figure(self.canvas.figure, self._sweep, self._ink)
            self.canvas.draw_idle()

    def _ask(self) -> None:
        path = ask_where_to_save(
            self, "Export plot", f"{proposed(self._title)}-tile-sizes.png", _KINDS
        )
        if path is not None:
            self.export_requested.emit(path)


def _long(colour: str) -> str:
    """Write a colour with six digits, as matplotlib wants it."""
    digits = colour.removeprefix("#")
    return f"#{digits}" if len(digits) >= 6 else "#" + "".join(2 * d for d in digits)
