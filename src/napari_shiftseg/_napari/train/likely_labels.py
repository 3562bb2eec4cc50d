"""Which labels layer is most likely the ground truth of an image, by size and name."""

from __future__ import annotations

import re
from collections.abc import Collection

from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer

from napari_shiftseg._napari.tags import tag_of

_KINDS = re.compile(r"^(images?|img|raw|labels?|masks?|truth|gt|seg(mentation)?)(?=\d*$)")
"""Words for what a layer is, alone or before a number."""

_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
"""Zeros that a number begins with."""


def likely_labels(image: Layer, viewer: Viewer, taken: Collection[Labels]) -> Labels | None:
    """Return labels of the image's size whose name is nearest, if no other image's is nearer.

    None where nothing speaks for one of several.

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
    nearest = sorted(
        (
            (_distance(image, layer), layer)
            for layer in fitting
            if not any(
                _fits(layer, other) and _distance(other, layer) < _distance(image, layer)
                for other in others
            )
        ),
        key=lambda pair: pair[0],
    )
    if len(nearest) > 1 and nearest[0][0] == nearest[1][0]:
        return None  # nothing speaks for one of them
    return nearest[0][1] if nearest else None


def _fits(labels: Labels, image: Layer) -> bool:
    """Tell whether labels have the shape of an image, or of one of its channels."""
    shape = tuple(getattr(image.data, "shape", ()))
    return labels.data.shape in (shape, shape[1:], shape[:-1])


def _distance(image: Layer, labels: Labels) -> tuple[bool, int, int]:
    """Tell how far two names are apart: whether they share nothing, and how much they do not."""
    first, second = _words(image.name), _words(labels.name)
    pieces, others = _pieces(first), _pieces(second)
    apart = bool(first != second and not pieces & others)
    return apart, len(first ^ second), len(pieces ^ others)


def _words(name: str) -> set[str]:
    """Return the words of a name, without those that say what kind of layer it is."""
    words = (_KINDS.sub("", word) for word in re.split(r"[\W_]+", name.lower()))
    return {_ZEROS.sub("", word) for word in words if word}


def _pieces(words: set[str]) -> set[str]:
    """Return letters and numbers of words apart."""
    return {piece for word in words for piece in re.findall(r"\d+|\D+", word)}
