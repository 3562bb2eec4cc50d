"""``shiftseg batch``: a folder of images to a folder of labels."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

from napari_shiftseg.blockwise.batch import (
    ImageRecord,
    images_in,
    labels_of,
    segment_folder_events,
)
from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    TEXT_ONLY,
    OutputFile,
    Reporting,
    is_report,
    note,
    progress_bar,
)
from napari_shiftseg.cli.file_options import AS_USUAL, FileOptions
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import file_beside
from napari_shiftseg.wording import counted

_COLUMNS = [field.name for field in fields(ImageRecord)]
_objects = partial(counted, noun="object")


@app.command
def batch(
    folder: Path,
    *,
    output: OutputFile,
    pattern: str = "*",
    how: FileOptions = AS_USUAL,
    ending: Reporting = TEXT_ONLY,
) -> None:
    """Segment every image of a folder, and write one report, report.csv, beside the labels.

    An image that fails does not stop the others. Labels that are there already, made with the
    same settings, are kept, so that the same command goes on after an interruption.

    Parameters
    ----------
    folder
        Folder of images: TIFF and PNG files, and OME-Zarr folders; .npy files if the pattern
        ends so.
    output
        Folder for the labels, which have the names of the images; those of a PNG or .npy are
        a TIFF.
    pattern
        Which images, as A*.tif; two stars and a slash before it go into subfolders too.
    """
    report = output / "report.csv"
    names = images_in(folder, pattern, output)
    made = (report, *(output / labels_of(name) for name in names))
    if ending.json and os.path.realpath(ending.json) in map(os.path.realpath, made):
        raise ShiftSegError(f"{ending.json} is another output of this run; name another file")
    ending.refuse_existing(
        reads=[folder / name for name in names],
        renews=partial(is_report, keys={"images", "report"}),
    )
    _refuse_foreign(report)
    settings = how.settings(overwrite=ending.overwrite)
    events = segment_folder_events(folder, output, names, settings)
    records: list[ImageRecord] = []
    with _written_at_the_end(report, records), progress_bar("images", len(names)) as advance:
        for record in events:
            records.append(record)
            found = record.message if record.status == "failed" else _objects(record.objects)
            advance(f"{record.image}: {found}")
    counts = Counter(record.status for record in records)
    text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    objects = sum(record.objects for record in records)
    values = {"images": [asdict(record) for record in records], "report": str(report)}
    ending.report(values, f"{counted(len(records), 'image')}: {text}; {_objects(objects)}", report)
    for record in records:
        if record.message:
            note(f"shiftseg: {record.image}: {record.message}")
    if counts["failed"]:
        sys.exit(2)


def _refuse_foreign(report: Path) -> None:
    """Replace a report of ours, and no other file of that name."""
    if not report.exists():
        return
    try:
        with report.open(encoding="utf-8-sig", newline="") as file:
            columns = next(csv.reader(file), None)
    except (UnicodeDecodeError, csv.Error):
        columns = None
    if columns != _COLUMNS:
        raise ShiftSegError(f"{report} is no report of shiftseg, and is not replaced")


@contextlib.contextmanager
def _written_at_the_end(report: Path, records: list[ImageRecord]) -> Iterator[None]:
    """Write what was done however it ends: an interrupted batch has a report of its images too."""
    try:
        yield
    finally:
        if records:
            records.sort(key=lambda record: record.image)
            _write(report, records)


def _write(report: Path, records: list[ImageRecord]) -> None:
    with (
        file_beside(report) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        table = csv.DictWriter(file, _COLUMNS)
        table.writeheader()
        table.writerows(asdict(record) | {"seconds": f"{record.seconds:.2f}"} for record in records)
