"""Fig. 6: false splits and AP against tile size, on real images."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from napari_shiftseg._version import __version__
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.evaluation import evaluate
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.real_data import DATA_SETS, DataSet
from napari_shiftseg.files import write_text
from napari_shiftseg.image.array import hash_of

_KEYS = ("false_splits", "false_merges", "seam_splits", "seam_jump_ratio")


def fig6(models: dict[str, Model], kept: Path) -> Generator[str, None, Outcome]:
    """Stitch every data set from tiles of many sizes; yield what is done, then the outcome.

    Parameters
    ----------
    models
        Models by the names that the data sets ask for.
    kept
        Folder for the scores of each size; those that are there are not measured again.
    """
    numbers: dict[str, Any] = {}
    for data in DATA_SETS:
        numbers[data.title] = yield from _sweep(data, models[data.model], kept)
    holds = {name: _as_the_paper_says(values) for name, values in numbers.items()}

    def draw(figure: Figure) -> None:
        panels = figure.subplots(2, len(numbers), sharex="col")
        for column, (name, values) in enumerate(numbers.items()):
            _draw(panels[:, column], name, values)

    return Outcome(
        "fig6",
        "Output windows of n * f^l have the fewest false splits, those of whole-image inference, "
        "on all three data sets.",
        "; ".join(_sentence(name, values) for name, values in numbers.items()),
        all(holds.values()),
        numbers,
        draw,
        size=(10.0, 5.0),
    )


def _sweep(data: DataSet, model: Model, kept: Path) -> Generator[str, None, dict[str, Any]]:
    pairs = list(data.pairs())
    scores = _Scores(data.name, model, pairs, kept)
    period = model.geometry.period
    rows = []
    for tile in data.tiles:
        yield f"{data.name}: tiles of {tile} px"
        aligned = all(tile % p == 0 for p in period)
        found = _chosen(scores.of(f"{tile}", stitch="naive", tile=tile))
        rows.append({"tile": tile, "multiple_of_period": aligned, **found})
    yield f"{data.name}: whole images"
    whole = scores.of("whole", stitch="whole")
    return {
        "model": model.description.name,
        "period": list(period),
        "images": len(pairs),
        "placements": data.placements,
        "true_objects": whole["true_objects"],
        "tiles": rows,
        "whole": _chosen(whole),
    }


@dataclass(frozen=True)
class _Scores:
    """Scores of a model on a data set, each measured once."""

    data: str
    model: Model
    pairs: list[Any]
    kept: Path

    def of(self, name: str, **stitching: Any) -> dict[str, Any]:
        """Evaluate, or read what an interrupted run has written."""
        file = self.kept / f"{self.data}-{name}-{self._measured}.json"
        if not file.exists():
            found = evaluate(self.model, self.pairs, **stitching).to_dict()
            self.kept.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(found, indent=1))
        scores: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return scores

    @cached_property
    def _measured(self) -> str:
        """Short hash of all that scores depend on but the stitching."""
        pixels = hash_of(array for pair in self.pairs for array in pair)
        return sha256(f"{__version__} {self.model.sha256} {pixels}".encode()).hexdigest()[:12]


def _chosen(scores: dict[str, Any]) -> dict[str, Any]:
    return {"ap50": scores["ap"]["0.5"], **{key: scores[key] for key in _KEYS}}


def _splits(values: dict[str, Any], *, aligned: bool) -> list[int]:
    rows = [row for row in values["tiles"] if row["multiple_of_period"] == aligned]
    return [row["false_splits"] for row in rows]


def _as_the_paper_says(values: dict[str, Any]) -> bool:
    multiples, others = _splits(values, aligned=True), _splits(values, aligned=False)
    equal = set(multiples) == {values["whole"]["false_splits"]}
    return equal and max(multiples) < min(others)


def _sentence(name: str, values: dict[str, Any]) -> str:
    multiples, others = _splits(values, aligned=True), _splits(values, aligned=False)
    return (
        f"{name}: {min(multiples)} to {max(multiples)} false splits at multiples of the period, "
        f"{min(others)} to {max(others)} at other sizes, {values['whole']['false_splits']} for "
        "whole images"
    )


def _draw(panels: Any, name: str, values: dict[str, Any]) -> None:
    tiles = [row["tile"] for row in values["tiles"]]
    for panel, key, title in zip(
        panels, ("false_splits", "ap50"), ("false splits", "AP 0.5"), strict=True
    ):
        counts = [row[key] for row in values["tiles"]]
        panel.plot(tiles, counts, color="#c85a00", marker="o", ms=3, lw=1.2, label="any tile size")
        aligned = [i for i, row in enumerate(values["tiles"]) if row["multiple_of_period"]]
        panel.plot(
            [tiles[i] for i in aligned],
            [counts[i] for i in aligned],
            color="#0a7f8f",
            ls="none",
            marker="D",
            label="n * period",
        )
        panel.axhline(values["whole"][key], color="#0a7f8f", ls="--", lw=1, label="whole image")
        panel.set_ylabel(title, fontsize=8)
        panel.tick_params(labelsize=8)
    panels[0].set_title(f"{name}\n{values['true_objects']} objects", fontsize=9)
    panels[0].legend(fontsize=7, frameon=False)
    panels[-1].set_xlabel("tile size (px)", fontsize=8)
