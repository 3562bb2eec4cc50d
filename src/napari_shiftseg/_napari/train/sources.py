"""Layers as pairs of image and ground truth, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_shiftseg._napari.placement import axes_of, doubt_of_place, frames_of_layer, pixels_of
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.axes import Layout
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.pipeline import scalings_of
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by


@dataclass(frozen=True)
class Source:
    """An image layer and its labels layer as they were when the training was asked for.

    Parameters
    ----------
    name, labels_name
        The layers' names.
    image, labels
        Their arrays.
    axes
        One letter per axis of the image, if they are known.
    keys
        Identities of both layers.
    loops, spatial
        Frames along each loop axis; pixels per spatial axis.
    doubt
        What a person may not have meant, in a sentence; mostly nothing.
    """

    name: str
    labels_name: str
    image: Any
    labels: Any
    axes: str | None
    keys: tuple[str, str]
    loops: Size
    spatial: Size
    doubt: str = ""


def source_of(image: Image, labels: Labels, model: Model) -> Source:
    """Take the snapshot of two layers; nothing is read.

    Raises
    ------
    ShiftSegError
        If the image does not fit the network, or the labels do not fit the image.
    """
    if image.rgb and model.description.architecture.in_channels == 1:
        raise ShiftSegError(
            f"{image.name!r} is in colour; set Channels to {image.data.shape[-1]} in All settings, "
            "or choose an image of one channel"
        )
    frames = frames_of_layer(image, model.reads)
    mask = pixels_of(labels)
    wanted = tuple(frames.source.shape[axis] for axis in sorted(frames.layout.kept))
    axes = axes_of(image, model.reads)
    if tuple(mask.shape) != wanted:
        hint = "; for several channels set Channels in All settings" if "c" in (axes or "") else ""
        raise ShiftSegError(
            f"the labels {labels.name!r} have {by(mask.shape)} px, the image {image.name!r} needs "
            f"{by(wanted)} px{hint}"
        )
    return Source(
        image.name,
        labels.name,
        pixels_of(image),
        mask,
        axes,
        (str(image.unique_id), str(labels.unique_id)),
        frames.loops,
        frames.spatial,
        doubt_of_place(labels, image),
    )


def pairs_of(sources: Sequence[Source], model: Model) -> list[Pair]:
    """Read all frames that have labels, as copies: what is painted later changes nothing.

    Raises
    ------
    ShiftSegError
        If there are no labels in a layer.
    """
    return [pair for source in sources for pair in _frames(source, model)]


def sentence_of(sources: Sequence[Source]) -> str:
    """Say how much there is to learn from."""
    count = sum(int(np.prod(source.loops)) for source in sources)
    sizes = sorted({by(source.spatial) for source in sources})
    size = sizes[0] if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    if count == 1:
        return f"1 image of {size} px. With a second one, some are held out for validation."
    return (
        f"{count} images of {size} px; those with labels are trained on, and some of them held out "
        "for validation."
    )


def _frames(source: Source, model: Model) -> Iterator[Pair]:
    frames = model.frames(source.image, source.axes)
    labels = _loops_first(source.labels, frames.layout)
    labelled = [index for index in np.ndindex(*frames.loops) if (labels[index] > 0).any()]
    if not labelled:
        raise ShiftSegError(
            f"the labels {source.labels_name!r} are empty; paint some objects of the image first"
        )
    # Slices of a stack are scaled together, as they are when they are segmented.
    for index, scaling in zip(labelled, scalings_of(frames, model, labelled), strict=True):
        name = f"{source.name} {index}" if index else source.name
        yield Pair(name, np.array(frames.frame(index).read()), np.array(labels[index]), scaling)


def _loops_first(labels: Any, layout: Layout) -> NDArray[Any]:
    """Bring the axes of labels, which are ordered as the image's, into the order of frames."""
    order = sorted(layout.kept)
    return np.asarray(labels).transpose([order.index(axis) for axis in layout.kept])
