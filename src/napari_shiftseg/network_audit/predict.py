"""Exact tiled prediction with any network that its audit allows to be tiled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.causes import sha256_of
from napari_shiftseg.network_audit.freeze import frozen_subject
from napari_shiftseg.network_audit.subject import Subject, quiet
from napari_shiftseg.network_audit.windows import Windows, window_events
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by, make_plan

_SMALLEST = {1: 256, 2: 64, 3: 32}
"""Edge in pixels of the smallest tile that is worth a pass of its own."""


def predict_exactly(
    module: nn.Module,
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
        array. Of any size: what is missing to the next size that the network takes is mirrored.
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
        If the network cannot be tiled, or not without freezing, its output has another scale
        than its input, or the image does not fit it.

    References
    ----------
    Rumberger et al., ICCV 2021, Corollary 4.
    """
    *_, output = predict_exactly_events(module, audit, image, tile=tile, freeze=freeze)
    assert isinstance(output, np.ndarray)
    return output


def predict_exactly_events(
    module: nn.Module,
    audit: Audit,
    image: Any,
    *,
    tile: int | Size | None = None,
    freeze: bool = False,
) -> Iterator[int | np.ndarray]:
    """Do what :func:`predict_exactly` does; yield how many tiles are done, then the output."""
    image = as_array(image)
    if image.ndim != audit.ndim + 1 or len(image) != audit.in_channels:
        raise ShiftSegError(
            f"the image has the shape {tuple(image.shape)}; the network takes {audit.in_channels} "
            f"channels, first, and {audit.ndim} axes"
        )
    if any(scale != 1 for scale in audit.output_scale):
        raise ShiftSegError(
            f"the output has {audit.output_scale} times the pixels of the image; tiled "
            "prediction needs the same number"
        )
    geometry = audit.geometry
    if audit.parts and not freeze:
        raise ShiftSegError(
            f"{audit.name} takes statistics from the tile ({', '.join(audit.non_local[:3])}), so "
            "no tiling equals one pass; freeze these statistics to get a result without seams"
        )
    subject = Subject.of(module, audit.ndim, audit.in_channels).copy()
    size = tuple(image.shape[1:])
    chosen = tile if tile is not None else _quick_tile(audit)
    with quiet():
        if audit.parts:
            reference = torch.from_numpy(_middle(audit, image))[None].to(subject.dtype)
            subject, _ = frozen_subject(subject, audit.parts, reference)
        windows = Windows.of(make_plan(geometry, size, "corrected", tile=chosen))
        for event in window_events(subject, image, windows):
            yield event if isinstance(event, int) else event.astype(np.float32)


def tiles_of(audit: Audit, size: Size, tile: int | Size | None = None) -> int:
    """Return how many tiles :func:`predict_exactly` will run."""
    return len(make_plan(audit.geometry, size, tile=tile or _quick_tile(audit)))


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
