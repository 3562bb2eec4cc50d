"""``shiftseg segment``: an image to a label image."""

from __future__ import annotations

import re
from pathlib import Path

from napari_shiftseg.blockwise.run import SegmentedFile, embedding_is_written
from napari_shiftseg.blockwise.segment_file import segment_file_events
from napari_shiftseg.blockwise.work_folder import WorkFolder
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import TEXT_ONLY, OutputFile, Reporting, note
from napari_shiftseg.cli.file_options import AS_USUAL, FileOptions
from napari_shiftseg.cli.run import follow
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.tile import Region
from napari_shiftseg.wording import counted

_SPAN = re.compile(r"([0-9]{0,18}):([0-9]{0,18})")


@app.command
def segment(
    image: Path,
    *,
    output: OutputFile,
    embeddings: Path | None = None,
    region: str | None = None,
    how: FileOptions = AS_USUAL,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Segment an image, or each frame of a stack, and write the labels.

    An image that does not fit into memory is segmented block by block, with the same labels.
    Finished blocks are kept beside the output until it is whole, so that the same command
    goes on after an interruption.

    Parameters
    ----------
    image
        TIFF, PNG, .npy or OME-Zarr to segment.
    output
        Labels to write, .tif or .ome.zarr, with the image's voxel size; 0 is background.
    embeddings
        Also write the embedding to this .tif or .ome.zarr, channels first.
    region
        Segment only this part of each frame, in pixels from 0 as START:STOP for each axis, last
        the columns: 100:900,200:1200. It is the same part of the whole image's embedding.
    """
    written = embeddings is not None and embedding_is_written(output, embeddings)
    ending.refuse_existing(output, None if written else embeddings, reads=[image, how.model])
    settings = how.settings(
        embeddings=embeddings,
        region=None if region is None else _region(region),
        overwrite=ending.overwrite,
    )
    events = segment_file_events(image, output, settings)
    try:
        result = follow(events, SegmentedFile)
    except (KeyboardInterrupt, SystemExit):  # of Ctrl-C, or asked to terminate
        if WorkFolder.beside(output).path.exists():
            note("the same command goes on with what is finished")
        raise
    values = {"objects": result.objects, "blocks": result.blocks, "labels": str(output)}
    ending.report(result.provenance | values, summary(result))


def _region(text: str) -> Region:
    """Read ``START:STOP,START:STOP``; what is left out is the border of the image."""
    parts = [part.strip() for part in text.split(",")]
    spans = [_SPAN.fullmatch(part) for part in parts]
    if not all(spans):
        raise ShiftSegError(
            f"--region is {text!r}; legal: START:STOP for each axis, as 100:900,200:1200"
        )
    found = [[int(end) if end else None for end in span.groups()] for span in spans if span]
    return tuple(slice(start, stop) for start, stop in found)


def summary(result: SegmentedFile) -> str:
    """Say what was found and how the image was cut."""
    found = counted(result.objects, "object") if result.objects else "no objects found"
    blocks = f" In {result.blocks} blocks." if result.blocks > 1 else ""
    return f"{result.output}: {found}. {result.plan.sentence()}{blocks}"
