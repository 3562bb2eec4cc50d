"""What the tours share: a first day without a user's settings, pictures, and waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import napari
from napari.settings import get_settings
from PIL import Image
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QApplication

from gaps import Gaps

REST = 0.002
"""Seconds between two looks at the window, which are left to what runs in threads."""


@contextmanager
def first_day() -> Iterator[Path]:
    """Start widgets as on a user's first day, and leave the user's own settings alone.

    Yields the folder that the settings are in meanwhile.
    """
    get_settings().application.save_window_geometry = False
    with TemporaryDirectory() as settings:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
        yield Path(settings)


def open_dock(viewer: napari.Viewer, name: str, gaps: Gaps | None = None) -> Any:
    """Open a dock as the Plugins menu does, timing the window, and return its form."""
    settle()
    if gaps is not None:
        gaps.begin(f"open {name}")
    _, dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", name)
    wait_until(lambda: dock.form is not None, 60)
    settle()
    if gaps is not None:
        gaps.end()
    return dock.form


def shoot(viewer: napari.Viewer, path: Path, *, after: float = 1.0) -> None:
    """Save a picture of the whole window, some seconds after it was last changed.

    256 colours of its own are a third of the bytes and look the same.
    """
    settle(after)
    pixels = viewer.window.screenshot(canvas_only=False, flash=False)
    picture = Image.fromarray(pixels[..., :3])
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path)


def settle(seconds: float = 0.5, rest: float = REST) -> None:
    """Let the window draw itself."""
    until = monotonic() + seconds
    while monotonic() < until:
        QApplication.processEvents()
        sleep(rest)


def wait_until(condition: Callable[[], bool], patience: float, rest: float = REST) -> None:
    """Keep the window alive until something is true.

    Raises
    ------
    TimeoutError
        If that takes longer than the patience, in seconds.
    """
    until = monotonic() + patience
    while not condition():
        if monotonic() > until:
            raise TimeoutError(f"not done after {patience:g} seconds")
        QApplication.processEvents()
        sleep(rest)
