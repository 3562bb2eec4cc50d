"""A model that was exported is offered where models are chosen."""

from __future__ import annotations

from pathlib import Path

from napari.viewer import Viewer

from napari_shiftseg._napari.commands import open_dock
from napari_shiftseg._napari.docks import SegmentDock
from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.segment_widget import SegmentWidget


def offer(viewer: Viewer, path: Path) -> None:
    """Put a model among those that were opened lately, also where the widget is open."""
    Remembered().keep_recent(str(path))
    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, SegmentDock):
            widget.when_open(lambda form: form.model.offer(path))


def use(viewer: Viewer, path: Path) -> None:
    """Open the widget Segment, or take the one that is there, with a model."""

    def show(form: SegmentWidget) -> None:
        form.model.offer(path)
        form.model.open_model(path)

    open_dock(viewer, "Segment").when_open(show)
