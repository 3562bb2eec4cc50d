"""Tables of a comparison as CSV, with all that the window has no room for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from napari_shiftseg._napari.compare.pair import NAMES, Cut, Pair
from napari_shiftseg._napari.job import Result

_SPLIT_TITLES = (
    "result",
    "stitching",
    "object",
    "pieces",
    "axis",
    "seam",
    "position_px",
    "position_world",
    "unit",
    "contact_px",
    "jump",
    "severity",
    "cause",
)


def splits_csv(pair: Pair) -> str:
    """Return one line per split, the severest first; lists are separated by blanks."""
    return _csv([_SPLIT_TITLES, *(_split_row(pair.results[cut.side], cut) for cut in pair.cuts)])


def totals_csv(pair: Pair) -> str:
    """Return one line per result."""
    rows = []
    for name, result in zip(NAMES, pair.results, strict=True):
        values = result.report.to_dict()
        values["tile"] = _list(values["tile"])
        del values["splits"]
        rows.append({"result": name, "stitching": result.mode, **values})
    return _csv([list(rows[0]), *(row.values() for row in rows)])


def _split_row(result: Result, cut: Cut) -> list[Any]:
    split, placement = cut.split, result.subject.placement
    return [
        NAMES[cut.side],
        result.title,
        split.object_id,
        _list(split.pieces),
        split.axis,
        split.seam,
        _list(f"{v:g}" for v in split.position),
        _list(f"{v:g}" for v in placement.to_world(split.position)),
        _list(placement.units),
        split.length,
        "" if split.jump != split.jump else split.jump,
        split.severity,
        split.cause,
    ]


def _list(values: Iterable[Any]) -> str:
    return " ".join(map(str, values))


def _csv(rows: Sequence[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
