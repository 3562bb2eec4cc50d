"""Labels of another program, whole and cut, and what the widget shows of them."""

import numpy as np

from napari_shiftseg._napari.ring_layers import CHECKED
from napari_shiftseg._napari.tags import own_layers


def discs(shape=(200, 230)):
    """Discs, none of them touching another."""
    labels = np.zeros(shape, int)
    rows, columns = np.indices(shape)
    centres = ((y, x) for y in range(12, shape[0], 24) for x in range(12, shape[1], 25))
    for number, (y, x) in enumerate(centres, start=1):
        labels[(rows - y) ** 2 + (columns - x) ** 2 < 60 + number % 30] = number
    return labels


def cut(whole, tile=40, offset=0):
    rows, columns = ((np.indices(whole.shape) - offset) // tile) + 1
    pieces = np.unique(whole * 10_000 + rows * 100 + columns, return_inverse=True)[1]
    return np.where(whole > 0, pieces.reshape(whole.shape) + 1, 0)


def rings(viewer):
    return next(iter(own_layers(viewer, kind=CHECKED)), None)


def rows(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]
