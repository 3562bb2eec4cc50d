"""Legal ranges of numbers, beside the defaults of the settings that they belong to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import isfinite
from operator import ge, gt, le, lt
from typing import Any

from napari_shiftseg.errors import ShiftSegError

_LIMITS = {
    "at_least": ("at least", ge),
    "above": ("more than", gt),
    "at_most": ("at most", le),
    "below": ("less than", lt),
}


@dataclass(frozen=True)
class Legal:
    """A range of finite numbers.

    Parameters
    ----------
    at_least, above
        Smallest number, in the range or not; None for none.
    at_most, below
        Largest number, in the range or not; None for none.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        limits = self._given()
        return isfinite(value) and all(_LIMITS[name][1](value, limit) for name, limit in limits)

    def __str__(self) -> str:
        return " and ".join(f"{_LIMITS[name][0]} {limit:g}" for name, limit in self._given())

    def nearest(self, value: float) -> float | None:
        """Return the end of the range that is next to a value beyond it; None if it has no end."""
        if self.at_most is not None and value > self.at_most:
            return self.at_most
        if self.at_least is not None and value < self.at_least:
            return self.at_least
        return None

    def _given(self) -> list[tuple[str, float]]:
        return [(name, limit) for name, limit in vars(self).items() if limit is not None]


def number(default: float | None, **limits: float) -> Any:
    """Declare a dataclass's field with its legal range.

    Parameters
    ----------
    default
        Its default.
    limits
        As of :class:`Legal`.
    """
    return dataclasses.field(default=default, metadata={"legal": Legal(**limits)})


def refuse_illegal(settings: Any) -> None:
    """Check the numbers of a dataclass.

    Raises
    ------
    ShiftSegError
        If one is outside of its range.
    """
    for field in dataclasses.fields(settings):
        legal, value = legal_range(field), getattr(settings, field.name)
        if legal is not None and value is not None and value not in legal:
            nearest = legal.nearest(value)
            meant = "" if nearest is None else f"; nearest: {nearest:g}"
            raise ShiftSegError(f"{field.name} is {value}; legal: {legal}{meant}")


def legal_range(field: dataclasses.Field[Any]) -> Legal | None:
    """Return the range that :func:`number` has declared."""
    return field.metadata.get("legal")
