"""Listen to napari as long as a Qt object lives: napari cannot know when Qt deletes one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject


def while_alive(owner: QObject, emitter: Any, callback: Callable[..., Any]) -> None:
    """Connect a callback of ``owner`` to an event of the viewer until ``owner`` is deleted."""
    emitter.connect(callback)
    owner.destroyed.connect(partial(_disconnect, emitter, callback))


def _disconnect(emitter: Any, callback: Callable[..., Any], _destroyed: object = None) -> None:
    emitter.disconnect(callback)
