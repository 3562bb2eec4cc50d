"""Drive the Segment widget in a real napari window and photograph it.

The pictures of the documentation are made by this script. It needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/screenshots.py docs/images
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import napari
from napari.settings import get_settings
from qtpy.QtWidgets import QApplication

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.segment_widget import SegmentWidget

PATIENCE = 300
"""Seconds to wait for a run."""


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    get_settings().application.save_window_geometry = False
    photograph_discs(folder)
    photograph_nuclei(folder)


def photograph_discs(folder: Path) -> None:
    """Show the grid before anything runs, then what naive stitching does to discs."""
    viewer, widget = open_sample("discs", theme="dark")
    camera_of(viewer).zoom = 3.2
    shoot(viewer, folder / "widget-grid.png")
    widget.run.compare.click()
    wait_until(lambda: widget.runner.running and widget.run.bar.value() > 300)
    shoot(viewer, folder / "widget-running.png")
    wait_until(lambda: not widget.runner.running)
    viewer.reset_view()
    shoot(viewer, folder / "widget-compare.png")
    widget.result.splits.selectRow(2)
    shoot(viewer, folder / "widget-split.png")
    widget.result.view.choose("embedding")
    viewer.reset_view()
    shoot(viewer, folder / "widget-embedding.png")
    viewer.close()


def photograph_nuclei(folder: Path) -> None:
    """Segment real nuclei, in the light theme."""
    viewer, widget = open_sample("nuclei", theme="light")
    shoot(viewer, folder / "widget-grid-light.png")
    widget.run.compare.click()
    wait_until(lambda: not widget.runner.running)
    shoot(viewer, folder / "widget-compare-light.png")
    widget.result.view.choose("embedding")
    shoot(viewer, folder / "widget-embedding-light.png")
    viewer.close()


def open_sample(name: str, *, theme: str) -> tuple[napari.Viewer, SegmentWidget]:
    """Open a window of 1280 x 800 with the widget and a sample."""
    viewer = napari.Viewer()
    viewer.theme = theme
    viewer.window.resize(1280, 800)
    _, widget = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
    viewer.open_sample("napari-shiftseg", name)
    settle()
    viewer.reset_view()
    return viewer, widget


def shoot(viewer: napari.Viewer, path: Path) -> None:
    """Save a picture of the whole window."""
    settle()
    viewer.window.screenshot(path=str(path), canvas_only=False, flash=False)
    print(path)


def settle() -> None:
    """Let the window draw itself."""
    until = monotonic() + 0.5
    while monotonic() < until:
        QApplication.processEvents()


def wait_until(condition: Callable[[], bool]) -> None:
    """Keep the window alive until something is true."""
    until = monotonic() + PATIENCE
    while not condition():
        if monotonic() > until:
            raise TimeoutError("the run takes too long")
        QApplication.processEvents()


if __name__ == "__main__":
    main()
