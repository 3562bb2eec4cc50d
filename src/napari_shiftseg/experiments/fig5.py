"""Figs. 5 and S2: where a network is, seen from a constant image."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.scene import Scene, identities, show_embedding
from napari_shiftseg.experiments.synthetic import BANDWIDTH, SYNTHETIC
from napari_shiftseg.pipeline import segment


def fig5(learnt: Model, nearest: Model) -> Outcome:
    """Count the IDs that valid padding gives to pixels of a constant image (Corollary 5)."""
    counts, pictures = {}, {}
    for name, model, setting in (
        ("learnt", learnt, SYNTHETIC["constant"]),
        ("nearest", nearest, SYNTHETIC["constant-nearest"]),
    ):
        period = model.geometry.period[0]
        result = Scene.of(setting, 2 * period).run(model, "whole")
        block = result.prediction.embedding[:, :period, :period]
        counts[name] = identities(block.reshape(len(block), -1).T.astype(float), BANDWIDTH)
        pictures[name] = result
    possible = learnt.geometry.capacity
    numbers: dict[str, Any] = {
        "ids_learnt": counts["learnt"],
        "ids_nearest": counts["nearest"],
        "possible": possible,
        "radius": BANDWIDTH,
        "steps": learnt.description.training["steps_done"],
    }

    def draw(figure: Figure) -> None:
        for axis, (name, result) in zip(figure.subplots(1, 2), pictures.items(), strict=True):
            show_embedding(axis, result)
            of = result.model.geometry.capacity
            axis.set_title(f"{name} upsampling: {counts[name]} of {of} IDs", fontsize=9)

    return Outcome(
        "fig5",
        "Learnt upsampling gives each pixel of an f^l block of a constant image its own ID; "
        "fixed upsampling gives one to all.",
        f"{counts['learnt']} of {possible} IDs with learnt upsampling, {counts['nearest']} with "
        "nearest",
        counts["learnt"] == possible and counts["nearest"] == 1,
        numbers,
        draw,
        size=(7.0, 3.6),
    )


def s2(model: Model) -> Outcome:
    """Count them under zero padding, which makes the border visible, and so each pixel's place."""
    setting = SYNTHETIC["constant-same"]
    image, _ = setting.image()
    result = segment(image, model, stitch="whole")
    embedding = result.prediction.embedding
    found = identities(embedding.reshape(len(embedding), -1).T.astype(float), BANDWIDTH)
    inner = embedding[:, 16:24, 16:24]
    inside = identities(inner.reshape(len(inner), -1).T.astype(float), BANDWIDTH)
    capacity = model.geometry.capacity
    numbers: dict[str, Any] = {
        "ids": found,
        "ids_in_central_8x8": inside,
        "pixels": image.size,
        "capacity_of_phase_alone": capacity,
        "radius": BANDWIDTH,
        "steps": model.description.training["steps_done"],
    }

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        show_embedding(left, result)
        left.set_title(f"zero padding: {found} IDs of {image.size} pixels", fontsize=9)
        spread = np.linalg.norm(embedding - embedding.mean((1, 2), keepdims=True), axis=0)
        drawn = right.imshow(spread, cmap="viridis")
        right.set_title("distance to the mean embedding", fontsize=9)
        right.set_axis_off()
        figure.colorbar(drawn, ax=right, shrink=0.8)

    return Outcome(
        "s2",
        "Zero padding gives a network location awareness of another kind: more IDs than phases, "
        "though its upsampling is fixed.",
        f"{found} IDs on a constant image; with valid padding and the same upsampling there is "
        f"1, and {capacity} phases",
        found > capacity,
        numbers,
        draw,
        size=(7.0, 3.4),
    )
