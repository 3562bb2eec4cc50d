"""Many images: each to labels of its own, and one report of all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.fingerprint import (
    date_of,
    fingerprint_of,
    refuse_another,
    written_at,
)
from napari_shiftseg.blockwise.run import SegmentedFile
from napari_shiftseg.blockwise.segment_file import segment_file_events
from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.blockwise.work_folder import changes
from napari_shiftseg.blockwise.workers import workers_of
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError, hearing
from napari_shiftseg.files import make_folder
from napari_shiftseg.image.files import (
    NPY_SUFFIX,
    READABLE,
    TIFF_SUFFIXES,
    WRITABLE,
    ZARR_SUFFIX,
    open_image,
)
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.tiles.plan import by
from napari_shiftseg.tiles.tile import size_of

Status = Literal["segmented", "kept", "failed"]

_IMAGES = tuple(suffix for suffix in READABLE if suffix != NPY_SUFFIX)


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
        Why it failed, or what was warned of.
    """

    image: str
    status: Status
    objects: int = 0
    seconds: float = 0.0
    message: str = ""


def segment_folder_events(
    folder: Path, output: Path, names: Sequence[str], settings: FileSettings
) -> Iterator[ImageRecord]:
    """Segment images of a folder, and yield a record of each as it ends.

    Labels have the image's name; those of a PNG or NumPy file are a TIFF. An image that fails
    does not stop the others. Labels that are there, made of the same pixels with the same
    settings, are kept, so that a batch that was stopped goes on when it is called again.

    Parameters
    ----------
    folder
        Where the images are.
    output
        Folder of the labels; made if it is not there.
    names
        Of :func:`images_in`.
    settings
        How; ``workers`` and ``scheduler`` segment several images at once.

    Raises
    ------
    ShiftSegError
        If labels would replace the images or each other, the model cannot be loaded, or there
        is no folder to make the output in.
    """
    if output.resolve() == folder.resolve():
        raise ShiftSegError(f"the labels would replace the images in {folder}: name another folder")
    twice = [name for name, count in Counter(map(labels_of, names)).items() if count > 1]
    if twice:
        raise ShiftSegError(f"two images would have the labels {twice[0]}: name one by the pattern")
    known = settings.load().sha256
    settings.refuse_no_device()
    make_folder(output)
    alone = replace(
        settings,
        model=settings.model_name or settings.model,
        workers=None,
        scheduler=None,
        memory=settings.budget,
    )
    work = partial(_segmented, folder.absolute(), output.absolute(), alone, known)
    with workers_of(settings.workers, settings.scheduler) as staff:
        yield from staff.each(work, names)


def images_in(folder: Path, pattern: str = "*", output: Path | None = None) -> list[str]:
    """Return the paths of the images below a folder, sorted; hidden files are none.

    Parameters
    ----------
    folder
        Where to look.
    pattern
        Which of them. NumPy files are images if it ends in their suffix: what lies beside images
        as ``*_seg.npy`` or ``*_features.npy`` is none.
    output
        Folder of the labels: what lies there is no image either.

    Raises
    ------
    ShiftSegError
        If there is no such folder, or no image in it that the pattern names.
    """
    labels = None if output is None or output.resolve() == folder.resolve() else output.resolve()
    if not folder.is_dir():
        hint = "it is a file: use shiftseg segment" if folder.is_file() else "there is none"
        raise ShiftSegError(f"{folder} should be a folder of images; {hint}")
    try:
        there = list(folder.glob(pattern))
    # Of an empty one, one that begins at the root, and one that ends in nothing.
    except (ValueError, NotImplementedError, IndexError):
        raise ShiftSegError(
            f"the pattern is {pattern!r}; legal: one below the folder, as A*.tif or **/*"
        ) from None
    suffixes = READABLE if pattern.lower().endswith(NPY_SUFFIX) else _IMAGES
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in there
        if path.suffix.lower() in suffixes
        and not any(parent.suffix.lower() == ZARR_SUFFIX for parent in path.parents)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and labels not in path.resolve().parents
    )
    if not found:
        kinds = "TIFF, PNG, .npy or OME-Zarr" if suffixes == READABLE else "TIFF, PNG or OME-Zarr"
        raise ShiftSegError(f"{folder} has no {kinds} that {pattern!r} names")
    return found


def labels_of(name: str) -> str:
    """Return the name of an image's labels."""
    path = PurePosixPath(name)
    writable = path.suffix.lower() in WRITABLE
    return str(path if writable else path.with_suffix(TIFF_SUFFIXES[0]))


def _segmented(
    folder: Path, output: Path, settings: FileSettings, known: str, name: str
) -> ImageRecord:
    begin = time.monotonic()
    labels = output / labels_of(name)
    try:
        labels.parent.mkdir(parents=True, exist_ok=True)
        with hearing() as of_model:
            model = settings.load()
        refuse_another(str(settings.model), model.sha256, known)
        with hearing() as warned:
            status, objects = _labelled(folder / name, labels, model, settings)
    except MemoryError as error:
        said = " ".join(str(error).split())
        return ImageRecord(name, "failed", message=f"there is not enough memory: {said}")
    except (ShiftSegError, OSError) as error:
        return ImageRecord(name, "failed", message=" ".join(str(error).split()))
    # What is wrong with the model was said before the first image.
    of_image = dict.fromkeys(text for text in warned if text not in of_model)
    seconds = 0.0 if status == "kept" else time.monotonic() - begin
    return ImageRecord(name, status, objects, seconds, " ".join(of_image))


def _labelled(
    image: Path, labels: Path, model: Model, settings: FileSettings
) -> tuple[Status, int]:
    """Segment an image, unless that was done; return what was done, and how many objects it has."""
    source = Source.open(image, model, settings.axes, settings.region, settings.channel)
    if source.kind == "labels":
        raise ShiftSegError("it holds labels, not an image; name the images by the pattern")
    if labels.exists() and not settings.overwrite:
        return "kept", _objects_kept(source, labels, model, settings)
    *_, found = segment_file_events(source, labels, settings)
    assert isinstance(found, SegmentedFile)
    return "segmented", found.objects


def _objects_kept(source: Source, labels: Path, model: Model, settings: FileSettings) -> int:
    """Count the objects in labels that are there; refuse those of other settings."""
    made, image, frames = open_image(labels), Path(source.path), source.frames
    clustering = settings.clustering or model.description.clustering
    expected = {
        "model_sha256": model.sha256,
        "precision": model.precision,
        "way of computing": "torch.compile" if model.compiled else "layers",
        "stitch": settings.stitch,
        "axes": frames.axes,
        "channel": source.channel,
        **asdict(clustering),
    }
    # Of the others labels are those of any tile, if they are not rounded to bfloat16.
    rounded = settings.precision != "float32" and settings.tile is not None
    if settings.stitch in ("naive", "blended") or rounded:
        plan = plan_for(model, frames.spatial, settings.stitch, settings.tile, source.region)
        expected["tile"] = list(plan.tile_size)
    unsaid = {"precision": "float32", "axes": frames.axes}  # in labels of older versions
    found = unsaid | made.provenance | made.provenance.get("clustering", {})
    found["way of computing"] = "torch.compile" if found.get("compiled") else "layers"
    other = changes({name: found.get(name) for name in expected}, expected)
    if other:
        raise ShiftSegError(
            f"{labels} was made with {', '.join(other)}; add --overwrite to replace it, or name "
            "another folder"
        )
    size = frames.loops + (size_of(source.region) if source.region else frames.spatial)
    if tuple(made.pixels.shape) != size:
        raise ShiftSegError(
            f"{labels} has {by(tuple(made.pixels.shape))} px, {image} has {by(size)} px; add "
            "--overwrite to replace it"
        )
    known = made.provenance.get("image_sha256")  # not in labels of older versions
    if known and fingerprint_of(source) != known:
        raise ShiftSegError(
            f"{image} has other pixels than when {labels} was made; add --overwrite to replace it"
        )
    if (not known or date_of(source)) and written_at(image) > written_at(labels):
        raise ShiftSegError(f"{image} is newer than {labels}; add --overwrite to replace it")
    return int(made.pixels.max()) if made.pixels.size else 0
