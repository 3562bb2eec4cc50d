"""Which labels layer is most likely the ground truth of an image, by size and name."""

from __future__ import annotations

import re
from collections.abc import Collection

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer

from napari_shiftseg._napari.tags import tag_of


def likely_labels(image: Layer, viewer: Viewer, taken: Collection[Labels]) -> Labels | None:
    """Return labels of the image's size that no other image has a better claim to.

    Parameters
    ----------
    image
        The image.
    viewer
        Whose layers.
    taken
        Labels that are those of another image.
    """
    others = [
        layer
        for layer in viewer.layers
        if isinstance(layer, Image) and layer != image and not tag_of(layer).get("kind")
    ]
    fitting = [
        layer
        for layer in viewer.layers
        if isinstance(layer, Labels) and layer not in taken and _fits(layer, image)
    ]
    free = [
        layer
        for layer in fitting
        if not any(
            _fits(layer, other) and _distance(other, layer) < _distance(image, layer)
            for other in others
        )
    ]
    return min(free, key=lambda layer: _distance(image, layer), default=None)


def _fits(labels: Labels, image: Layer) -> bool:
    """Tell whether labels have the shape of an image, or of one of its channels."""
    shape = tuple(getattr(image.data, "shape", ()))
    return labels.data.shape in (shape, shape[1:], shape[:-1])


def _distance(image: Layer, labels: Labels) -> int:
    """Tell how far two names are apart: the same and more, of the same numbers, or of others."""
    first, second = image.name.lower(), labels.name.lower()
    if re.match(re.escape(first) + r"(?!\d)", second):
        return 0
    numbers = [[int(n) for n in re.findall(r"\d+", name)] for name in (first, second)]
    if not all(numbers):
        return 2
    return 1 if numbers[0] == numbers[1] else 3
