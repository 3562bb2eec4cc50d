"""A model in plain words."""

from __future__ import annotations

from html import escape
from typing import Any

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.tiles.plan import by

GLOSSARY = (
    "<b>Period</b>: a U-Net treats pixels alike only if they are a multiple of this distance "
    "apart; tiles that are multiples of it leave no seams.<br>"
    "<b>Capacity</b>: how many same-looking objects the network can tell apart at most, f^(dl)."
    "<br>"
    "<b>Context</b>: how many pixels more than it puts out the network reads.<br>"
    "<b>Trained window</b>: the output that training saw at once; it must exceed the period, "
    "or neighbours were never trained together."
)
"""What the words of the card mean."""


def card(description: ModelDescription) -> str:
    """Describe a model in a few lines."""
    architecture = description.architecture
    geometry = architecture.geometry
    first = (
        f"<b>{geometry.ndim}-D</b> · period <b>{by(geometry.period)} px</b> · "
        f"context {by(geometry.context)} px"
    )
    second = (
        f"{_padding(geometry.padding)}, {architecture.upsampling} upsampling, "
        f"capacity {geometry.capacity}"
    )
    last = [text for text in (_score(description.scores), escape(description.licence)) if text]
    lines = [first, second, _window(description), " · ".join(last)]
    return "<br>".join(line for line in lines if line)


def _padding(padding: str) -> str:
    return "Valid padding" if padding == "valid" else "Zero padding"


def _window(description: ModelDescription) -> str:
    window, exceeds = description.training_window, description.window_exceeds_period
    if exceeds is None:
        return "Trained window unknown"
    verdict = "exceeds the period" if exceeds else "does not exceed the period"
    return f"Trained window {by(window)} px: {verdict}"


def _score(scores: dict[str, Any]) -> str:
    value = ap50(scores)
    return "" if value is None else f"AP 0.5: {value:.2f}"


def ap50(scores: dict[str, Any]) -> float | None:
    """Find the average precision at IoU 0.5: directly, or where it was measured.

    Of several measurements a corrected one comes first.
    """
    precision = scores.get("ap")  # of a validation in training one number, else one by IoU
    at_half = precision.get("0.5") if isinstance(precision, dict) else precision
    for value in (scores.get("ap50"), at_half):
        if isinstance(value, int | float):
            return float(value)
    ordered = sorted(scores, key=lambda name: "corrected" not in name)
    nested = (ap50(scores[name]) for name in ordered if isinstance(scores[name], dict))
    return next((value for value in nested if value is not None), None)
