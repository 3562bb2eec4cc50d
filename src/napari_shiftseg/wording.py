"""How counts are written for people."""

from __future__ import annotations


def counted(number: int, noun: str, *, none: str = "0") -> str:
    """Write a number with its noun: ``"1 object"``, ``"2 objects"``.

    Parameters
    ----------
    number
        How many there are.
    noun
        What they are, in the singular.
    none
        What is written for 0.
    """
    return f"{number or none} {noun}{'' if number == 1 else 's'}"
