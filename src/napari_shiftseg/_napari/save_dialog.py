"""Ask where to save, and before a file is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_shiftseg._napari.ask import may_replace

CSV = {"CSV (*.csv)": ".csv"}
JSON = {"JSON (*.json)": ".json"}


def ask_where_to_save(
    parent: QWidget, title: str, name: str, kinds: Mapping[str, str]
) -> Path | None:
    """Return the file that a person chose, None if none was.

    Parameters
    ----------
    parent
        Window that the dialog belongs to.
    title
        Of the dialog.
    name
        Proposed file name.
    kinds
        Qt's names of the file types, each with its suffix; a name that ends in none of them
        gets that of the chosen one.
    """
    typed, kind = QFileDialog.getSaveFileName(parent, title, name, ";;".join(kinds))
    if not typed:
        return None
    path = Path(typed)
    if path.suffix.lower() in kinds.values():
        return path
    path = path.with_name(path.name + kinds.get(kind, next(iter(kinds.values()))))
    # Qt has asked about the name that was typed, not about the one with its suffix.
    return path if not path.exists() or may_replace(parent, title, path) else None
