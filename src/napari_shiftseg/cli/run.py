"""What the commands that segment share: events to progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from rich.progress import Progress

from napari_shiftseg.cli.console import stderr
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.pipeline import Segmentation

Result = TypeVar("Result")


def follow(events: Iterator[TileDone | Segmentation | Result]) -> TileDone | Segmentation | Result:
    """Drain a pipeline's events with a progress bar; return the last one, the result."""
    last: TileDone | Segmentation | Result | None = None
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("tiles", total=None)
        for last in events:
            if isinstance(last, TileDone):
                done = last.tile.index + 1
                title = "tiles" if done < last.total else "clustering"
                bar.update(task, completed=done, total=last.total, description=title)
    assert last is not None
    return last
