"""How counts and probabilities are written for people."""

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


def p_value(value: float, digits: int = 2) -> str:
    """Write a p-value: ``"p = 0.0041"``; of one too small for a float a bound."""
    return f"p = {value:.{digits}g}" if value else "p < 1e-300"
