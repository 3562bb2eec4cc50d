"""Drive the plugin in a real napari window, photograph it, and time how long it does not answer.

The pictures of the documentation are made by this script. It needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/tour.py docs/images
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import napari
import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes, Vectors

import stage
from gaps import Gaps
from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg.samples import load_sample
from pictures import folder_of_pictures

if TYPE_CHECKING:  # what the form loads is loaded, and timed, when its dock opens
    from napari_shiftseg._napari.segment_widget import SegmentWidget

PATIENCE = 3600
"""Seconds to wait for a run."""

LAZY = 20_000
"""Edge of the image that is never in memory, in pixels."""

# No rests: what is timed is a window that is looked at all the time.
settle = partial(stage.settle, rest=0)
wait_until = partial(stage.wait_until, patience=PATIENCE, rest=0)


class Tour:
    """A window of 1280 x 800 with the widget, and what a person does in it.

    Parameters
    ----------
    folder
        Where pictures go.
    gaps
        What times the window.
    theme
        ``"dark"`` or ``"light"``.
    """

    def __init__(self, folder: Path, gaps: Gaps, theme: str = "dark") -> None:
        self.folder, self.gaps = folder, gaps
        self.viewer = napari.Viewer()
        gaps.watch_canvas(self.viewer)
        self.viewer.theme = theme
        self.viewer.window.resize(1280, 800)
        self.widget: SegmentWidget = stage.open_dock(self.viewer, "Segment", gaps)

    def open(self, name: str) -> None:
        """Open a sample."""
        self.viewer.open_sample("napari-shiftseg", name)
        settle()
        self.viewer.reset_view()

    def tab(self, index: int) -> None:
        """Turn to a tab: 0 Segment, 1 Compare, 2 Correct."""
        self.widget.tabs.setCurrentIndex(index)

    @property
    def busy(self) -> bool:
        """Whether anything runs in a thread."""
        widget = self.widget
        runners = (widget.runner, widget.compare_control.runner)
        running = any(runner.running for runner in runners)
        return running or widget.control.live.busy or widget.turns.busy

    def do(self, what: str, act: Callable[[], Any]) -> None:
        """Do something, wait for its end, and time the window all the while."""
        with self.timed(what):
            act()
            wait_until(lambda: not self.busy)
            settle(0.3)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Time the window while something is done."""
        self.gaps.begin(what)
        yield
        self.gaps.end()

    def mode(self, name: str) -> None:
        """Choose a stitch mode."""
        self.widget.segment.stitch.switch.buttons[name].click()

    def run(self, what: str) -> None:
        """Press Run."""
        self.do(what, self.widget.segment.run.run.click)

    def shoot(self, name: str) -> None:
        """Save a picture of the whole window."""
        stage.shoot(self.viewer, self.folder / f"{name}.png", after=0.5)

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()


def main() -> None:
    """Take all pictures, print all times."""
    folder = folder_of_pictures(__doc__)
    gaps = Gaps()
    with stage.first_day():
        for scene in (napari_alone, nuclei, discs, other_axes, larger_than_memory):
            scene(folder, gaps)
        in_the_light(folder, gaps)
    print(
        "\nLongest time that the window did not answer, and what napari took of it in milliseconds:"
    )
    print(gaps.report())


def napari_alone(folder: Path, gaps: Gaps) -> None:
    """Time what napari itself takes for one call: the measure for everything else."""
    viewer = napari.Viewer()
    gaps.watch_canvas(viewer)
    viewer.window.resize(1280, 800)
    viewer.open_sample("napari-shiftseg", "nuclei")
    settle(2)
    numbers, shape = np.random.default_rng(0), (520, 696)
    layers = {
        "a labels layer": Labels(np.zeros(shape, np.int32)),
        "a picture": Image(np.zeros((*shape, 3), np.uint8), rgb=True),
        "100 points": Points(numbers.random((100, 2)) * 500),
        "100 vectors": Vectors(numbers.random((100, 2, 2)) * 500),
        "a rectangle": Shapes(np.array([[0, 0], [0, 90], [90, 90], [90, 0]])),
    }
    draw = viewer.window._qt_viewer.canvas.native.repaint
    for what, layer in layers.items():
        alone(gaps, f"add {what}", partial(viewer.layers.append, layer))
        alone(gaps, f"draw {what} for the first time", draw)
        settle(0.3)
    alone(gaps, "draw the canvas", draw)
    alone(gaps, "show a hidden labels layer", partial(show_again, layers["a labels layer"]))
    for what, layer in layers.items():
        settle(0.3)
        alone(gaps, f"remove {what}", partial(viewer.layers.remove, layer))
    viewer.close()


def alone(gaps: Gaps, what: str, call: Callable[[], Any]) -> None:
    """Time nothing but one call of napari."""
    gaps.begin(f"(napari alone: {what})")
    call()
    gaps.end()


def show_again(layer: Layer) -> None:
    """Hide and show a layer."""
    layer.visible = False
    layer.visible = True


def nuclei(folder: Path, gaps: Gaps) -> None:
    """Segment real nuclei: grid, preview, each mode, live clustering, embedding, jumps."""
    tour = Tour(folder, gaps)
    segment = tour.widget.segment
    tour.open("nuclei")
    tour.shoot("segment-start")
    tour.mode("naive")
    tour.do("move the tile slider", lambda: segment.stitch.size.slider.setValue(100))
    tour.shoot("segment-grid")
    tour.do("preview", segment.run.preview.click)
    tour.mode("corrected")
    with tour.timed("run, corrected"):
        segment.run.run.click()
        wait_until(lambda: segment.run.bar.value() > 450)
    tour.shoot("segment-running")
    with tour.timed("the end of that run"):
        wait_until(lambda: not tour.busy)
        settle(0.3)
    tour.shoot("segment-labels")
    tour.run("run, corrected, again")
    for mode in ("naive", "whole", "blended"):
        tour.mode(mode)
        tour.run(f"run, {mode}")
    bandwidth = segment.clusters.controls["bandwidth"]
    tour.do("move the bandwidth slider", lambda: bandwidth.setValue(0.6))
    tour.do("show the embedding", segment.result.view.buttons["embedding"].click)
    tour.shoot("segment-embedding")
    tour.do("measure jumps", segment.result.jumps.click)
    tour.close()


def discs(folder: Path, gaps: Gaps) -> None:
    """Compare naive with corrected on the paper's discs, then mend by hand."""
    tour = Tour(folder, gaps)
    compare, control = tour.widget.compare, tour.widget.compare_control
    tour.open("discs")
    tour.tab(1)
    tour.do("compare naive with corrected", compare.run.run.click)
    tour.do("compare again", compare.run.run.click)
    tour.do("go to the next split", control.next_split)
    tour.shoot("compare-splits")
    tour.viewer.reset_view()
    tour.widget.segment.stitch.grid.setChecked(False)
    tour.do("draw the curtain", lambda: compare.show_as.switch.buttons["curtain"].click())
    tour.do("move the curtain", lambda: compare.show_as.slider.setValue(300))
    tour.shoot("compare-curtain")
    tour.do("show side by side", lambda: compare.show_as.switch.buttons["side by side"].click())
    tour.shoot("compare-side-by-side")
    tour.do("back to A", lambda: compare.show_as.switch.buttons["A"].click())
    tour.do("side by side again", lambda: compare.show_as.switch.buttons["side by side"].click())
    tour.do("the curtain again", lambda: compare.show_as.switch.buttons["curtain"].click())
    tour.do("blink", lambda: compare.show_as.switch.buttons["blink"].click())
    tour.do("show A", lambda: compare.show_as.switch.buttons["A"].click())
    compare.show_page("plot")
    tour.do("sweep the tile size", compare.plot.run.run.click)
    tour.shoot("compare-plot")
    correct(tour)
    tour.close()


def correct(tour: Tour) -> None:
    """Mend what seams cut."""
    correct = tour.widget.correct
    tour.tab(2)
    naive = next(n for n in tour.viewer.layers if n.name.startswith("Labels (naive"))
    correct.layers.choose(naive)
    camera_of(tour.viewer).zoom = 6
    settle()
    tour.do("mend all seam splits", correct.mend.click)
    correct.tools.buttons["merge"].click()
    tour.shoot("correct")


def other_axes(folder: Path, gaps: Gaps) -> None:
    """Segment a time series, channels, and a stack of slices."""
    tour = Tour(folder, gaps)
    tour.widget.model.choose("nuclei-2d")
    nuclei = load_sample("nuclei").image
    tour.mode("corrected")
    series = np.stack([nuclei[:260, 8 * t : 8 * t + 260] for t in range(4)])
    tour.viewer.add_image(series, name="Series", axis_labels=("t", "y", "x"))
    tour.run("run, 2-D and time")
    tour.shoot("segment-series")
    tour.viewer.layers.clear()
    channels = np.stack([nuclei[:260, :260], nuclei[260:, 300:560]])
    tour.viewer.add_image(channels, name="Channels", axis_labels=("c", "y", "x"))
    tour.run("run, two channels")
    tour.viewer.layers.clear()
    tour.open("nuclei-3d")
    tour.run("run, a 3-D stack slice by slice")
    tour.viewer.dims.ndisplay = 3
    tour.shoot("segment-stack")
    tour.close()


def larger_than_memory(folder: Path, gaps: Gaps) -> None:
    """Preview a lazy image of 20000 x 20000 pixels, and segment a rectangle of it."""
    tour = Tour(folder, gaps)
    tour.widget.model.choose("nuclei-2d")
    segment = tour.widget.segment
    tour.mode("corrected")
    tour.viewer.add_image(**lazy_slide())
    camera = camera_of(tour.viewer)
    camera.zoom, camera.center = 1, (0, LAZY / 2, LAZY / 2)
    settle(2)
    tour.do("preview of 20000 x 20000 px", segment.run.preview.click)
    segment.image.region.buttons["drawn"].click()
    low, high = LAZY / 2 - 250, LAZY / 2 + 250
    tour.viewer.layers["Region"].add_rectangles(
        np.array([[low, low], [low, high], [high, high], [high, low]])
    )
    tour.run("run, a rectangle of 20000 x 20000 px")
    tour.shoot("segment-lazy")
    tour.close()


def lazy_slide() -> dict[str, Any]:
    """Make an image that is never in memory, as napari's ``add_image`` takes it."""
    field = np.tile(load_sample("nuclei").image[:500, :500], (2, 2))
    lazy = da.tile(da.from_array(field), (LAZY // 1000, LAZY // 1000))
    levels = [lazy[:: 2**k, :: 2**k] for k in range(6)]
    return {"data": levels, "name": "Lazy", "contrast_limits": (0, int(field.max()))}


def in_the_light(folder: Path, gaps: Gaps) -> None:
    """Photograph the three tabs in the light theme."""
    tour = Tour(folder, gaps, theme="light")
    tour.open("nuclei")
    tour.shoot("segment-light")
    tour.tab(1)
    tour.do("compare on nuclei", tour.widget.compare.run.run.click)
    tour.shoot("compare-light")
    tour.tab(2)
    tour.shoot("correct-light")
    tour.close()


if __name__ == "__main__":
    main()
