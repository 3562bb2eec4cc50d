"""Commands of the open widget: in the palette, in the layers' context menu, as shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from app_model.expressions import parse_expression
from app_model.types import Action, MenuRule
from napari._app_model import get_app_model
from napari.viewer import Viewer
from psygnal import EmitLoopError
from qtpy.QtCore import QObject

from napari_shiftseg._napari.alive import when_deleted

LAYER_MENU = "napari/layers/context"

_number = count(1)
"""Two viewers may have a widget each; their commands need names of their own."""

_stale: list[Callable[[], None]] = []
"""Commands of deleted widgets, to be taken away when it can be done: with a viewer goes its
palette, which must not be told of anything any more."""


@dataclass(frozen=True)
class Command:
    """Something that a person can ask for by name.

    Parameters
    ----------
    name
        Short name, unique in the plugin.
    title
        What the palette calls it.
    do
        What it does.
    key
        Shortcut, as napari writes it; empty for none.
    on_labels
        Whether it belongs into the context menu of labels layers.
    """

    name: str
    title: str
    do: Callable[[], None]
    key: str = ""
    on_labels: bool = False


class Actions(QObject):
    """Registers commands as long as the widget lives.

    Parameters
    ----------
    viewer
        Whose shortcuts are bound.
    commands
        The commands.
    """

    def __init__(
        self, viewer: Viewer, commands: list[Command], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._commands = viewer, commands
        self._dispose: list[Callable[[], None]] = []
        self._calls = {command.name: command.do for command in commands}
        """What napari may call; it keeps its actions, which must not keep the widget."""
        # A viewer that is closed deletes the widget without a word to Python.
        when_deleted(self, partial(_end, self._calls, self._dispose))

    def register(self) -> None:
        """Make the commands known."""
        with suppress(RuntimeError, EmitLoopError):  # of a window that has gone with its palette
            _run_all(_stale)
        app = get_app_model()
        number = next(_number)
        for command in self._commands:
            do = partial(_call, self._calls, command.name)
            action = _action(command, do, number)
            self._dispose.append(partial(_dispose, app, app.register_action(action)))
            if command.key:
                self._viewer.bind_key(command.key, _on_key(do), overwrite=True)

    def unregister(self) -> None:
        """Take the commands away."""
        self._calls.clear()
        _run_all(self._dispose)
        for command in self._commands:
            if command.key:
                self._viewer.bind_key(command.key, None, overwrite=True)


def _run_all(calls: list[Callable[[], None]]) -> None:
    while calls:
        calls.pop()()


def _dispose(app: Any, call: Callable[[], None]) -> None:
    if get_app_model() is app:
        call()


def _end(calls: dict[str, Callable[[], None]], dispose: list[Callable[[], None]]) -> None:
    calls.clear()
    _stale.extend(dispose)


def _call(calls: dict[str, Callable[[], None]], name: str) -> None:
    if name in calls:
        calls[name]()


def _on_key(do: Callable[[], None]) -> Callable[[Viewer], None]:
    """Return a function: whatever key is pressed, napari asks all that are bound for a name."""

    def do_on_key(_: Viewer) -> None:
        do()

    return do_on_key


def _action(command: Command, do: Callable[[], None], number: int) -> Action:
    labels_only = parse_expression("active_layer_type == 'labels'")
    return Action(
        id=f"napari-shiftseg.widget{number}.{command.name}",
        title=f"ShiftSeg: {command.title}",
        callback=do,
        menus=[MenuRule(id=LAYER_MENU, group="8_shiftseg")] if command.on_labels else None,
        enablement=labels_only if command.on_labels else None,
    )
