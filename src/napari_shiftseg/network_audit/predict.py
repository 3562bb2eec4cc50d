"""Exact tiled prediction with any network that its audit allows to be tiled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.axis_audit import at_its_level
from napari_shiftseg.network_audit.borders import BorderProbe
from napari_shiftseg.network_audit.causes import sha256_of
from napari_shiftseg.network_audit.freeze import frozen_subject
from napari_shiftseg.network_audit.given import audited, checked_image, rescaled
from napari_shiftseg.network_audit.line import line_along
from napari_shiftseg.network_audit.sizes import Shapes
from napari_shiftseg.network_audit.subject import Subject, quiet
from napari_shiftseg.network_audit.windows import Windows, window_events
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.measured import MeasuredGeometry
from napari_shiftseg.tiles.plan import TilePlan, by, make_plan

_UNLIKE = (
    "along axis {} the network treats the end of {} px as that of no other size: the image is "
    "completed to {} px by mirroring, and the output is that of the completed one"
)

_SMALLEST = {1: 256, 2: 64, 3: 32}
"""Edge in pixels of the smallest tile that is worth a pass of its own."""


def predict_exactly(
    module: nn.Module | Model,
    audit: Audit,
    image: Any,
    *,
    tile: int | Size | None = None,
    freeze: bool = False,
) -> np.ndarray:
    """Predict an image from tiles of n*P with the full halo (Corollary 4).

    Parameters
    ----------
    module
        The network that was audited.
    audit
        Its audit.
    image
        ``(C, *spatial)``, normalised as the network needs it; anything that slices like an
        array. Of any size: what is missing to the next size that the network takes, and at
        whose end it pads as at that of any other, is mirrored.
    tile
        Output tile in pixels, a multiple of the period; by default the audit's, if it is not
        tiny.
    freeze
        Freeze the statistics of normalisations on the middle of the image, as many pixels
        as two tiles: free of seams, and not what one pass over the image would give.

    Returns
    -------
    ndarray
        ``(K, *spatial)`` float32.

    Raises
    ------
    ShiftSegError
        If the network is not the audited one, cannot be tiled, or not without freezing, its
        output has another scale than its input, or the image does not fit it.

    Warns
    -----
    ShiftSegWarning
        If the network would take an image of this size, and there is no other that it treats alike.

    References
    ----------
    Rumberger et al., ICCV 2021, Corollary 4.
    """
    *_, output = predict_exactly_events(module, audit, image, tile=tile, freeze=freeze)
    assert isinstance(output, np.ndarray)
    return output


def predict_exactly_events(
    module: nn.Module | Model,
    audit: Audit,
    image: Any,
    *,
    tile: int | Size | None = None,
    freeze: bool = False,
) -> Iterator[int | np.ndarray]:
    """Do what :func:`predict_exactly` does; yield how many tiles are done, then the output."""
    network = audited(module, audit)
    image = checked_image(image, audit)
    if (why := rescaled(audit)) is not None:
        raise ShiftSegError(why)
    if audit.parts and not freeze:
        raise ShiftSegError(
            f"{audit.name} takes statistics from the tile ({', '.join(audit.non_local[:3])}), so "
            "no tiling equals one pass; freeze these statistics to get a result without seams"
        )
    subject = Subject.of(network, audit.ndim, audit.in_channels).copy()
    size = tuple(image.shape[1:])
    chosen = tile if tile is not None else _quick_tile(audit)
    with quiet():
        if audit.parts:
            reference = torch.from_numpy(_middle(audit, image))[None].to(subject.dtype)
            subject, _ = frozen_subject(subject, audit.parts, reference)
    geometry = _geometry_for(size, audit, subject)
    windows = Windows.of(make_plan(geometry, size, "corrected", tile=chosen))
    for event in window_events(subject, image, windows):
        yield event if isinstance(event, int) else event.astype(np.float32)


def is_completed(module: nn.Module | Model, audit: Audit, size: Size) -> bool:
    """Whether an image of this size is mirrored at its end: no pass over it alone is equalled."""
    if audit.padding == "valid":
        return False
    subject = Subject.of(audited(module, audit), audit.ndim, audit.in_channels).copy()
    with quiet():
        geometry = _geometry_for(size, audit, subject)
    return any(geometry.next_input_size(axis, n) != n for axis, n in enumerate(size))


def plan_of(audit: Audit, size: Size, tile: int | Size | None = None) -> TilePlan:
    """Return the tiles that :func:`predict_exactly` runs."""
    return make_plan(audit.geometry, size, tile=tile or _quick_tile(audit))


def _geometry_for(size: Size, audit: Audit, subject: Subject) -> MeasuredGeometry:
    """Return the geometry of windows that end as an image of this size does, if any do.

    A padded network that takes other sizes than those of its own step fills them up, or drops a
    rest, at the end. Windows with the same rest then end alike, and nothing need be mirrored.
    """
    geometry = audit.geometry
    rests = [n % step for n, step in zip(size, geometry.input_step, strict=True)]
    if geometry.padding == "valid" or not any(rests):
        return geometry
    smallest = list(geometry.min_input_size)
    for axis, (rest, step) in enumerate(zip(rests, geometry.input_step, strict=True)):
        least = smallest[axis] + (rest - smallest[axis]) % step
        if rest and least <= size[axis] and _ends_alike(audit, subject, axis, step, rest):
            smallest[axis] = least
        elif rest and _takes(audit, subject, axis, size[axis]):
            completed = geometry.next_input_size(axis, size[axis])
            said = _UNLIKE.format(axis, size[axis], completed)
            warnings.warn(said, ShiftSegWarning, stacklevel=3)
    return replace(geometry, min_input_size=tuple(smallest))


def _ends_alike(audit: Audit, subject: Subject, axis: int, step: int, rest: int) -> bool:
    reach = audit.geometry.receptive_field[axis]
    line = line_along(tuple(each.sizes for each in audit.axes), axis)
    try:
        with quiet():
            probed = at_its_level(subject, tuple(each.sizes for each in audit.axes))
            return BorderProbe(probed, line, reach).alike(step, rest) is True
    except ShiftSegError:  # it does not take such a size
        return False


def _takes(audit: Audit, subject: Subject, axis: int, length: int) -> bool:
    """Whether the network takes an image of this length, which need not be of its own step."""
    sizes = tuple(each.sizes for each in audit.axes)
    if length % sizes[axis].step == 0:
        return True
    image = line_along(sizes, axis).image_size(length)
    with quiet():
        return any(Shapes(subject, real=real).output(image) is not None for real in (False, True))


def _quick_tile(audit: Audit) -> Size | None:
    """Return the recommended tile, or several of them where passes cost more than pixels."""
    if audit.recommended_tile is None:
        return None
    least = _SMALLEST[audit.ndim]
    return tuple(-(-least // t) * t if t < least else t for t in audit.recommended_tile)


def provenance_of(module: nn.Module, audit: Audit) -> dict[str, Any]:
    """Return what it takes to predict the same again."""
    return {
        "network": audit.name,
        "weights_sha256": sha256_of(module),
        "period": list(audit.period),
        "halo": audit.halo and list(audit.halo),
        "statistics": "frozen on the middle of the image" if audit.parts else "none",
    }


def _middle(audit: Audit, image: Any) -> np.ndarray:
    """Cut the reference region out of the middle of an image."""
    assert audit.recommended_tile is not None
    parts = []
    for n, tile, axis in zip(image.shape[1:], audit.recommended_tile, audit.axes, strict=True):
        legal = axis.sizes.within(min(n, 2 * tile + axis.sizes.context))
        if legal is None:
            raise ShiftSegError(
                f"the image of {by(tuple(image.shape[1:]))} px is smaller than the network's "
                f"smallest input of {axis.sizes.legal(1)} px"
            )
        start = (n - legal) // 2
        parts.append(slice(start, start + legal))
    return np.ascontiguousarray(image[(slice(None), *parts)], np.float32)
