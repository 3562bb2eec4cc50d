"""A run whose result does not fit into memory: block by block into a file, and shown from there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from napari.layers import Labels, Layer
from napari.utils.notifications import show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_shiftseg._napari.alive import bare
from napari_shiftseg._napari.ask import may_go_on, may_replace
from napari_shiftseg._napari.events import Progress
from napari_shiftseg._napari.job import Subject
from napari_shiftseg._napari.layers import FILE, insert_below_helpers, move_to, remove
from napari_shiftseg._napari.results import at_its_image
from napari_shiftseg._napari.segment.export import proposed, with_suffix
from napari_shiftseg._napari.tags import own_layers, tag
from napari_shiftseg._napari.turns import Steps, Turns
from napari_shiftseg._napari.worker import Runner
from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.run import BlocksDone, SegmentedFile
from napari_shiftseg.blockwise.segment_file import segment_file_events
from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.image.files import open_image
from napari_shiftseg.settings import Stitching
from napari_shiftseg.wording import counted

_SUFFIX = ".ome.zarr"
"""The one format here that holds coarser levels, which napari needs to draw a large layer."""

_TITLE = "Segment block by block into a file"

_STAGES = {"predicting": (0.0, 0.85), "clustering": (0.85, 0.9), "labelling": (0.9, 0.97)}
"""Parts of a run by its stages, about: nearly all of the time goes into the network."""


@dataclass(frozen=True)
class FileResult:
    """Labels that lie in a file.

    Parameters
    ----------
    subject
        What was segmented.
    found
        The file.
    levels
        Its pixels at falling resolution, read when they are needed.
    """

    subject: Subject
    found: SegmentedFile
    levels: tuple[Any, ...]

    @property
    def sentence(self) -> str:
        """Say what was found and where it is."""
        count = counted(self.found.objects, "object")
        return f"{count} in the file {self.found.output.name}, shown as a layer of its own."


def run_into(
    path: Path, subject: Subject, stitching: Stitching, *, replace: bool
) -> Iterator[Progress | FileResult]:
    """Segment into a file; yield progress, and last the result.

    Corrected tiles are as large as fit, whatever the form says: their labels are the same.
    """
    frames = subject.model.frames(subject.image, subject.axes)
    settings = FileSettings(
        model=subject.model,
        stitch=stitching.mode,
        tile=None if stitching.mode == "corrected" else stitching.tile,
        clustering=subject.clustering,
        overwrite=replace,
    )
    source = Source(frames, subject.calibration, region=subject.region)
    for event in segment_file_events(source, path, settings):
        if isinstance(event, SegmentedFile):
            yield FileResult(subject, event, open_image(path).levels)
        else:
            yield _progress(event)


def _after_the_former(lock: Lock, run: Iterator[Any]) -> Iterator[Any]:
    """Run once the former run, which was cancelled, has ended with its tile: it still writes."""
    with lock:
        yield from run


def _progress(event: TileDone | BlocksDone) -> Progress:
    if isinstance(event, TileDone):
        return Progress(event.done / event.total, f"Tile {event.done} of {event.total}")
    if event.stage == "writing":
        return Progress(_STAGES["labelling"][1], "Writing the file")
    start, stop = _STAGES[event.stage]
    text = f"{event.stage.capitalize()}: block {event.done} of {event.total}"
    if event.stage == "clustering":
        text = "Clustering"
    return Progress(start + (stop - start) * event.done / event.total, text)


_SHOWN: WeakKeyDictionary[Layer, Subject] = WeakKeyDictionary()
"""What layers of labels in files are of, whatever dock made them."""


class FileRuns(QObject):
    """Asks for a file, runs into it, and shows its labels.

    Parameters
    ----------
    viewer
        Where the labels are shown.
    runner
        Runs it.
    turns
        When layers are added or removed.
    form
        The widget that asks.
    """

    def __init__(
        self, viewer: Viewer, runner: Runner, turns: Turns, form: QWidget, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewer, self._runner, self._turns, self._form = viewer, runner, turns, form
        self._path: Path | None = None
        self._one_at_a_time = Lock()
        runner.cancelled.connect(self._on_cancelled)
        runner.failed.connect(self._forget)

    def start(self, subject: Subject, stitching: Stitching) -> None:
        """Ask for a file and start, unless the person thinks better of it."""
        path = self._ask(subject)
        if path is None:
            return
        there, begun = path.exists(), WorkFolder.beside(path).path.exists()
        if there and not may_replace(self._form, _TITLE, path):
            return
        if begun and not there and not may_go_on(self._form, _TITLE, path):
            return
        run = run_into(path, subject, stitching, replace=there or begun)
        self._runner.start(
            _after_the_former(self._one_at_a_time, run), subject.image_name, subject.image_key
        )
        self._path = path

    def show(self, result: FileResult) -> None:
        """Show the labels of a file, and nothing older of the same file."""
        self._forget()
        self._turns.do(self._show(result))
        show_info(f"{counted(result.found.objects, 'object')} in {result.found.output}")

    def _show(self, result: FileResult) -> Steps:
        path = str(result.found.output)
        for layer in own_layers(self._viewer, kind=FILE, path=path):
            yield from remove(self._viewer, layer)
        subject = at_its_image(self._viewer, result.subject)
        labels = _labels(result, subject)
        _SHOWN[bare(labels)] = subject
        insert_below_helpers(self._viewer, labels)
        yield

    def take_up(self) -> None:
        """Take up the labels that an earlier dock left; their image may have moved since."""
        for layer in own_layers(self._viewer, kind=FILE):
            self._settle(layer)

    def follow(self, image: Layer) -> None:
        """Move labels in files to where their image lies now."""
        for layer in own_layers(self._viewer, kind=FILE, image=str(image.unique_id)):
            self._settle(layer)

    def _settle(self, layer: Layer) -> None:
        subject = _SHOWN.get(bare(layer))
        moved = None if subject is None else at_its_image(self._viewer, subject)
        if subject is not None and moved is not None and moved.placement != subject.placement:
            _SHOWN[bare(layer)] = moved
            move_to(layer, moved.placement)

    def _ask(self, subject: Subject) -> Path | None:
        name = proposed(f"{subject.image_name} labels{_SUFFIX}")
        kind = f"Labels as OME-Zarr (*{_SUFFIX})"
        typed, _ = QFileDialog.getSaveFileName(self._form, _TITLE, name, kind)
        return with_suffix(Path(typed), _SUFFIX) if typed else None

    def _on_cancelled(self) -> None:
        if self._path is not None:
            show_info(
                f"Stopped. What is done is kept in {self._path.name}.unfinished: the same run "
                f"into {self._path.name} goes on from there."
            )
        self._forget()

    def _forget(self, *_: object) -> None:
        self._path = None


def _labels(result: FileResult, subject: Subject) -> Labels:
    found = result.found
    labels = Labels(
        list(result.levels) if len(result.levels) > 1 else result.levels[0],
        name=f"Labels ({found.output.name})",
        multiscale=len(result.levels) > 1,
        opacity=0.7,
        **subject.placement.keywords,
    )
    labels.metadata = tag(
        kind=FILE,
        image=subject.image_key,
        path=str(found.output),
        name=labels.name,
        provenance=found.provenance,
    )
    return labels
