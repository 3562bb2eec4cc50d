"""A model, network or data pack dropped onto the viewer opens the widget that can use it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import napari
from napari.utils.notifications import show_error

from napari_shiftseg._napari.commands import open_dock
from napari_shiftseg._napari.files.reader import NOTHING
from napari_shiftseg.network_audit.zoo_text import DESCRIPTIONS

_MODELS = (".safetensors", ".pt", ".pth")
_RECORDED = (".pt2", ".ts")
_ARCHIVE = ".zip"

_OPENS: dict[str, Callable[[Any, str], None]] = {
    "Segment": lambda form, path: form.model.open_model(path),
    "Audit model": lambda form, path: form.view.network.open_file(path),
    "Train": lambda form, path: form.view.data.show_pack(path),
}
"""How each widget takes a file."""


def get_model_reader(path: str | list[str]) -> Callable[[str], list[tuple[None]]] | None:
    """Return a reader of one model file, recorded network, zoo package or data pack."""
    return open_model if isinstance(path, str) and _widget_for(path) else None


def open_model(path: str) -> list[tuple[None]]:
    """Open the widget, or take the one that is there, with a model or pack; add no layer.

    A network that is recorded (TorchScript, torch.export) or packed for the BioImage Model Zoo
    goes to the audit, a pack of images and masks to Train, all else to Segment.
    """
    name = _widget_for(path)
    viewer = napari.current_viewer()
    if viewer is None:
        show_error(f"{path} is no image; open napari first, it is shown in its {name} widget")
    elif name is not None:
        open_dock(viewer, name).when_open(lambda form: _OPENS[name](form, path))
    return NOTHING


def _widget_for(path: str) -> str | None:
    suffix = Path(path).suffix.lower()
    if suffix == _ARCHIVE:
        return _widget_for_members(_members(path))
    if suffix in _RECORDED or (suffix in _MODELS and _is_recorded(path)):
        return "Audit model"
    return "Segment" if suffix in _MODELS else None


def _widget_for_members(members: list[PurePosixPath]) -> str | None:
    if any(member.name in DESCRIPTIONS for member in members):
        return "Audit model"
    return "Train" if {"images", "masks"} <= {member.parent.name for member in members} else None


def _is_recorded(path: str) -> bool:
    return any(member.name == "constants.pkl" for member in _members(path))


def _members(path: str) -> list[PurePosixPath]:
    """List a ZIP; of other files, and of what zipfile cannot list (later versions), nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [PurePosixPath(name) for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return []
