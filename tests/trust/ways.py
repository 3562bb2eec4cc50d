"""The ways into the program that each case of the corpus takes, and whether what comes is right."""

from __future__ import annotations

import contextlib
import resource
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from corpus import Case, Expected, Message, Result
from shell import Outcome, call

from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.image.files import open_image

SPARE = 3 * 2**30
"""Bytes that a case may take beyond what the process has: a bomb must not go off."""


@dataclass(frozen=True)
class Answer:
    """What came of a case on one way.

    Parameters
    ----------
    case, way
        Which.
    said
        The result or the message, for people.
    wrong
        What is wrong with it; empty if nothing is.
    """

    case: str
    way: str
    said: str
    wrong: str


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Have allocations of more than ``SPARE`` fail, as they do on a small computer."""
    former = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + SPARE, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, former)


def by_library(case: Case, path: Path, _model: Path, _capture: Any) -> Answer:
    """Open the file."""
    try:
        with warnings.catch_warnings(action="ignore", category=ShiftSegWarning):
            image = open_image(path)
    except ShiftSegError as error:
        return _judged(case, "open", case.opened, None, str(error))
    except Exception as error:
        return Answer(case.name, "open", "", f"raises {type(error).__name__}: {error}")
    known = Result(tuple(image.pixels.shape), str(np.dtype(image.pixels.dtype)))
    wanted = case.opened
    if isinstance(wanted, Result):
        wanted = Result(wanted.shape, str(np.dtype(wanted.dtype)))
    return _judged(case, "open", wanted, known, "")


def by_segment(case: Case, path: Path, model: Path, capture: Any) -> Answer:
    """Segment it at the command line."""
    output = model.parent / "labels.tif"
    output.unlink(missing_ok=True)
    answer = call(capture, "segment", path.absolute(), "-m", model, "-o", output)
    left = sorted(p.name for p in model.parent.iterdir() if p not in (model, output))
    if left:
        return Answer(case.name, "segment", "", f"leaves {left}")
    if answer.code == 0 and output.exists():
        return _judged(case, "segment", case.segmented, Result(open_image(output).pixels.shape), "")
    if output.exists():
        return Answer(case.name, "segment", "", "is refused, and writes labels")
    return _refused(case, "segment", case.segmented, answer)


def by_check(case: Case, path: Path, _model: Path, capture: Any) -> Answer:
    """Check it as labels at the command line."""
    answer = call(capture, "check", path.absolute(), "--tile", "8")
    if answer.code == 0:
        return _judged(case, "check", case.checked, Result(()), "")
    return _refused(case, "check", case.checked, answer)


WAYS: dict[str, tuple[str, Callable[[Case, Path, Path, Any], Answer]]] = {
    "open": ("opened", by_library),
    "segment": ("segmented", by_segment),
    "check": ("checked", by_check),
}


def _refused(case: Case, way: str, expected: Expected, answer: Outcome) -> Answer:
    if not answer.refused:
        return Answer(case.name, way, "", f"ends with code {answer.code}: {answer.err[-2000:]}")
    return _judged(case, way, expected, None, answer.err.strip().removeprefix("shiftseg: "))


def _judged(case: Case, way: str, expected: Expected, result: Result | None, said: str) -> Answer:
    shown = said or f"{' x '.join(map(str, result.shape))} {result.dtype}".strip() or "a report"
    wrong = ""
    if isinstance(expected, Message):
        missing = [word for word in expected.words if word not in said]
        if result is not None or missing:
            wrong = f"expected a message with {expected.words}"
    elif result != expected:
        wrong = f"expected {expected}"
    return Answer(case.name, way, shown, wrong)
