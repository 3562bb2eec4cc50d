"""Whose a layer is: the plugin's, until a person edits or renames it."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels, Layer
from napari.utils.notifications import show_info

from napari_shiftseg._napari.tags import KEY, kept_by_copies, tag_of


def is_the_persons(layer: Layer) -> bool:
    """Tell whether a person edited or renamed a layer, and so wants to keep it."""
    return bool(tag_of(layer).get("edited")) or layer.name != tag_of(layer)["name"]


def leave_to_person(layer: Layer) -> None:
    """Make a layer no longer the plugin's, hidden, but keep what says how it was made."""
    own = tag_of(layer)
    layer.visible = False
    if layer.name == own["name"]:
        layer.name = f"{layer.name}, edited"
    layer.metadata = {**layer.metadata, KEY: kept_by_copies(own) | {"of": None}}
    show_info(f"Your changes are kept in the hidden layer “{layer.name}”.")


def fill(layer: Layer, pixels: Any) -> None:
    """Give a layer the plugin's own pixels, which are nobody's edit."""
    tag_of(layer)["filling"] = True
    layer.data = pixels
    tag_of(layer).pop("filling", None)


def watch(layer: Labels) -> None:
    """Hear from now on when somebody paints in a layer or gives it other pixels."""
    # napari's copy of a layer has the very dictionary of the other one.
    layer.metadata = {**layer.metadata, KEY: dict(tag_of(layer))}
    layer.events.paint.connect(mark_edited)
    layer.events.data.connect(mark_replaced)


def mark_replaced(event: Any) -> None:
    """Note that somebody else, as a script, gave a layer other pixels."""
    if not tag_of(event.source).get("filling"):
        mark_edited(event)


def mark_edited(event: Any) -> None:
    """Note that a person painted in a layer."""
    own = tag_of(event.source)
    if own:
        own["edited"] = True
