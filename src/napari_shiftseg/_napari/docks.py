"""The docks of the Plugins menu, by the forms that they open."""

from __future__ import annotations

from napari_shiftseg._napari.opening import Opening


class SegmentDock(Opening):
    """Segment, compare, correct."""

    module, name = "napari_shiftseg._napari.segment_widget", "SegmentWidget"


class TrainDock(Opening):
    """Train a network."""

    module, name = "napari_shiftseg._napari.train.widget", "TrainWidget"


class CheckDock(Opening):
    """Check labels of any program for cuts."""

    module, name = "napari_shiftseg._napari.check.widget", "CheckWidget"
    loads, needs_torch = "the label check", False


class AuditDock(Opening):
    """Audit a network."""

    module, name = "napari_shiftseg._napari.audit.widget", "AuditWidget"
    width_needed = 430
