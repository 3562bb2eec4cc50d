"""What the docks say: every word in them, kept beside their pictures.

``python examples/faces.py`` writes ``docs/images/widgets.json`` after all pictures were taken; a
test compares it with the docks, so that none changes and keeps its old picture. It needs a
display.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import napari
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
    QTableWidget,
    QTabWidget,
    QWidget,
)

from pictures import folder_of_pictures
from stage import first_day, open_dock

DOCKS = {
    "Segment": ("segment-*.png", "compare-*.png", "correct*.png"),
    "Train": ("train*.png",),
    "Check labels": ("check*.png",),
    "Audit model": ("audit*.png",),
}
"""Pictures of each dock."""

RECORD = "widgets.json"


def face(widget: QWidget) -> list[str]:
    """Return the words in a widget and below it, in the order of their making.

    Text that a user enters is left out, as is what depends on the computer.
    """
    said = [_words(child) for child in (widget, *widget.findChildren(QWidget))]
    return [words for words in said if words]


def _words(widget: QWidget) -> str:
    if isinstance(widget.parent(), QTabBar):  # arrows of Qt's own
        return ""
    parts = [_text(widget), *_choices(widget), getattr(widget, "placeholderText", str)()]
    parts += [widget.toolTip(), widget.accessibleName()]
    return " | ".join(" ".join(part.split()) for part in parts if part)


def _text(widget: QWidget) -> str:
    if isinstance(widget, QLineEdit | QComboBox | QAbstractSpinBox):
        return ""
    found = getattr(widget, "text", str)()
    return found if isinstance(found, str) else ""


def _choices(widget: QWidget) -> list[str]:
    if isinstance(widget, QTabWidget):
        return [widget.tabText(i) for i in range(widget.count())]
    if isinstance(widget, QComboBox):
        return [widget.itemText(i) for i in range(widget.count())]
    if isinstance(widget, QTableWidget):
        headers = (widget.horizontalHeaderItem(i) for i in range(widget.columnCount()))
        return [f"{header.text()} ({header.toolTip()})" for header in headers if header is not None]
    return []


def faces(viewer: napari.Viewer) -> dict[str, list[str]]:
    """Open each dock in an empty viewer and return what it says."""
    found = {}
    for name in DOCKS:
        form = open_dock(viewer, name)
        found[name] = face(form)
        viewer.window.remove_dock_widget(form.parentWidget())
    return found


def pictures_of(folder: Path) -> dict[str, str]:
    """Return the hash of each picture of a dock."""
    paths = sorted({path for globs in DOCKS.values() for g in globs for path in folder.glob(g)})
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in paths}


def main() -> None:
    """Write the record."""
    folder = folder_of_pictures(__doc__)
    with first_day():
        viewer = napari.Viewer()
        record: dict[str, Any] = {"says": faces(viewer), "pictures": pictures_of(folder)}
        viewer.close()
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")
    print(folder / RECORD)


if __name__ == "__main__":
    main()
