"""What the widget remembers between starts: plain values in the user's settings file."""

from __future__ import annotations

import json
from typing import Any

from qtpy.QtCore import QSettings

_RECENT = 8
"""Models that were opened lately."""


class Remembered:
    """Values by name; what cannot be read is as if it had never been kept."""

    def __init__(self) -> None:
        self._settings = QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-shiftseg", "widget"
        )

    def get(self, name: str, default: Any) -> Any:
        """Return a value of the default's type."""
        try:
            value = json.loads(str(self._settings.value(name, "")))
        except json.JSONDecodeError:
            return default
        return value if isinstance(value, type(default)) else default

    def keep(self, name: str, value: Any) -> None:
        """Keep a JSON value."""
        self._settings.setValue(name, json.dumps(value))

    def recent_models(self) -> list[str]:
        """Return the paths of models that were opened lately, the last one first."""
        return [str(path) for path in self.get("recent_models", [])][:_RECENT]

    def tiles_of(self, model: str) -> dict[str, int]:
        """Return the tile sizes that a model was last given, by stitch mode."""
        given = self.get("tiles", {}).get(model)
        sizes = given.items() if isinstance(given, dict) else ()
        return {mode: size for mode, size in sizes if isinstance(size, int) and size > 0}

    def keep_tiles(self, model: str, given: dict[str, int]) -> None:
        """Keep the tile sizes of a model, by its hash."""
        others = [(name, kept) for name, kept in self.get("tiles", {}).items() if name != model]
        self.keep("tiles", dict([*others, (model, given)][-_RECENT:]))

    def keep_recent(self, path: str) -> None:
        """Put a model's path in front."""
        others = [other for other in self.recent_models() if other != path]
        self.keep("recent_models", [path, *others][:_RECENT])
