"""A model or network dropped onto the viewer opens the widget that can do something with it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

import napari
from napari.utils.notifications import show_error

from napari_shiftseg._napari.commands import open_dock
from napari_shiftseg._napari.files.reader import NOTHING

_MODELS = (".safetensors", ".pt", ".pth")
_RECORDED = (".pt2", ".ts")


def get_model_reader(path: str | list[str]) -> Callable[[str], list[tuple[None]]] | None:
    """Return a reader of one model file or recorded network."""
    fits = isinstance(path, str) and path.lower().endswith((*_MODELS, *_RECORDED))
    return open_model if fits else None


def open_model(path: str) -> list[tuple[None]]:
    """Open the widget, or take the one that is there, with a model; add no layer.

    A network that is recorded (TorchScript, torch.export) goes to the audit, all else to
    Segment.
    """
    viewer = napari.current_viewer()
    if viewer is None:
        show_error(f"{path} is a model; open napari first, it is shown in its Segment widget")
        return NOTHING
    recorded = _is_recorded(path)
    name = "Audit model" if recorded else "Segment"
    dock = open_dock(viewer, name)
    if recorded:
        dock.when_open(lambda form: form.view.network.open_file(path))
    else:
        dock.when_open(lambda form: form.model.open_model(path))
    return NOTHING


def _is_recorded(path: str) -> bool:
    if path.lower().endswith(_RECORDED):
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
