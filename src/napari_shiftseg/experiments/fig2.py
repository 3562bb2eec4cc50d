"""Fig. 2: how many same-looking discs a network of three poolings tells apart."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.scene import Scene, identities, show_embedding, show_labels
from napari_shiftseg.experiments.synthetic import BANDWIDTH, SYNTHETIC, Synthetic
from napari_shiftseg.settings import Clustering


def fig2a(model: Model) -> Outcome:
    """Count embeddings at spacing n * f^l: one for all (Corollary 3)."""
    setting = SYNTHETIC["spacing-16-l3"]
    return _outcome(
        "fig2a",
        "Discs at spacing n * f^l get one and the same embedding.",
        setting,
        model,
        expected=1,
    )


def fig2b(model: Model) -> Outcome:
    """Count them at a spacing co-prime to f^l: f^(dl) (Corollary 2)."""
    setting = SYNTHETIC["spacing-15-l3"]
    return _outcome(
        "fig2b",
        "At spacing f^l * 2 - 1, co-prime to f^l, all f^(dl) = 64 discs are told apart.",
        setting,
        model,
        expected=64,
    )


def fig2c(model: Model) -> Outcome:
    """Count them with fixed upsampling."""
    setting = SYNTHETIC["spacing-15-l3-nearest"]
    return _outcome(
        "fig2c",
        "Nearest-neighbour upsampling tells as many apart, since the discs differ by phase.",
        setting,
        model,
        expected=64,
    )


def _outcome(name: str, claim: str, setting: Synthetic, model: Model, expected: int) -> Outcome:
    period, spacing = model.geometry.period[0], setting.spacing or 1
    # One disc of each phase: P discs along each axis, and the rim of those that are cut.
    scene = Scene.of(setting, (period + 2) * spacing)
    result = scene.run(model, "whole", clustering=Clustering(BANDWIDTH, split_components=False))
    means = scene.means(result)
    found = identities(means, BANDWIDTH)
    numbers: dict[str, Any] = {
        "spacing": spacing,
        "period": period,
        "identities": found,
        "expected": expected,
        "radius": BANDWIDTH,
        "discs": len(means),
        "steps": model.description.training["steps_done"],
    }

    def draw(figure: Figure) -> None:
        left, middle, right = figure.subplots(1, 3)
        left.imshow(scene.image[scene.region], cmap="gray")
        left.set_title(f"discs at spacing {spacing}, period {period}", fontsize=9)
        left.set_axis_off()
        show_embedding(middle, result)
        middle.set_title("embedding as RGB", fontsize=9)
        show_labels(right, result.labels)
        right.set_title(f"{found} of {period**2} identities", fontsize=9)

    return Outcome(
        name,
        claim,
        f"{found} different embeddings of {period**2} possible ones",
        found == expected,
        numbers,
        draw,
    )
