"""Segment all of a lazy image of 20000 x 20000 pixels in napari, and time the window meanwhile.

It takes about half an hour, and 2 GB on the disk. It needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/slide.py FOLDER
"""

from __future__ import annotations

from time import perf_counter
from unittest.mock import patch

from qtpy.QtWidgets import QFileDialog

import stage
from gaps import Gaps
from pictures import folder_of_pictures
from tour import Tour, lazy_slide, settle, wait_until


def main() -> None:
    """Run, photograph, print times."""
    folder, gaps = folder_of_pictures(__doc__), Gaps()
    labels = folder / "slide.ome.zarr"
    with stage.first_day():
        tour = Tour(folder, gaps)
        tour.widget.model.choose("nuclei-2d")
        tour.mode("corrected")
        tour.viewer.add_image(**lazy_slide())
        settle(2)
        bar, began = tour.widget.segment.run.bar, perf_counter()
        with (
            patch.object(QFileDialog, "getSaveFileName", lambda *a, **k: (str(labels), "")),
            tour.timed("run, 20000 x 20000 px into a file"),
        ):
            tour.widget.segment.run.run.click()
            wait_until(lambda: bar.value() > 300)
        tour.shoot("segment-into-file")
        with tour.timed("the end of that run"):
            wait_until(lambda: not tour.busy)
            settle(0.3)
        print(f"{perf_counter() - began:.0f} s, {labels}")
        tour.shoot("segment-file")
        tour.close()
    print(gaps.report())


if __name__ == "__main__":
    main()
