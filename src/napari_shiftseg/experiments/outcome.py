"""What re-running one figure of the paper gives: numbers, a picture, and a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from napari_shiftseg.files import file_beside, write_text

SUFFIXES = (".json", ".png", ".svg")
"""Of the files that a figure is written to."""


@dataclass(frozen=True)
class Outcome:
    """One re-run figure.

    Parameters
    ----------
    name
        As on the command line: ``"fig4a"``.
    claim
        What the paper says, in one sentence.
    found
        What was measured here, in one sentence.
    holds
        Whether that is what the paper says.
    numbers
        Plain JSON values.
    draw
        Fills a figure.
    size
        Width and height of the picture in inches.
    """

    name: str
    claim: str
    found: str
    holds: bool
    numbers: dict[str, Any]
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (9.0, 3.4)

    @property
    def verdict(self) -> str:
        """One line for people."""
        return f"{self.name}: {'holds' if self.holds else 'NOT REPRODUCED'}: {self.found}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the picture as plain JSON values."""
        return {
            "figure": self.name,
            "claim": self.claim,
            "found": self.found,
            "holds": self.holds,
            "numbers": self.numbers,
        }

    def write(self, folder: Path, **settings: Any) -> None:
        """Write NAME.json, NAME.png and NAME.svg; existing ones are replaced."""
        figure = Figure(figsize=self.size, dpi=160, layout="constrained")
        self.draw(figure)
        with file_beside(folder / f"{self.name}.png") as partial:
            FigureCanvasAgg(figure).print_png(partial)
        with file_beside(folder / f"{self.name}.svg") as partial:
            FigureCanvasSVG(figure).print_svg(partial)
        document = json.dumps(self.to_dict() | settings, indent=2, allow_nan=False)
        write_text(folder / f"{self.name}.json", document + "\n")
