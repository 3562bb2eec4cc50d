"""How the plugin knows its own layers again: by their metadata, never by name alone."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer

KEY = "shiftseg"


def tag(**values: Any) -> dict[str, Any]:
    """Return layer metadata that hold the given values."""
    return {KEY: values}


def tag_of(layer: Layer) -> dict[str, Any]:
    """Return what a layer was tagged with; a copy of it only tells how it was made."""
    values = layer.metadata.get(KEY)
    if not isinstance(values, dict):
        return {}
    return kept_by_copies(values) if is_copy(layer) else values


def is_copy(layer: Layer) -> bool:
    """Tell whether a layer has its tag from another one, as napari's copies have."""
    values = layer.metadata.get(KEY)
    own = str(layer.unique_id)
    return isinstance(values, dict) and values.get("layer", own) != own


def kept_by_copies(values: dict[str, Any]) -> dict[str, Any]:
    """Return what of a layer's tag is true of its copies: they are the person's."""
    return {"of": values.get("key")} | {
        name: values[name] for name in ("provenance", "edited", "checksum") if name in values
    }


def checksum(pixels: Any) -> int | None:
    """Return what tells whether pixels in memory have changed, None of others."""
    return crc32(np.ascontiguousarray(pixels).data) if isinstance(pixels, np.ndarray) else None


def told_of_edits(
    provenance: dict[str, Any], tagged: dict[str, Any], pixels: Any
) -> dict[str, Any]:
    """Add to how labels were made that they were edited since, if they were.

    That was seen, or the pixels are not those that were opened.
    """
    opened = tagged.get("checksum")
    edited = tagged.get("edited") or (opened is not None and opened != checksum(pixels))
    return provenance | {"edited": True} if edited else dict(provenance)


def own_layers(viewer: Viewer, **values: Any) -> list[Layer]:
    """Return the layers that carry all of these values, bottom first."""
    return [
        layer
        for layer in viewer.layers
        if all(tag_of(layer).get(key) == value for key, value in values.items())
    ]
