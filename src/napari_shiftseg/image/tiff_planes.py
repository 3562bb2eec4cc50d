"""Whether a TIFF has all the planes that it says it has; tifffile reads what is left."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import tifffile

_MOST_TAGS = 4096
"""Of a page; tifffile takes more for damage."""


def missing_planes(file: tifffile.TiffFile, index: int) -> int:
    """Count the planes of a series that are not there.

    Parameters
    ----------
    file
        Open.
    index
        Of the series.
    """
    series: Any = file.series[index]
    try:
        lacking = sum(page is None for page in series.pages)
        here = sum(page.size for page in series.pages if page is not None)
    except IndexError:  # of what is not in the file
        return 1
    if series.kind == "imagej" and series.dataoffset is None:
        lacking += max(0, series.size - here) // series.keyframe.size
    return lacking


def page_offsets(file: tifffile.TiffFile) -> Iterator[int]:
    """Yield where the pages of a file begin, until there is none; perhaps without end.

    tifffile lists the pages before it looks for circles of more than 100 of them.
    """
    layout, handle = file.tiff, file.filehandle
    try:
        offset = file.pages.first.offset
    except IndexError:  # it has none
        return
    while offset != 0:
        yield offset
        handle.seek(offset)
        try:
            (tags,) = struct.unpack(layout.tagnoformat, handle.read(layout.tagnosize))
            handle.seek(offset + layout.tagnosize + tags * layout.tagsize)
            (offset,) = struct.unpack(layout.offsetformat, handle.read(layout.offsetsize))
        except struct.error:
            return
        if tags > _MOST_TAGS:
            return
