"""What a run in a thread says to the window: progress, partial results, an end or a failure."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from napari_shiftseg.errors import ShiftSegError


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    fraction
        0 to 1.
    text
        What is being done.
    """

    fraction: float
    text: str


@dataclass(frozen=True)
class Partial:
    """A part of a result that can be shown before the rest is there."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """A run that ended with an error that a person can read."""

    message: str


def guarded(events: Iterator[Any]) -> Iterator[Any]:
    """Pass a run's events on; its errors become events too.

    Errors are values here: a RuntimeError that leaves a generator worker is reported by
    none of its signals, and the form would wait for ever.
    """
    try:
        yield from events
    except ShiftSegError as error:
        yield Failure(str(error))
    # Code of a person's network may end itself as a script does, and only ends the run so.
    except (Exception, SystemExit) as error:
        # Whatever a defect raises must end the run where a person sees it.
        logging.getLogger(__name__).exception("a run failed")
        yield Failure(f"The run failed ({type(error).__name__}): {error}")
