"""Train a small network in a real napari window, and photograph it.

A few hundred steps on the bundled nuclei, cut into four images of which one is held out. It
needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/train_tour.py docs/images
"""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import napari

from gaps import Gaps
from napari_shiftseg._napari.train.view import COURSE, SET_UP
from napari_shiftseg.samples import load_sample
from pictures import folder_of_pictures
from stage import first_day, open_dock, settle, shoot, wait_until

if TYPE_CHECKING:  # what the form loads is loaded, and timed, when its dock opens
    from napari_shiftseg._napari.train.widget import TrainWidget

PATIENCE = 900
"""Seconds to wait for a training."""

SMALL = {
    "levels": 2,
    "maps": 8,
    "window": (68,),
    "steps": 240,
    "validate_every": 40,
    "learning_rate": 3e-3,
    "average": 0.95,
}
"""A network that learns something in a minute."""

THREADS = 1
"""Processor threads for the network: the others are the window's."""


def main() -> None:
    """Train in both themes, photograph the pages, print how long the window did not answer."""
    folder = folder_of_pictures(__doc__)
    gaps = Gaps()
    with first_day() as home, chdir(home):
        tour(folder, gaps)
    print("\nLongest time that the window did not answer:")
    print(gaps.report())


def tour(folder: Path, gaps: Gaps) -> None:
    """Set up, train, stop, resume, export."""
    viewer = napari.Viewer()
    viewer.theme = "dark"
    viewer.window.resize(1280, 800)
    open_quarters(viewer)
    widget: TrainWidget = open_dock(viewer, "Train", gaps)
    limit_threads()
    view, runner = widget.view, widget.control.runner
    set_up(widget, "my-nuclei.safetensors")
    shoot(viewer, folder / "train-set-up.png")

    gaps.begin("train")
    view.run.run.click()
    wait_until(lambda: widget.control.course.last >= 180, PATIENCE)
    gaps.end()
    gaps.begin("train, with a preview")
    view.preview.now.click()
    wait_until(lambda: "after step" in view.preview.sentence.text(), PATIENCE)
    gaps.end()
    shoot(viewer, folder / "train.png")
    gaps.begin("stop")
    view.run.cancel.click()
    wait_until(lambda: not runner.running, PATIENCE)
    gaps.end()
    view.tabs.setCurrentIndex(SET_UP)
    gaps.begin("resume")
    view.run.run.click()
    wait_until(lambda: not runner.running, PATIENCE)
    gaps.end()
    assert view.tabs.currentIndex() == COURSE
    gaps.begin("export")
    view.export.export.click()
    wait_until(lambda: not widget.control.writing.running, PATIENCE)
    gaps.end()
    print(view.export.best.text())
    viewer.theme = "light"
    settle(6)  # until the notification is gone
    shoot(viewer, folder / "train-light.png")
    viewer.close()


def open_quarters(viewer: napari.Viewer) -> None:
    """Open the nuclei as four images with their labels."""
    sample = load_sample("nuclei")
    height, width = (n // 2 for n in sample.image.shape)
    for number, (y, x) in enumerate(((0, 0), (0, width), (height, 0), (height, width)), 1):
        part = (slice(y, y + height), slice(x, x + width))
        placed = {"translate": (y, x)}
        viewer.add_image(sample.image[part], name=f"nuclei {number}", **placed)
        viewer.add_labels(sample.truth[part], name=f"nuclei {number}: truth", **placed)
        viewer.layers[-1].visible = False
    viewer.add_image(sample.image, name="all nuclei", contrast_limits=(0, 60))
    viewer.reset_view()


def limit_threads() -> None:
    """Leave processor threads to the window."""
    import torch

    torch.set_num_threads(THREADS)


def set_up(widget: TrainWidget, output: str) -> None:
    """Fill the form in."""
    view = widget.view
    for _ in range(3):
        view.data.add.click()
    for name, value in SMALL.items():
        view.settings.editors[name].show_value(value)
    view.output.path.setText(output)
    settle()


if __name__ == "__main__":
    main()
