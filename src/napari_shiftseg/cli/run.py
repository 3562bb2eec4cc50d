"""What the commands that segment share: events to progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from rich.progress import Progress

from napari_shiftseg.blockwise.run import BlocksDone
from napari_shiftseg.cli.console import note, stderr
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.network_audit.causes import StrategyDone
from napari_shiftseg.tile_sweep import SweepProgress

Result = TypeVar("Result")


def follow(events: Iterator[Any], result: type[Result]) -> Result:
    """Drain events with a progress bar until the first one of type ``result``; return it."""
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("tiles", total=None)
        for event in events:
            if isinstance(event, result):
                return event
            if isinstance(event, TileDone):
                title = "tiles" if event.done < event.total else "clustering"
                bar.update(task, completed=event.done, total=event.total, description=title)
            if isinstance(event, StrategyDone):
                title = f"{event.strategy} done"
                bar.update(task, completed=event.done, total=event.total, description=title)
            if isinstance(event, BlocksDone):
                _tell(event)
                bar.update(task, completed=event.done, total=event.total, description=event.stage)
            if isinstance(event, SweepProgress):
                bar.update(task, completed=event.fraction, total=1, description=event.text)
    raise AssertionError("the events end with the result")


def _tell(blocks: BlocksDone) -> None:
    """Write a line for every twentieth of the blocks where no bar is drawn: into a log."""
    every = max(1, blocks.total // 20)
    if not stderr.is_terminal and blocks.done % every == 0:
        note(f"{blocks.stage} {blocks.done}/{blocks.total}")
