"""A model file dropped onto the viewer opens the widget with that model."""

from __future__ import annotations

from collections.abc import Callable

import napari
from napari.utils.notifications import show_error

from napari_shiftseg._napari.files.reader import NOTHING

_SUFFIXES = (".safetensors", ".pt", ".pth")


def get_model_reader(path: str | list[str]) -> Callable[[str], list[tuple[None]]] | None:
    """Return a reader of one model file."""
    fits = isinstance(path, str) and path.lower().endswith(_SUFFIXES)
    return open_model if fits else None


def open_model(path: str) -> list[tuple[None]]:
    """Open the widget, or take the one that is there, with a model; add no layer."""
    viewer = napari.current_viewer()
    if viewer is None:
        show_error(f"{path} is a model; open napari first, it is shown in its Segment widget")
        return NOTHING
    _, widget = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
    widget.model.open_model(path)
    return NOTHING
