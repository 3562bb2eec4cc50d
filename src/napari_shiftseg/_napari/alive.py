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


def bare(thing: Any) -> Any:
    """Return a thing of napari's itself: plugins get a passing proxy of it."""
    return getattr(thing, "__wrapped__", thing)


def while_alive(owner: QObject, emitter: Any, callback: Callable[..., Any]) -> Callable[[], None]:
    """Connect a callback of ``owner`` to an event of napari until ``owner`` is deleted.

    What napari is given is a function of its own: to take away a method, napari would look
    at the object that it belongs to, which is gone by then. What is returned ends it earlier.
    """
    emitter = bare(emitter)
    takes_event = bool(inspect.signature(callback).parameters)

    def hear(event: Any) -> None:
        # PySide says that something is deleted later than others can hear of it.
        if isalive(owner):
            callback(event) if takes_event else callback()

    emitter.connect(hear)
    end = partial(_disconnect, ref(emitter), ref(hear))
    forget = when_deleted(owner, end)

    def end_now() -> None:
        forget()
        end()

    return end_now


def when_deleted(owner: QObject, call: Callable[[], None]) -> Callable[[], None]:
    """Call something when Qt deletes an object, unless what is returned is called before.

    Python may collect the object, and with it all that only its signals know of, before Qt
    deletes it; the call would then crash. So it is kept here, and must not hold the owner.
    """

    def last(_deleted: object = None) -> None:
        _last_calls.discard(last)
        call()

    def forget() -> None:
        _last_calls.discard(last)
        if isalive(owner):
            owner.destroyed.disconnect(last)

    _last_calls.add(last)
    owner.destroyed.connect(last)
    return forget


def _disconnect(emitter: ref[Any], hear: ref[Any]) -> None:
    # Where a whole viewer is thrown away, its emitters may go before what listened to them.
    alive, heard = emitter(), hear()
    if alive is not None and heard is not None:
        alive.disconnect(heard)
