"""The results that the viewer shows, by the layers that show them; one is the current one."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import bare, while_alive
from napari_shiftseg._napari.job import Result, Subject
from napari_shiftseg._napari.layers import (
    EMBEDDING,
    JUMPS,
    LABELS,
    add_result,
    can_refill,
    layer_of,
    layer_with,
    levels_of,
    move_to,
    retire,
    set_visible,
    show_jumps,
    show_only,
    show_picture,
)
from napari_shiftseg._napari.ownership import fill, is_the_persons, leave_to_person, watch
from napari_shiftseg._napari.placement import axes_of, frames_of_layer, pixels_of, places_of
from napari_shiftseg._napari.ring_layers import CUTS, show_some_rings
from napari_shiftseg._napari.tags import own_layers, tag_of
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.seams.mend import Groups

_MADE: WeakKeyDictionary[Layer, Result] = WeakKeyDictionary()
"""Results by their labels layers: a dock that is closed and opened again takes them up."""


def at_its_image(viewer: Viewer, subject: Subject) -> Subject:
    """Move what was segmented to where its image lies now."""
    image = layer_with(viewer, subject.image_key)
    if image is None:
        return subject
    try:
        frames = frames_of_layer(image, subject.model.reads)
    except ShiftSegError:  # turned meanwhile, say
        return subject
    space, stack = places_of(image, frames)
    return replace(subject, space=space, stack=stack, axes=axes_of(image, subject.model.reads))


class Results(QObject):
    """Keeps each result as long as its labels layer lives.

    Parameters
    ----------
    viewer
        Where the layers are.
    turns
        When layers are added or removed.
    """

    changed = Signal()
    chosen = Signal()
    """Labels of another result are seen, or of the same one again."""
    relabelled = Signal(object)
    """A result's layer shows other labels, or its image has other pixels."""
    moved = Signal()
    giving_way = Signal()
    """Another result is about to be the one that is seen."""

    def __init__(self, viewer: Viewer, turns: Turns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._turns = viewer, turns
        self._by_key: dict[str, Result] = {}
        self._current = ""
        self._outdated: set[str] = set()
        while_alive(self, viewer.layers.events.inserted, self._on_inserted)
        while_alive(self, viewer.layers.events.removed, self._on_removed)

    @property
    def current(self) -> Result | None:
        """The result that is looked at."""
        return self._by_key.get(self._current)

    def all(self) -> list[Result]:
        """Return every result, the oldest first."""
        return list(self._by_key.values())

    def of_layer(self, layer: Layer | None) -> Result | None:
        """Return the result that a labels layer shows, None if it is none of ours."""
        if layer is None:
            return None
        own = tag_of(layer)
        return self._by_key.get(own.get("key") or own.get("of") or "")

    def still(self, result: Result) -> Result | None:
        """Return what a result has become, None if it is gone or another run took its place."""
        kept = self._by_key.get(repr(result.key))
        if kept is None or kept.segmentation.prediction is not result.segmentation.prediction:
            return None
        return kept

    def labels_of(self, result: Result) -> Labels | None:
        """Return the labels layer of a result, None if it is gone."""
        return layer_of(self._viewer, result.key, LABELS)

    def take_up(self) -> None:
        """Take up the results that an earlier dock left in the viewer."""
        for layer in own_layers(self._viewer, kind=LABELS):
            result = _MADE.get(bare(layer))
            if result is None or tag_of(layer).get("key") != repr(result.key):
                continue
            moved = self.at_its_image(result)
            self._keep(moved)
            if moved.subject.placement != result.subject.placement:
                for own in own_layers(self._viewer, key=repr(result.key)):
                    move_to(own, moved.subject.placement)
            if layer.visible or not self._current:
                self._current = repr(result.key)
            image = layer_with(self._viewer, result.subject.image_key)
            if image is not None and pixels_of(image) is not result.subject.image:
                self._outdated.add(repr(result.key))
        if self._by_key:
            self.changed.emit()

    def _keep(self, result: Result) -> None:
        self._by_key[repr(result.key)] = result
        layer = self.labels_of(result)
        if layer is not None:
            _MADE[bare(layer)] = result

    def at_its_image(self, result: Result) -> Result:
        """Move a result to where its image lies now: that may have been calibrated meanwhile."""
        return replace(result, subject=at_its_image(self._viewer, result.subject))

    def follow(self, image: Layer) -> None:
        """Move all results of an image that was moved or calibrated to where it lies now."""
        key = str(image.unique_id)
        own = {name: one for name, one in self._by_key.items() if one.subject.image_key == key}
        if own:
            self.giving_way.emit()
        for name, result in own.items():
            moved = self.at_its_image(result)
            self._keep(moved)
            for layer in own_layers(self._viewer, key=name):
                move_to(layer, moved.subject.placement)
        if own:
            self.moved.emit()

    def rename(self, image: Layer) -> None:
        """Call all results of an image by its new name."""
        key = str(image.unique_id)
        own = {name: one for name, one in self._by_key.items() if one.subject.image_key == key}
        for result in own.values():
            self._keep(replace(result, subject=replace(result.subject, image_name=image.name)))
        if own:
            self.changed.emit()

    def settle(self, layer: Layer) -> None:
        """Move a layer of a result to where its image lies now."""
        result = self._by_key.get(tag_of(layer).get("key") or "")
        if result is not None:
            move_to(layer, self.at_its_image(result).subject.placement)

    def outdate(self, image: Layer) -> None:
        """Note that what was found in an image so far is not what would be found now."""
        key = str(image.unique_id)
        own = {name for name, one in self._by_key.items() if one.subject.image_key == key}
        self._outdated |= own
        for name in own:
            self.relabelled.emit(self._by_key[name])
        if own:
            self.changed.emit()

    def is_outdated(self, result: Result) -> bool:
        """Tell whether the image has got other pixels since a result was computed."""
        return repr(result.key) in self._outdated

    def show(self, result: Result) -> None:
        """Show a result and make it the current one, in the next turns."""
        self._turns.do(self._show(result))

    def add(self, result: Result) -> Generator[None, None, Labels]:
        """Bring up the layers of a result, hidden if they are new, in steps; return its labels."""
        labels = yield from add_result(self._viewer, result)
        self._by_key = {key: kept for key, kept in self._by_key.items() if self._is_shown(key)}
        before = self._by_key.pop(repr(result.key), None)
        self._keep(result)
        self._outdated.discard(repr(result.key))
        if before is not None and not _same_labels(before, result):
            self.relabelled.emit(result)
        return labels

    def _show(self, result: Result) -> Steps:
        self.giving_way.emit()
        yield from self.add(result)
        self.choose(result.key)

    def choose(self, key: tuple[Any, ...]) -> None:
        """Make a result the current one, and the only one that is seen."""
        self.giving_way.emit()
        self._current = repr(key)
        show_only(self._viewer, key, LABELS)
        self.chosen.emit()
        self.changed.emit()

    def view(self, kind: str) -> None:
        """Show the current result's labels or embedding; an empty kind shows neither."""
        result = self.current
        if result is None:
            return
        if kind == EMBEDDING and layer_of(self._viewer, result.key, EMBEDDING) is None:
            self._turns.do(self._view_picture(result))
        else:
            show_only(self._viewer, result.key, kind or None)

    def _view_picture(self, result: Result) -> Steps:
        show_picture(self._viewer, result)
        yield
        show_only(self._viewer, result.key, EMBEDDING)

    def relabel(self, result: Result) -> None:
        """Put other labels of the same embedding into the layer of a result."""
        layer = layer_of(self._viewer, result.key, LABELS)
        if layer is None:
            return
        if is_the_persons(layer) or not can_refill(layer, result.subject.placement):
            self.show(result)
            return
        self._keep(result)
        fill(layer, levels_of(result.segmentation.labels, result.subject.placement)[0])
        tag_of(layer)["provenance"] = result.segmentation.provenance
        retire(self._viewer, result, CUTS)
        self.changed.emit()
        self.relabelled.emit(result)

    def circle(self, layer: Layer, groups: Groups) -> None:
        """Circle what is still cut in a labels layer, and no longer what was mended.

        Parameters
        ----------
        layer
            Labels of a result, as a person has corrected them.
        groups
            Labels that a seam cut asunder and that are still apart.
        """
        result = self.of_layer(layer)
        rings = None if result is None else layer_of(self._viewer, result.key, CUTS)
        if result is None or rings is None:
            return
        left = {label for group in groups for label in group}
        cut = [len(left.intersection(split.pieces)) > 1 for split in result.report.splits]
        if len(cut) == len(rings.data):
            show_some_rings(rings, np.array(cut))

    def recolour(self, result: Result) -> None:
        """Put other colours into the embedding layer of a result."""
        self._keep(result)
        picture = layer_of(self._viewer, result.key, EMBEDDING)
        if picture is None:
            return
        if is_the_persons(picture):
            leave_to_person(picture)
            self._turns.do(self._view_picture(result))
        else:
            show_picture(self._viewer, result)

    def show_jumps(self, result: Result, jumps: NDArray[np.float32], high: float) -> None:
        """Show a result's jumps, up to a height."""
        self._turns.do(self._show_jumps(result, jumps, high))

    def hide_jumps(self) -> None:
        """Hide the jump layer, which waits for the next jumps."""
        for layer in own_layers(self._viewer, kind=JUMPS):
            set_visible(layer, False)

    def _show_jumps(self, result: Result, jumps: NDArray[np.float32], high: float) -> Steps:
        if self.current is not None and layer_of(self._viewer, result.key, LABELS) is not None:
            self.hide_jumps()
            yield from show_jumps(self._viewer, result, jumps, high)
        yield

    def _is_shown(self, key: str) -> bool:
        return bool(own_layers(self._viewer, key=key, kind=LABELS))

    def _on_inserted(self, event: Any) -> None:
        """Watch labels of a result, and those that somebody copies from them."""
        own = tag_of(event.value)
        if isinstance(event.value, Labels) and (own.get("kind") == LABELS or own.get("of")):
            watch(event.value)

    def _on_removed(self, event: Any) -> None:
        key = tag_of(event.value).get("key")
        if key in self._by_key and not self._is_shown(key):
            del self._by_key[key]
            for kind in (JUMPS, CUTS):
                for orphan in own_layers(self._viewer, kind=kind, key=key):
                    set_visible(orphan, False)
            if self._current == key:
                self._current = next(reversed(self._by_key), "")
                self._turns.do(self._show_current())
            self.changed.emit()

    def _show_current(self) -> Steps:
        """Show the result that has become the current one, if it still is there."""
        if self.current is not None:
            self.choose(self.current.key)
        yield


def _same_labels(first: Result, second: Result) -> bool:
    a, b = first.segmentation.labels, second.segmentation.labels
    return a is b or np.array_equal(a, b)
