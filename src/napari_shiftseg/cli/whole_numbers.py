"""Whole numbers on the command line, which the parser would else make by rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import get_args

from cyclopts import App, ArgumentCollection

from napari_shiftseg.errors import ShiftSegError


def refuse_fractions(_app: App, _commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Raise ShiftSegError for 64.5 where a whole number is asked for; called by the parser."""
    for argument in arguments:
        kinds = set(_kinds(argument.hint))
        if int not in kinds or float in kinds:
            continue
        for token in argument.tokens:
            if (nearest := _rounded(token.value)) is not None:
                raise ShiftSegError(
                    f"{argument.name} is {token.value}; legal: whole numbers, nearest: {nearest}"
                )


def _rounded(text: str) -> int | None:
    """Return the nearest whole number of a fraction; None of all else."""
    try:
        number = float(text)
    except ValueError:
        return None
    return round(number) if math.isfinite(number) and not number.is_integer() else None


def _kinds(hint: object) -> Iterator[object]:
    """Return the types that a hint is made of."""
    yield hint
    for part in get_args(hint):
        yield from _kinds(part)
