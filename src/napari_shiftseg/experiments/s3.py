"""Fig. S3: noise and bending tell discs apart at an unfortunate spacing, but mend no seam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.evaluation import Evaluation
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.scene import (
    Scene,
    identities,
    show_embedding,
    show_labels,
    whole_objects,
)
from napari_shiftseg.experiments.synthetic import BANDWIDTH, SYNTHETIC
from napari_shiftseg.pipeline import Segmentation
from napari_shiftseg.seams.report import number
from napari_shiftseg.settings import Clustering, StitchMode

EDGE = 208
CORRECTED = 48
STARTS = (5, 9, 13, 17)
"""Discs at a spacing of one period all lie alike to its lines. So they are drawn at four places:
else the seams of some tiles, as of all corrected ones, would only go between them."""

WITHOUT_COMPONENTS = Clustering(BANDWIDTH, split_components=False)


@dataclass(frozen=True)
class _Disturbance:
    """One way to make the discs differ, and the naive tile sizes to stitch them with."""

    setting: str
    word: str
    apart: str
    stitched: str
    tiles: tuple[int, ...]


NOISE = _Disturbance("spacing-16-noise", "Gaussian noise", "s3a", "s3c", (52,))
"""With the paper's tile size."""

ELASTIC = _Disturbance(
    "spacing-16-elastic", "elastic deformation", "s3b", "s3d", (49, 50, 51, 52, 53, 54, 55)
)
"""The paper names no tile size: the window's, and those near it."""


def apart(kind: _Disturbance, model: Model, control: Model) -> Outcome:
    """Tell neighbours apart that were all the same (S3a, S3b)."""
    scene = Scene.of(SYNTHETIC[kind.setting], EDGE)
    plain = Scene.of(SYNTHETIC["spacing-16"], EDGE)
    result = scene.run(model, "corrected", CORRECTED, WITHOUT_COMPONENTS)
    means = scene.means(result)
    control_means = plain.means(plain.run(control, "corrected", CORRECTED))
    share = separated(scene, means)
    numbers: dict[str, Any] = {
        "discs": len(means),
        "identities": identities(means, BANDWIDTH),
        "identities_without": identities(control_means, BANDWIDTH),
        "neighbours_apart": share,
        "radius": BANDWIDTH,
        "steps": model.description.training["steps_done"],
    }

    def draw(figure: Figure) -> None:
        _draw(figure, scene, result, f"{100 * share:.0f} % of neighbours apart")

    return Outcome(
        kind.apart,
        f"{kind.word.capitalize()} suffices to tell discs apart at spacing f^l.",
        f"{100 * share:.0f} % of neighbouring discs have embeddings more than {BANDWIDTH:g} apart "
        f"({numbers['identities']} identities of {len(means)} discs; without it "
        f"{numbers['identities_without']})",
        share >= 0.5 and numbers["identities_without"] == 1,
        numbers,
        draw,
    )


def stitched(kind: _Disturbance, model: Model) -> Outcome:
    """Split them by tiles of other sizes than n * f^l (S3c, S3d)."""
    scenes = [Scene.of(SYNTHETIC[kind.setting], EDGE, start=start) for start in STARTS]
    scores = {tile: _score(scenes, model, "naive", tile) for tile in kind.tiles}
    worst = max(kind.tiles, key=lambda tile: scores[tile]["seam_splits"])
    corrected = _score(scenes, model, "corrected", CORRECTED)
    ratios = sorted(score["seam_jump_ratio"] or 0.0 for score in scores.values())
    cuts = sorted(score["seam_splits"] for score in scores.values())
    numbers: dict[str, Any] = {
        "discs": sum(len(np.unique(scene.objects)) - 1 for scene in scenes),
        "images": len(scenes),
        "naive": scores[worst],
        "naive_tile": worst,
        "naive_by_tile": {str(tile): score for tile, score in scores.items()},
        "corrected": corrected,
        "steps": model.description.training["steps_done"],
    }
    sizes, cut = _span(map(str, kind.tiles)), _span(map(str, cuts))
    span = _span(map(number, ratios))

    def draw(figure: Figure) -> None:
        runs = [(scene, scene.run(model, "naive", worst)) for scene in scenes]
        counts = [scene.score(run)["seam_splits"] for scene, run in runs]
        shown = int(np.argmax(counts))
        _draw(figure, *runs[shown], f"{worst} px tiles: {counts[shown]} cut by seams")

    return Outcome(
        kind.stitched,
        f"{kind.word.capitalize()} does nothing about inconsistencies between naive tiles.",
        f"seams of {sizes} px tiles cut {cut} of {numbers['discs']} discs, those of {CORRECTED} px "
        f"{corrected['seam_splits']}; jump ratio {span} against "
        f"{number(corrected['seam_jump_ratio'])}",
        float(np.median(cuts)) > corrected["seam_splits"]
        and float(np.median(ratios)) > 2
        and 0 < (corrected["seam_jump_ratio"] or 0) <= 1.2,
        numbers,
        draw,
    )


def _score(scenes: list[Scene], model: Model, stitch: StitchMode, tile: int) -> dict[str, Any]:
    """Count splits and measure jumps on all seams of all scenes together."""
    scores = Evaluation()
    for scene in scenes:
        result = scene.run(model, stitch, tile)
        scores.add(result, scene.objects, result.plan)
    return scores.to_dict()


def _span(ascending: Iterable[str]) -> str:
    first, *others = ascending
    return f"{first} to {others[-1]}" if others and others[-1] != first else first


def separated(scene: Scene, means: NDArray[np.float64]) -> float:
    """Share of the pairs of neighbouring discs whose embeddings differ by a bandwidth."""
    objects = whole_objects(scene.objects)
    numbers = np.unique(objects)[1:]
    centres = np.stack([np.argwhere(objects == one).mean(0) for one in numbers])
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    first, second = np.nonzero(np.triu((distance > 0) & (distance < 20)))
    return float((np.linalg.norm(means[first] - means[second], axis=1) > BANDWIDTH).mean())


def _draw(figure: Figure, scene: Scene, result: Segmentation, title: str) -> None:
    left, middle, right = figure.subplots(1, 3)
    left.imshow(scene.image[scene.region], cmap="gray")
    left.set_title("image", fontsize=9)
    left.set_axis_off()
    show_embedding(middle, result)
    middle.set_title("embedding as RGB", fontsize=9)
    show_labels(right, result.labels, result.plan.seams)
    right.set_title(title, fontsize=9)
