"""An image of any size to a file of labels: at once if it fits into memory, else in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_shiftseg.blockwise.file_settings import FileSettings
from napari_shiftseg.blockwise.fingerprint import fingerprint_of
from napari_shiftseg.blockwise.prepare import prepare
from napari_shiftseg.blockwise.run import (
    BlocksDone,
    SegmentedFile,
    embedding_is_written,
    over_blocks,
)
from napari_shiftseg.blockwise.source import Source
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.embeddings.cost import cost_of
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.predict import TileDone
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import alone, refuse_closed, refuse_to_replace
from napari_shiftseg.image.files import (
    is_zarr_name,
    refuse_unwritable,
    write_embedding,
    write_labels,
)
from napari_shiftseg.image.ngff import canonical_order
from napari_shiftseg.pipeline import Segmentation, plan_for, segment_events

FileEvent = TileDone | BlocksDone | SegmentedFile


def segment_file(image: str | Path | Any, output: str | Path, **settings: Any) -> SegmentedFile:
    """Segment an image of any size into a file of labels, within a bounded memory.

    The labels are those of :func:`segment`. Block by block, what is finished is kept beside
    the output, in ``<output>.unfinished``, until the output is whole: a run that was stopped,
    by whatever, goes on from there when it is called again.

    Parameters
    ----------
    image
        Path of a TIFF, PNG, .npy or OME-Zarr, or an array; lazy ones (dask, zarr) are read block by
        block.
    output
        Labels to write, ``.tif`` or ``.ome.zarr``.
    **settings
        Fields of :class:`~napari_shiftseg.blockwise.file_settings.FileSettings`: ``model``,
        ``precision``, ``stitch``, ``tile``, ``clustering``, ``device``, ``axes``, ``channel``,
        ``region``, ``memory``, ``workers``, ``scheduler``, ``block_pixels``, ``embeddings``,
        ``overwrite``.

    Returns
    -------
    SegmentedFile
        Where the labels are, and how they were made.

    Raises
    ------
    ShiftSegError
        If image, model or settings do not fit each other, the output exists, an unfinished
        run with other settings lies there, or a file cannot be written.

    References
    ----------
    Rumberger et al., ICCV 2021, Corollary 4.
    """
    *_, result = segment_file_events(image, output, FileSettings(**settings))
    assert isinstance(result, SegmentedFile)
    return result


def segment_file_events(
    image: str | Path | Any | Source, output: str | Path, settings: FileSettings
) -> Iterator[FileEvent]:
    """Run :func:`segment_file` step by step; closing the generator stops it.

    A :class:`Source` says itself what the axes and the voxel size of the labels are.
    """
    output = Path(output).absolute()
    with alone(output):
        yield from _segmented(image, output, settings)


def _segmented(
    image: str | Path | Any | Source, output: Path, settings: FileSettings
) -> Iterator[FileEvent]:
    _refuse(image, settings, output)
    model = settings.load()
    source = (
        image
        if isinstance(image, Source)
        else Source.open(image, model, settings.axes, settings.region, settings.channel)
    )
    _refuse_axes(source, settings, output)
    folder = WorkFolder.beside(output)
    _leave_blocks(folder, settings)
    if not (settings.wants_blocks or folder.path.exists() or _too_large(source, model, settings)):
        yield from _at_once(source, model, settings, output)
        return
    if settings.scheduler or (settings.workers or 1) > 1:
        _refuse_what_cannot_be_sent(source, settings)
    job = prepare(source, folder, model, settings)
    yield from over_blocks(job, settings, output, source.calibration)


def _refuse_axes(source: Source, settings: FileSettings, output: Path) -> None:
    """Find out now what OME-Zarr would refuse at the end."""
    labels = source.calibration
    for path, written in ((output, labels), (settings.embedding_file, labels.with_channels())):
        if path is not None and is_zarr_name(path):
            canonical_order(written.axes)


def _leave_blocks(folder: WorkFolder, settings: FileSettings) -> None:
    """Let go of a run over blocks where the whole image is wanted at once."""
    if settings.stitch != "whole" or settings.wants_blocks or not folder.path.exists():
        return
    if not settings.overwrite:
        raise ShiftSegError(
            f"{folder.path} holds an unfinished run in blocks, of which stitch='whole' has none; "
            "go on with its settings, or add --overwrite to start afresh"
        )
    folder.discard()


def _refuse(image: Any, settings: FileSettings, output: Path) -> None:
    """Find out before any work is done what could not be written."""
    refuse_unwritable(output, settings.embedding_file)
    settings.refuse_no_device()
    if settings.embedding_file is not None and _overlap(output, settings.embedding_file):
        raise ShiftSegError(f"labels and embedding are to be written to {output}; name two files")
    image = image.path or None if isinstance(image, Source) else image
    for path in (output, settings.embedding_file):
        if path is None:
            continue
        for source in (image, settings.model):
            if isinstance(source, str | Path) and (source is image or Path(source).is_file()):
                refuse_to_replace(source, path)
        mine = embedding_is_written(output, path)
        if path.exists() and not (settings.overwrite or mine):
            raise ShiftSegError(f"{path} exists; overwrite=True replaces it")
        refuse_closed(path)


def _overlap(one: Path, other: Path) -> bool:
    """Whether two files are one, or one lies in the folder that the other is."""
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or other in one.parents


def _refuse_what_cannot_be_sent(source: Source, settings: FileSettings) -> None:
    """Other processes open image and model by their names."""
    if not source.path:
        raise ShiftSegError("an array is segmented by this process alone; workers need a file")
    if isinstance(settings.model, Model):
        raise ShiftSegError(
            "a loaded model works in this process alone; workers need its name or its file"
        )


def _too_large(source: Source, model: Model, settings: FileSettings) -> bool:
    """Tell whether the result, and a tile, take more than the memory."""
    frames = source.frames
    plan = plan_for(model, frames.spatial, settings.stitch, settings.tile, source.region)
    needed = cost_of(model.description.architecture, plan, len(frames)).total_bytes
    return settings.stitch != "whole" and needed > settings.budget


def _at_once(
    source: Source, model: Model, settings: FileSettings, output: Path
) -> Iterator[FileEvent]:
    for event in segment_events(
        source.frames.source,
        model,
        stitch=settings.stitch,
        tile=settings.tile,
        clustering=settings.clustering,
        device=settings.device,
        axes=source.frames.axes,
        region=source.region,
        memory=settings.budget,
    ):
        if isinstance(event, TileDone):
            yield event
        else:
            yield _written(event, source, settings, output)


def _written(
    found: Segmentation, source: Source, settings: FileSettings, output: Path
) -> SegmentedFile:
    axes = source.calibration
    provenance = found.provenance | {"axes": source.frames.axes, "channel": source.channel}
    provenance["image_sha256"] = fingerprint_of(source)
    if settings.embedding_file is not None:
        vectors, its_axes = found.prediction.embedding, axes.with_channels()
        write_embedding(settings.embedding_file, vectors, axes=its_axes, provenance=provenance)
    write_labels(output, found.labels, axes=axes, provenance=provenance)
    return SegmentedFile(output, found.objects, found.plan, 1, provenance)
