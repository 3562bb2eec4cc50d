"""Many images: each to labels of its own, and one report of all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.segment_file import segment_file
from napari_shiftseg.blockwise.work_folder import changes
from napari_shiftseg.blockwise.workers import workers_of
from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.files import TIFF_SUFFIXES, ZARR_SUFFIX, open_image

Status = Literal["segmented", "kept", "failed"]


@dataclass(frozen=True)
class ImageRecord:
    """What became of one image.

    Parameters
    ----------
    image
        Its path below the folder of images.
    status
        ``"segmented"``; ``"kept"`` if its labels were there, made with the same settings; or
        ``"failed"``.
    objects
        How many objects its labels hold.
    seconds
        How long it took.
    message
        Why it failed.
    """

    image: str
    status: Status
    objects: int = 0
    seconds: float = 0.0
    message: str = ""


def segment_folder(
    folder: str | Path, output: str | Path, *, pattern: str = "*", **settings: Any
) -> list[ImageRecord]:
    """Segment every image of a folder; see :func:`segment_folder_events`, which it drains."""
    records = segment_folder_events(folder, output, pattern=pattern, **settings)
    return sorted(records, key=lambda record: record.image)


def segment_folder_events(
    folder: str | Path, output: str | Path, *, pattern: str = "*", **settings: Any
) -> Iterator[ImageRecord]:
    """Segment every image of a folder, and yield a record of each as it ends.

    Labels have the image's name. An image that fails does not stop the others. Labels that
    are there, newer than their image and made with the same settings, are kept, so that a
    batch that was stopped goes on when it is called again.

    Parameters
    ----------
    folder
        Images: TIFF files and OME-Zarr folders.
    output
        Folder of the labels; made if it is not there.
    pattern
        Which images, as ``"*_DAPI.tif"``; ``"**/*"`` goes into subfolders too.
    **settings
        Fields of :class:`~napari_shiftseg.blockwise.file_settings.FileSettings`; ``workers``
        and ``scheduler`` segment several images at once.

    Raises
    ------
    ShiftSegError
        If there is no such folder, no image in it, labels would replace the images, or the
        model cannot be loaded.
    """
    folder, output = Path(folder), Path(output)
    chosen = FileSettings(**settings)
    images = images_in(folder, pattern)
    if output.resolve() == folder.resolve():
        raise ShiftSegError(f"the labels would replace the images in {folder}: name another folder")
    load_model(chosen.model)
    if not output.parent.is_dir():
        raise ShiftSegError(f"no such folder: {output.parent}")
    alone = replace(chosen, workers=None, scheduler=None, memory=chosen.budget)
    with workers_of(chosen.workers, chosen.scheduler) as staff:
        yield from staff.each(
            partial(_segmented, folder.absolute(), output.absolute(), alone), images
        )


def images_in(folder: Path, pattern: str = "*") -> list[str]:
    """Return the paths of the images below a folder, sorted.

    Raises
    ------
    ShiftSegError
        If there is no such folder, or no image in it that the pattern names.
    """
    if not folder.is_dir():
        hint = "it is a file: use shiftseg segment" if folder.is_file() else "there is none"
        raise ShiftSegError(f"{folder} should be a folder of images; {hint}")
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.glob(pattern)
        if path.suffix.lower() in (*TIFF_SUFFIXES, ZARR_SUFFIX)
        and not any(parent.suffix.lower() == ZARR_SUFFIX for parent in path.parents)
    )
    if not found:
        raise ShiftSegError(f"{folder} has no TIFF or OME-Zarr that {pattern!r} names")
    return found


def _segmented(folder: Path, output: Path, settings: FileSettings, name: str) -> ImageRecord:
    image, labels = folder / name, output / name
    begin = time.monotonic()
    try:
        labels.parent.mkdir(parents=True, exist_ok=True)
        if labels.exists() and not settings.overwrite:
            return ImageRecord(name, "kept", _objects_kept(image, labels, settings))
        found = segment_file(image, labels, **_fields(settings))
    except (ShiftSegError, OSError) as error:
        return ImageRecord(name, "failed", message=" ".join(str(error).split()))
    return ImageRecord(name, "segmented", found.objects, time.monotonic() - begin)


def _objects_kept(image: Path, labels: Path, settings: FileSettings) -> int:
    """Count the objects in labels that are there; refuse those of other settings."""
    made = open_image(labels)
    model = load_model(settings.model)
    expected = {
        "model_sha256": model.sha256,
        "stitch": settings.stitch,
        **asdict(settings.clustering or model.description.clustering),
    }
    found = made.provenance | made.provenance.get("clustering", {})
    other = changes({name: found.get(name) for name in expected}, expected)
    if other:
        raise ShiftSegError(
            f"{labels} was made with {', '.join(other)}; add --overwrite to replace it, or name "
            "another folder"
        )
    if image.stat().st_mtime > labels.stat().st_mtime:
        raise ShiftSegError(f"{image} is newer than {labels}; add --overwrite to replace it")
    return int(made.pixels.max()) if made.pixels.size else 0


def _fields(settings: FileSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}
