"""The list of cuts and the report as text."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from napari_shiftseg._napari.check.job import CutRow, Found, Repaired
from napari_shiftseg._napari.check.words import finding

_TITLES = (
    "labels",
    "one_sided",
    "confidence",
    "length_px",
    "position_px",
    "position_world",
    "unit",
)


def list_as_csv(found: Found) -> str:
    """Return one line per row of the table; lists are separated by blanks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_TITLES)
    for row in found.rows:
        values = _values(found, row)
        writer.writerow(
            " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
            if isinstance(value, list)
            else value
            for value in values.values()
        )
    return text.getvalue()


def list_as_json(found: Found) -> str:
    """Return the rows of the table."""
    return json.dumps([_values(found, row) for row in found.rows], indent=2)


def report_as_json(found: Found, repaired: Repaired | None) -> str:
    """Return all that was found, and what was merged, as ``shiftseg repair --undo`` takes it."""
    frame = list(found.part.placement.frame)
    report = {"layer": found.part.name, "image": found.image, "frame": frame}
    report |= {"finding": finding(found)} | asdict(found.check)
    return json.dumps(report | (repaired.repair.to_dict() if repaired else {}), indent=2)


def _values(found: Found, row: CutRow) -> dict[str, Any]:
    placement = found.part.placement
    values = (
        [int(label) for label in row.labels],
        row.one_sided,
        "" if row.confidence is None else round(row.confidence, 4),
        row.length,
        list(row.position),
        list(placement.to_world(row.position)),
        [str(unit) for unit in placement.units],
    )
    return dict(zip(_TITLES, values, strict=True))
