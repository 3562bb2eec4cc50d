"""What the commands that segment share: events to progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, TypeVar

from rich.progress import Progress

from napari_shiftseg.blockwise.run import BlocksDone
from napari_shiftseg.cli.console import note, stderr
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.network_audit.causes import StrategyDone
from napari_shiftseg.tile_sweep import SweepProgress

Result = TypeVar("Result")


_PATIENCE = 5
"""Seconds of a run whose tiles are not worth a line in a log."""


def follow(events: Iterator[Any], result: type[Result]) -> Result:
    """Drain events until the first one of type ``result``; return it.

    Progress is a bar on a terminal, else a line for every twentieth: of blocks at once, of
    tiles in a run that takes longer than some seconds. Of a stack it is a line every few seconds.
    """
    log = _Log()
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("tiles", total=None)
        for event in events:
            if isinstance(event, result):
                return event
            if (found := _progress(event)) is None:
                continue
            done, total, text = found
            bar.update(task, completed=done, total=total, description=text)
            if not stderr.is_terminal:
                log.tell(
                    done,
                    total,
                    text,
                    at_once=isinstance(event, BlocksDone),
                    seldom=isinstance(event, TileDone) and bool(event.frame),
                )
    raise AssertionError("the events end with the result")


def _progress(event: Any) -> tuple[float, float, str] | None:
    """Say how much is done, of how much, and what; None of what is a result on the way."""
    if isinstance(event, TileDone):
        what = "tiles" if event.done < event.total else "clustering"
        frame = f"frame {', '.join(map(str, event.frame))}, " if event.frame else ""
        return event.done, event.total, frame + what
    if isinstance(event, StrategyDone):
        return event.done, event.total, f"{event.strategy} done"
    if isinstance(event, BlocksDone):
        return event.done, event.total, event.stage
    if isinstance(event, SweepProgress):
        return event.fraction, 1, event.text
    return None


class _Log:
    """Lines where no bar is drawn."""

    def __init__(self) -> None:
        self._since, self._last = time.monotonic(), ("", -1)

    def tell(self, done: float, total: float, text: str, *, at_once: bool, seldom: bool) -> None:
        """Write a line if another twentieth is done, or something else is, and time has passed."""
        reached = text, int(20 * done / total)
        late = time.monotonic() - self._since >= _PATIENCE
        if reached != self._last and (at_once or late):
            self._last = reached
            if seldom:
                self._since = time.monotonic()
            share = f"{100 * done:.0f} %" if total == 1 else f"{done:.0f}/{total:.0f}"
            note(f"{text} {share}")
