"""Check and repair labels that were cut, in a real napari window, and photograph it.

The bundled nuclei are cut along a grid that the widget is not told of, and some pieces are
lost. It needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/check_tour.py docs/images
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
from numpy.typing import NDArray

from gaps import Gaps
from napari_shiftseg.samples import load_sample
from pictures import folder_of_pictures
from stage import first_day, open_dock, settle, shoot, wait_until

if TYPE_CHECKING:  # what the form loads is loaded, and timed, when its dock opens
    from napari_shiftseg._napari.check.widget import CheckWidget

PATIENCE = 120
"""Seconds to wait for a check."""

TILE, OFFSET = 140, 30
"""The grid that is to be found."""

LOST = 0.04
"""Share of objects that are lost after the cut, so that some pieces have no other."""


def main() -> None:
    """Check and repair in both themes, print how long the window did not answer."""
    folder = folder_of_pictures(__doc__)
    gaps = Gaps()
    with first_day():
        tour(folder, gaps, "dark", "check")
        tour(folder, gaps, "light", "check-light")
    print("\nLongest time that the window did not answer:")
    print(gaps.report())


def tour(folder: Path, gaps: Gaps, theme: str, name: str) -> None:
    """Open, check, go to a cut, repair, undo; in the light theme grid and image are given."""
    viewer = napari.Viewer()
    gaps.watch_canvas(viewer)
    viewer.theme = theme
    viewer.window.resize(1280, 800)
    sample = load_sample("nuclei")
    image = viewer.add_image(sample.image, name="nuclei", contrast_limits=(0, 60))
    viewer.add_labels(cut(sample.truth), name="labels of another program", opacity=0.6)
    widget: CheckWidget = open_dock(viewer, "Check labels", gaps)
    view, control = widget.view, widget.control
    settle()
    viewer.reset_view()
    if theme == "light":
        view.grid.show_grid((TILE, TILE), (OFFSET, OFFSET))
        view.image.choose(image)
    settle()
    gaps.begin("check")
    view.run.run.click()
    wait_until(lambda: not control.runner.running and not control.turns.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    print(view.finding.text())
    shoot(viewer, folder / f"{name}.png")
    gaps.begin("go to a cut")
    view.table.selectRow(2)
    settle(0.3)
    gaps.end()
    gaps.begin("repair")
    view.repair.repair.click()
    wait_until(lambda: not control.repairs.running and not control.turns.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    print(view.repair.done.text())
    shoot(viewer, folder / f"{name.replace('check', 'check-repair')}.png")
    gaps.begin("undo the repair")
    view.repair.undo.click()
    settle(0.3)
    gaps.end()
    viewer.close()


def cut(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give the parts of an object in different tiles numbers of their own; lose some of them."""
    rows, columns = ((np.arange(n) - OFFSET) // TILE + 1 for n in labels.shape)
    tiles = rows[:, None] * (columns.max() + 1) + columns
    numbers = labels.astype(np.int64) * (tiles.max() + 1) + tiles
    _, pieces = np.unique(np.where(labels > 0, numbers, 0), return_inverse=True)
    pieces = pieces.reshape(labels.shape)
    lost = np.random.default_rng(1).random(pieces.max() + 1) < LOST
    kept: NDArray[np.int32] = np.where(lost[pieces], 0, pieces).astype(np.int32)
    return kept


if __name__ == "__main__":
    main()
