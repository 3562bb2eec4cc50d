"""What the axes of a layer are called, in one letter each."""

from __future__ import annotations

from collections.abc import Sequence

_WORDS = {"time": "t", "channel": "c", "channels": "c", "depth": "z"}
"""Words for axes that people use instead of letters."""

_KNOWN = "tczyx"

_USUAL = {"yx": ("", "t", "tz", "tcz"), "zyx": ("", "t", "tc")}
"""What the axes before those of a model most likely are; OME-Zarr knows all of these."""

_OTHER = "pqrnklmhg"
"""Letters for axes beyond, whose kind nobody knows."""


def letters_of(names: Sequence[str]) -> str | None:
    """Return one letter per axis, None if the names do not say what each of them is."""
    letters = [_WORDS.get(name.lower(), name.lower()) for name in names]
    distinct = len(set(letters)) == len(letters) > 0
    return "".join(letters) if distinct and set(letters) <= set(_KNOWN) else None


def usual_loops(spatial: str, count: int) -> str:
    """Name axes that nobody has named.

    Parameters
    ----------
    spatial
        The axes after them, as ``"zyx"``.
    count
        How many there are.
    """
    usual = _USUAL[spatial]
    known = usual[min(count, len(usual) - 1)]
    return _OTHER[: count - len(known)] + known
