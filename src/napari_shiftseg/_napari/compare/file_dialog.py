"""Ask where to save; the dialog itself asks before a file is replaced."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget


def ask_where_to_save(parent: QWidget, title: str, name: str, kinds: str) -> Path | None:
    """Return the file that a person chose, None if none was.

    Parameters
    ----------
    parent
        Window that the dialog belongs to.
    title
        Of the dialog.
    name
        Proposed file name; its suffix is added to a name without one.
    kinds
        Qt's list of file types, as ``"CSV (*.csv)"``.
    """
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name, kinds)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(Path(name).suffix)
