"""What the axes of a layer are called, in one letter each."""

from __future__ import annotations

from collections.abc import Sequence

from napari_shiftseg.image.axes import Reads

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


def loops_of(axes: str, reads: Reads, count: int) -> str:
    """Name the axes of an image that a network does not see.

    Parameters
    ----------
    axes
        One letter per axis of the image's array, empty if they are not known.
    reads
        What the network sees.
    count
        How many axes it does not see.
    """
    seen = f"{reads.axes}s" if reads.channels == 1 else f"{reads.axes}sc"
    loops = "".join(axis for axis in axes if axis not in seen)
    return loops if len(loops) == count else usual_loops(reads.axes, count)


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
