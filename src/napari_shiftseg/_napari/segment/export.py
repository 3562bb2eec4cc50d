"""The Export button: labels or embedding of a result, with scale and provenance, to a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_shiftseg._napari.ask import may_replace
from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.placement import pixels_of
from napari_shiftseg._napari.tags import tag_of, told_of_edits
from napari_shiftseg.image.files import ZARR_SUFFIX, write_embedding, write_labels

_TITLE = "Export result"

_KINDS = {
    "Labels as TIFF (*.tif)": ("labels", ".tif"),
    "Labels as OME-Zarr (*.ome.zarr)": ("labels", ".ome.zarr"),
    "Embedding as TIFF (*.tif)": ("embedding", ".tif"),
    "Embedding as OME-Zarr (*.ome.zarr)": ("embedding", ".ome.zarr"),
}


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Parameters
    ----------
    path
        Where.
    mirrored
        Whether the layer is, which no file here can say.
    """

    path: Path
    mirrored: bool = False


def ask_where(parent: QWidget, image: str, title: str) -> tuple[str, Path] | None:
    """Ask what to write of a result and where to; None if the person thinks better of it."""
    name = proposed(f"{image} {title}")
    path, kind = QFileDialog.getSaveFileName(parent, _TITLE, f"{name}.tif", ";;".join(_KINDS))
    if not path:
        return None
    what, suffix = _KINDS.get(kind, ("labels", ".tif"))
    target = with_suffix(Path(path), suffix)
    # The dialog has asked about the very name that was typed, and only if it is a file.
    asked = target == Path(path) and target.is_file()
    if target.exists() and not asked and not may_replace(parent, _TITLE, target):
        return None
    return what, target


def export(result: Result, layer: Labels, what: str, path: Path) -> Iterator[Exported]:
    """Write what the labels layer holds now, or the embedding that it was made from."""
    axes, provenance = result.subject.calibration, result.segmentation.provenance
    if what == "labels":
        pixels = pixels_of(layer)
        provenance = told_of_edits(provenance, tag_of(layer), pixels)
        write_labels(path, pixels, axes=axes, provenance=provenance)
    else:
        embedding = result.segmentation.prediction.embedding
        write_embedding(path, embedding, axes=axes.with_channels(), provenance=provenance)
    yield Exported(path, any(step < 0 for step in layer.scale))


def proposed(title: str) -> str:
    """Make a file name of a title, without what a file system may refuse."""
    return re.sub(r"[^\w.-]+", "-", title).strip("-.")


def with_suffix(path: Path, suffix: str) -> Path:
    """End a name as the chosen kind does; .zarr is meant, .tif may be what was proposed."""
    typed = path.name.lower()
    meant = (suffix, ZARR_SUFFIX, *([".tiff"] if suffix == ".tif" else []))
    stem = re.sub(r"(\.ome)?\.(tiff?|zarr|png)$", "", path.name, flags=re.IGNORECASE)
    return path if typed.endswith(meant) else path.with_name(f"{stem}{suffix}")
