"""The Export button: labels or embedding of a result, with scale and provenance, to a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.placement import pixels_of
from napari_shiftseg.image.calibration import Calibration
from napari_shiftseg.image.files import ZARR_SUFFIX, write_embedding, write_labels

_KINDS = {
    "Labels as TIFF (*.tif)": ("labels", ".tif"),
    "Labels as OME-Zarr (*.ome.zarr)": ("labels", ".ome.zarr"),
    "Embedding as TIFF (*.tif)": ("embedding", ".tif"),
    "Embedding as OME-Zarr (*.ome.zarr)": ("embedding", ".ome.zarr"),
}


@dataclass(frozen=True)
class Exported:
    """A file that was written."""

    path: Path


def ask_where(parent: QWidget, result: Result) -> tuple[str, Path] | None:
    """Ask what to write and where to; None if the person thinks better of it."""
    name = f"{result.subject.image_name} {result.title}".replace(",", "").replace(" ", "-")
    path, kind = QFileDialog.getSaveFileName(
        parent, "Export result", f"{name}.tif", ";;".join(_KINDS)
    )
    if not path:
        return None
    what, suffix = _KINDS.get(kind, ("labels", ".tif"))
    target = _with_suffix(Path(path), suffix)
    # The dialog has asked about the very name that was typed, and only if it is a file.
    asked = target == Path(path) and target.is_file()
    if target.exists() and not asked and not _may_replace(parent, target):
        return None
    return what, target


def export(result: Result, layer: Labels, what: str, path: Path) -> Iterator[Exported]:
    """Write what the labels layer holds now, or the embedding that it was made from."""
    axes, provenance = _calibration(result), result.segmentation.provenance
    if what == "labels":
        write_labels(path, pixels_of(layer), axes=axes, provenance=provenance)
    else:
        embedding = result.segmentation.prediction.embedding
        write_embedding(path, embedding, axes=axes.with_channels(), provenance=provenance)
    yield Exported(path)


def _calibration(result: Result) -> Calibration:
    placement = result.subject.placement
    units = [str(unit) for unit in placement.units] or None
    return Calibration.of(_letters(result), placement.scale, units, placement.translate)


def _letters(result: Result) -> str:
    """Name the axes of a result: space as the model does, loops as the image or as frames."""
    subject = result.subject
    spatial = subject.model.description.axes
    known = "" if subject.axes is None else subject.axes
    loops = [a for a in known if a not in spatial and a not in "s"]
    if len(loops) != len(subject.loops):
        loops = list("tzp"[: len(subject.loops)])
    return "".join(loops) + spatial


def _with_suffix(path: Path, suffix: str) -> Path:
    """End a name as the chosen kind does; .zarr is meant, .tif may be what was proposed."""
    typed = path.name.lower()
    fits = typed.endswith((suffix, ZARR_SUFFIX))
    return path if fits else path.with_name(f"{path.stem}{suffix}")


def _may_replace(parent: QWidget, path: Path) -> bool:
    answer: Any = QMessageBox.question(parent, "Export result", f"{path.name} exists. Replace it?")
    return answer == QMessageBox.StandardButton.Yes
