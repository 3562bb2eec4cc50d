"""Any labels as 1, 2, 3 ..., without sorting their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_PART = 2**22
"""Pixels that are numbered at a time."""


def names_of(labels: NDArray[Any]) -> NDArray[Any]:
    """Return the labels of all objects, ascending."""
    flat = _flat(labels)
    there = _there(flat)
    if there is not None:
        return np.flatnonzero(there)
    every = np.unique(flat)
    names: NDArray[Any] = every[every != 0]
    return names


def numbered(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Give objects numbers from 1 on, in the order of their labels.

    Returns
    -------
    names : (n,)
        Their labels, ascending.
    numbers : (*spatial) int32
        0 is background.
    """
    flat = _flat(labels)
    there = _there(flat)
    if there is not None:
        known, places = there, flat
        names = np.flatnonzero(known)
    else:
        every, places = np.unique(flat, return_inverse=True)
        known = every != 0
        names = every[known]
    table = np.where(known, np.cumsum(known), 0).astype(np.int32)
    numbers = np.empty(flat.size, np.int32)
    for start in range(0, flat.size, _PART):
        numbers[start : start + _PART] = table[places[start : start + _PART]]
    return names, numbers.reshape(labels.shape)


def _flat(labels: NDArray[Any]) -> NDArray[Any]:
    flat = labels.reshape(-1)
    # Booleans would choose pixels instead of counting them.
    return flat.view(np.uint8) if flat.dtype == bool else flat


def _there(flat: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Tell of each label up to the largest whether there is such an object.

    None if labels are negative, or a table of them would be larger than what is sorted.
    """
    low, high = int(flat.min(initial=0)), int(flat.max(initial=0))
    if low < 0 or high > 2 * flat.size:
        return None
    there = np.zeros(high + 1, bool)
    for start in range(0, flat.size, _PART):
        there[flat[start : start + _PART]] = True
    there[0] = False
    return there
