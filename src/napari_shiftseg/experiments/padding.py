"""Zero padding (Sec. 3.2): inconsistent at every border of a window, unless trained across it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.scene import Scene, show_embedding, show_labels
from napari_shiftseg.experiments.synthetic import SYNTHETIC
from napari_shiftseg.seams.report import number

EDGE = 208
_TITLES = {"alone": "windows trained alone", "neighbours": "neighbours trained together"}


def padding(alone: Model, neighbours: Model) -> Outcome:
    """Stitch zero-padded windows of the trained size, each of them blind beyond its border."""
    scene = Scene.of(SYNTHETIC["padding-alone"], EDGE)
    window = SYNTHETIC["padding-alone"].window
    models = {"alone": alone, "neighbours": neighbours}
    runs = {name: scene.run(model, "naive", window) for name, model in models.items()}
    numbers: dict[str, Any] = {
        "discs": len(np.unique(scene.objects)) - 1,
        "window": window,
        "steps": alone.description.training["steps_done"],
        **{name: scene.score(run) for name, run in runs.items()},
    }
    before, after = numbers["alone"], numbers["neighbours"]

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, 4)
        for (name, run), pair in zip(runs.items(), (panels[:2], panels[2:]), strict=True):
            show_embedding(pair[0], run)
            pair[0].set_title(_TITLES[name], fontsize=9)
            show_labels(pair[1], run.labels, run.plan.seams)
            pair[1].set_title(f"{numbers[name]['seam_splits']} cut by seams", fontsize=9)

    return Outcome(
        "padding",
        "With zero padding, windows stitch without inconsistencies only if direct neighbours "
        "were trained in one batch.",
        f"{before['seam_splits']} of {numbers['discs']} discs cut by the seams of {window} px "
        f"windows trained alone, {after['seam_splits']} where neighbours were trained together; "
        f"jump ratio {number(before['seam_jump_ratio'])} against "
        f"{number(after['seam_jump_ratio'])}",
        before["seam_splits"] >= 10 * max(1, after["seam_splits"]),
        numbers,
        draw,
        size=(11.0, 3.2),
    )
