"""Fig. 4: what window in training and tile size in stitching do to discs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_shiftseg.embeddings.colours import Colouring
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.scene import Scene, show_embedding, show_labels
from napari_shiftseg.experiments.synthetic import SYNTHETIC
from napari_shiftseg.seams.phases import phase_profiles
from napari_shiftseg.seams.report import number

EDGE = 208
"""16 x 16 discs at spacing 13."""


def fig4a(model: Model) -> Outcome:
    """Train with a window of one period: inconsistent even without any stitching."""
    scene = Scene.of(SYNTHETIC["window-16"], EDGE)
    whole = scene.run(model, "whole")
    period = model.geometry.period
    start = tuple(part.start for part in scene.region)
    profiles = phase_profiles(whole.prediction.embedding, scene.objects, period, origin=start)
    contrasts = [float(p.mean[p.peak] / np.nanmean(np.delete(p.mean, p.peak))) for p in profiles]
    numbers: dict[str, Any] = {
        "jump_by_phase": [p.mean.tolist() for p in profiles],
        "peak_phase": [p.peak for p in profiles],
        "peak_over_mean_of_others": contrasts,
        "peak_over_largest_other": [p.contrast for p in profiles],
        "steps": model.description.training["steps_done"],
    }

    def draw(figure: Figure) -> None:
        left, middle, right = figure.subplots(1, 3)
        grid = [range(-s.start % period[0], EDGE, period[0]) for s in scene.region]
        show_embedding(left, whole)
        left.set_title("embedding, whole image", fontsize=9)
        show_labels(middle, whole.labels, grid)
        middle.set_title(f"labels, and the {period[0]} px grid", fontsize=9)
        for axis, profile in zip("yx", profiles, strict=True):
            right.plot(profile.mean, marker="o", ms=3, label=f"along {axis}")
        right.set_box_aspect(1)
        right.set_xlabel("phase (px)", fontsize=9)
        right.set_ylabel("jump inside discs", fontsize=9)
        right.legend(fontsize=8, frameon=False)

    ratio = min(contrasts)
    return Outcome(
        "fig4a",
        "A window w = f^l in training leaves inconsistencies on the f^l grid of larger outputs.",
        f"inside one whole-image prediction the jump at one phase of {period[0]} is "
        f"{ratio:.0f} times the mean of the others",
        ratio >= 10,
        numbers,
        draw,
    )


def fig4b(model: Model) -> Outcome:
    """Train with a larger window, stitch naively."""
    numbers, draw = _stitched(model, shown="naive")
    naive, corrected = numbers["naive"], numbers["corrected"]
    ratio = naive["seam_jump_ratio"] or 0.0
    return Outcome(
        "fig4b",
        "Tiles of w > f^l px, stitched naively, are inconsistent at their borders.",
        f"{naive['false_splits']} of {numbers['discs']} discs split, against "
        f"{corrected['false_splits']} in tiles of n * f^l; jump at seams {ratio:.1f} times that "
        "beside them",
        naive["false_splits"] >= 10 * max(1, corrected["false_splits"]) and ratio >= 10,
        numbers,
        draw,
    )


def fig4c(model: Model) -> Outcome:
    """Stitch the same network from tiles cropped to n * f^l."""
    numbers, draw = _stitched(model, shown="corrected")
    corrected = numbers["corrected"]
    return Outcome(
        "fig4c",
        "Cropping tiles to n * f^l before stitching solves the issue.",
        f"{corrected['false_splits']} of {numbers['discs']} discs split, "
        f"{corrected['seam_splits']} of them by seams; jump at seams "
        f"{number(corrected['seam_jump_ratio'])} times that beside them; largest difference to "
        f"the whole image {numbers['difference_to_whole']:.1e}",
        corrected["seam_splits"] == 0 and 0 < (corrected["seam_jump_ratio"] or 0) <= 1.2,
        numbers,
        draw,
    )


def _stitched(model: Model, shown: str) -> tuple[dict[str, Any], Any]:
    scene = Scene.of(SYNTHETIC["window-20"], EDGE)
    whole = scene.run(model, "whole")
    runs = {"naive": scene.run(model, "naive", 20), "corrected": scene.run(model, "corrected", 16)}
    difference = runs["corrected"].prediction.embedding - whole.prediction.embedding
    numbers: dict[str, Any] = {
        "discs": len(np.unique(scene.objects)) - 1,
        "difference_to_whole": float(np.abs(difference).max()),
        "steps": model.description.training["steps_done"],
        **{name: scene.score(run) for name, run in runs.items()},
    }

    def draw(figure: Figure) -> None:
        run = runs[shown]
        left, middle, right = figure.subplots(1, 3)
        colouring = Colouring.fit(whole.prediction, model)
        show_embedding(left, run, colouring)
        left.set_title(f"{shown}: embedding", fontsize=9)
        show_labels(middle, run.labels, run.plan.seams)
        split = numbers[shown]["false_splits"]
        middle.set_title(f"tiles of {run.plan.tile_size[0]} px: {split} split", fontsize=9)
        show_labels(right, whole.labels)
        right.set_title("whole image", fontsize=9)

    return numbers, draw
