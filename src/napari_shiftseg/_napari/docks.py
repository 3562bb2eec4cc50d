"""The docks of the Plugins menu, by the forms that they open."""

from __future__ import annotations

from napari_shiftseg._napari.opening import Opening


class SegmentDock(Opening):
    """Segment, compare, correct."""

    module, name = "napari_shiftseg._napari.segment_widget", "SegmentWidget"
    loads, width_needed = "PyTorch", 370


class TrainDock(Opening):
    """Train a network."""

    module, name = "napari_shiftseg._napari.train.widget", "TrainWidget"
    loads, width_needed = "PyTorch", 370


class CheckDock(Opening):
    """Check labels of any program for cuts."""

    module, name = "napari_shiftseg._napari.check.widget", "CheckWidget"
    loads, needs_torch, width_needed = "the label check", False, 370


class AuditDock(Opening):
    """Audit a network."""

    module, name = "napari_shiftseg._napari.audit.widget", "AuditWidget"
    loads, width_needed = "PyTorch", 430
