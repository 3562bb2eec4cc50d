"""Listen to napari as long as a Qt object lives: napari cannot know when Qt deletes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QObject

_last_calls: set[Callable[..., None]] = set()
"""What is still to be called when Qt deletes something."""


def while_alive(owner: QObject, emitter: Any, callback: Callable[..., Any]) -> None:
    """Connect a callback of ``owner`` to an event of napari until ``owner`` is deleted.

    What napari is given is a function of its own: to take away a method, napari would look
    at the object that it belongs to, which is gone by then.
    """
    takes_event = bool(inspect.signature(callback).parameters)

    def hear(event: Any) -> None:
        # PySide says that something is deleted later than others can hear of it.
        if isalive(owner):
            callback(event) if takes_event else callback()

    emitter.connect(hear)
    when_deleted(owner, partial(_disconnect, ref(emitter), ref(hear)))


def when_deleted(owner: QObject, call: Callable[[], None]) -> None:
    """Call something when Qt deletes an object.

    Python may collect the object, and with it all that only its signals know of, before Qt
    deletes it; the call would then crash. So it is kept here, and must not hold the owner.
    """

    def last(_deleted: object = None) -> None:
        _last_calls.discard(last)
        call()

    _last_calls.add(last)
    owner.destroyed.connect(last)


def _disconnect(emitter: ref[Any], hear: ref[Any]) -> None:
    # Where a whole viewer is thrown away, its emitters may go before what listened to them.
    alive, heard = emitter(), hear()
    if alive is not None and heard is not None:
        alive.disconnect(heard)
