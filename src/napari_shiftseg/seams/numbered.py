"""Any labels as 1, 2, 3 ..., without sorting their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_PART = 2**22
"""Pixels that are numbered at a time."""


def numbered(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Give objects numbers from 1 on, in the order of their labels.

    Returns
    -------
    names : (n,)
        Their labels, ascending.
    numbers : (*spatial) int32
        0 is background.
    """
    flat = labels.reshape(-1)
    if flat.dtype == bool:  # which would choose pixels instead of counting them
        flat = flat.view(np.uint8)
    low, high = int(flat.min(initial=0)), int(flat.max(initial=0))
    if low < 0 or high > 2 * flat.size:  # a table would be larger than what is sorted
        every, inverse = np.unique(flat, return_inverse=True)
        known = every != 0
        table, places = np.where(known, np.cumsum(known), 0).astype(np.int32), inverse
        names = every[known]
    else:
        there = np.zeros(high + 1, bool)
        for start in range(0, flat.size, _PART):
            there[flat[start : start + _PART]] = True
        there[0] = False
        table, places = np.where(there, np.cumsum(there), 0).astype(np.int32), flat
        names = np.flatnonzero(there)
    numbers = np.empty(flat.size, np.int32)
    for start in range(0, flat.size, _PART):
        numbers[start : start + _PART] = table[places[start : start + _PART]]
    return names, numbers.reshape(labels.shape)
