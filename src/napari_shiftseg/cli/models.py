"""``shiftseg models``: what is bundled, and the card of any model file."""

from __future__ import annotations

import json
from typing import Any

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import TEXT_ONLY, Reporting
from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import bundled_models, file_hash, model_file
from napari_shiftseg.embeddings.model_file import period_trained_message, read_description
from napari_shiftseg.seams.report import number
from napari_shiftseg.settings import DEFAULT_MODEL
from napari_shiftseg.tiles.plan import by


@app.command
def models(name: str | None = None, *, ending: Reporting = TEXT_ONLY) -> None:
    """List the bundled models, or show the card of one.

    Parameters
    ----------
    name
        Name of a bundled model or a model file.
    """
    ending.refuse_existing(reads=[name])
    found = bundled_models()
    if name is not None:
        found = {name: model_file(name)}
    cards = {key: read_description(path) for key, path in found.items()}
    values = {key: json.loads(card.to_json()) for key, card in cards.items()}
    if name is None:
        text = _listed(cards)
    else:
        text = card_text(cards[name], file_hash(found[name]))
    ending.report(values, text)


def _listed(cards: dict[str, ModelDescription]) -> str:
    """Write a line for each model, the default one first."""
    names = sorted(cards, key=lambda name: (name != DEFAULT_MODEL, name))
    width = max(map(len, names)) + 2
    lines = [f"{name:<{width}}{cards[name].summary}" for name in names]
    lines[0] += " The default."
    return "\n".join([*lines, "", "shiftseg models NAME shows a model's card."])


def card_text(card: ModelDescription, sha256: str = "") -> str:
    """Describe a model in plain words."""
    geometry = card.architecture.geometry
    rows = {
        "what": card.summary,
        "axes": card.axes,
        "period": f"{by(geometry.period)} px",
        "context": f"{by(geometry.context)} px ({geometry.padding} padding)",
        "capacity": f"{geometry.capacity} same-looking objects",
        "trained window": f"{by(card.training_window)} px" if card.training_window else "unknown",
        "bandwidth": f"{card.clustering.bandwidth:g}",
        "licence": card.licence or "not stated",
        "steps": str(card.training.get("steps_done", "unknown")),
        "minutes": _minutes(card.training.get("seconds")),
        "trained by": str(card.training.get("command", "unknown")),
        "mean of": _mean_of(card.training.get("mean_of")),
        "note": str(card.training.get("note", "")),
        "sha256": sha256,
    }
    lines = [card.name, *(f"  {title:<16}{value}" for title, value in rows.items() if value)]
    lines += [f"  score {name}: {_figures(values)}" for name, values in card.scores.items()]
    if card.window_exceeds_period is False:
        lines.append(f"  WARNING: {period_trained_message(card)}")
    return "\n".join(lines)


def _mean_of(origins: object) -> str:
    return f"the weights of {len(origins)} models" if isinstance(origins, list) else ""


def _minutes(seconds: object) -> str:
    if isinstance(seconds, int | float) and 0 < seconds < 1e12:
        return str(round(seconds / 60)) if seconds >= 30 else "less than 1"
    return "unknown"


def _figures(values: Any, prefix: str = "") -> str:
    """Write nested scores in one line, leaving out what is not a number."""
    if not isinstance(values, dict):
        return number(values) if isinstance(values, int | float) else str(values)
    parts = []
    for key, value in values.items():
        if isinstance(value, dict):
            parts.append(_figures(value, f"{prefix}{key} "))
        elif isinstance(value, int | float):
            parts.append(f"{prefix}{key} {number(value)}")
    return ", ".join(part for part in parts if part)
