"""Labels as good segmentations have them, and cut along a grid."""

import numpy as np


def nuclei(shape, seed=0, radius=9, spacing=26):
    """Discs at jittered places, all apart."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int64)
    starts = np.meshgrid(*(np.arange(spacing // 2, n, spacing) for n in shape), indexing="ij")
    for number, centre in enumerate(np.stack(starts, -1).reshape(-1, len(shape)), start=1):
        place = centre + rng.integers(-4, 5, len(shape))
        size = rng.uniform(0.7, 1.3) * radius
        box = tuple(slice(max(0, p - 2 * radius), p + 2 * radius) for p in place)
        index = np.ogrid[
            tuple(slice(b.start, min(b.stop, n)) for b, n in zip(box, shape, strict=True))
        ]
        distance = sum((i - p) ** 2 for i, p in zip(index, place, strict=True))
        labels[box][(distance < size**2) & (labels[box] == 0)] = number
    return labels


def cut(labels, tile, offset):
    """Give the parts of an object in different tiles labels of their own."""
    cell = np.zeros(labels.shape, np.int64)
    for axis, (t, o) in enumerate(zip(tile, offset, strict=True)):
        shape = [-1 if a == axis else 1 for a in range(labels.ndim)]
        cell = cell * 1000 + ((np.arange(labels.shape[axis]) - o) // t + 1).reshape(shape)
    inside = labels > 0
    pairs = np.stack([labels[inside], cell[inside]], axis=1)
    pieces = np.zeros(labels.shape, np.int64)
    pieces[inside] = np.unique(pairs, axis=0, return_inverse=True)[1].ravel() + 1
    return pieces
