"""Listen to napari as long as a Qt object lives: napari cannot know when Qt deletes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

from qtpy.QtCore import QObject


def while_alive(owner: QObject, emitter: Any, callback: Callable[..., Any]) -> None:
    """Connect a callback of ``owner`` to an event of napari until ``owner`` is deleted.

    What napari is given is a function of its own: to take away a method, napari would look
    at the object that it belongs to, which is gone by then.
    """
    takes_event = bool(inspect.signature(callback).parameters)

    def hear(event: Any) -> None:
        callback(event) if takes_event else callback()

    emitter.connect(hear)
    owner.destroyed.connect(partial(_disconnect, ref(emitter), hear))


def _disconnect(emitter: ref[Any], hear: Callable[..., Any], _destroyed: object = None) -> None:
    # Where a whole viewer is thrown away, its emitters may go before what listened to them.
    alive = emitter()
    if alive is not None:
        alive.disconnect(hear)
