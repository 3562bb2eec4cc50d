"""What a file says of one channel: its name, its colour, and how bright it is to be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.units import finite_number

_WHOLE = 255

_COLOURS = ("red", "green", "blue", "alpha")


@dataclass(frozen=True)
class Channel:
    """One channel of an image.

    Parameters
    ----------
    name
        Empty if the file gives none.
    colour
        As ``#rrggbb``; None for grey, or if the file says nothing.
    shown
        Pixel values that are to be black and brightest; None if the file says nothing.
    """

    name: str = ""
    colour: str | None = None
    shown: tuple[float, float] | None = None


def channel_axis(axes: str) -> int | None:
    """Return the number of the axis of channels, or else of the colours of RGB."""
    return next((axes.find(letter) for letter in "cs" if letter in axes), None)


def channel_number(which: int | str, names: Sequence[str]) -> int:
    """Find a channel by its number from 0, or by its name.

    Parameters
    ----------
    which
        A number wins over a name of digits; small and capital letters are the same.
    names
        Of all channels, empty where one has none.

    Raises
    ------
    ShiftSegError
        If there is no such channel, or more than one of that name.
    """
    text = str(which).strip()
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    names = [name.strip() for name in names]
    found = [i for i, name in enumerate(names) if name and name.casefold() == text.casefold()]
    if len(found) > 1:
        raise ShiftSegError(
            f"{len(found)} channels are called {text}; give the number of one: "
            f"{' or '.join(map(str, found))}"
        )
    if not found:
        legal = ", ".join(f"{i} or {name}" if name else f"{i}" for i, name in enumerate(names))
        raise ShiftSegError(f"the channel is {text}; legal: {legal}")
    return found[0]


def names_in(channels: Sequence[Channel]) -> list[str]:
    """Return the name of each channel that a file tells of."""
    return [channel.name for channel in channels]


def names_of(channels: Sequence[Channel], count: int, *, colours: bool = False) -> list[str]:
    """Return the name of each of ``count`` channels, or colours, empty where one has none."""
    known = _COLOURS if colours else names_in(channels)
    return [known[i] if i < len(known) else "" for i in range(count)]


def colour_of(values: Sequence[int]) -> str | None:
    """Return red, green and blue as ``#rrggbb``; None for grey, which is what has no colour."""
    red, green, blue = values
    return None if red == green == blue else f"#{red:02x}{green:02x}{blue:02x}"


def colour_of_number(text: str | None) -> str | None:
    """Read OME-TIFF's colours: red, green, blue and alpha as one signed 32-bit number."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return colour_of([number >> shift & _WHOLE for shift in (24, 16, 8)])


def colour_of_digits(text: Any) -> str | None:
    """Read OME-Zarr's colours, six hexadecimal digits."""
    if not isinstance(text, str) or not re.fullmatch("#?[0-9a-fA-F]{6}", text):
        return None
    return colour_of(list(bytes.fromhex(text.removeprefix("#"))))


def colour_of_table(table: Any) -> str | None:
    """Read ImageJ's lookup table, ``(3, 256)``; None if it is more than one colour growing."""
    values = np.asarray(table)
    if values.shape != (3, _WHOLE + 1) or values.dtype.kind not in "ui":
        return None
    growing = np.arange(_WHOLE + 1) / _WHOLE * values[:, -1:]
    if np.abs(values - growing).max() > 1:
        return None
    return colour_of(values[:, -1].tolist())


def shown_between(low: Any, high: Any) -> tuple[float, float] | None:
    """Return a range of pixel values if it is one."""
    first, last = finite_number(low), finite_number(high)
    return None if first is None or last is None or first >= last else (first, last)
