"""Fig. 7: distant objects that share a cluster, and whether they look alike."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from scipy.stats import mannwhitneyu

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.real_data import DATA_SETS
from napari_shiftseg.pipeline import segment

_REACH = 14
"""Half the edge of the crops that are compared, in pixels."""

_SHOWN = 6

_FAR = 5
"""Objects farther apart than this, in pixels, are distant."""

_WHY = (
    "more are merged than in the paper: the loss of this network pushed only objects within 40 px "
    "apart"
)


def fig7(models: dict[str, Model]) -> Generator[str, None, Outcome]:
    """Find merged distant objects; yield what is done, then the outcome.

    Parameters
    ----------
    models
        Models by the names that the data sets ask for.
    """
    numbers: dict[str, Any] = {}
    examples: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for data in DATA_SETS[:2]:
        alike: list[float] = []
        random: list[float] = []
        merged_objects = objects = 0
        for done, (image, truth) in enumerate(data.pairs()):
            yield f"{data.name}: image {done + 1}"
            crops = _crops(image, truth)
            pairs = distant_pairs(_labels(image, models[data.model]), truth)
            alike += [_correlation(crops[a], crops[b]) for a, b in pairs if {a, b} <= crops.keys()]
            # As many of each image, or images with many merged objects would be compared
            # with others that look less alike in themselves.
            random += _random_pairs(crops, np.random.default_rng(done), len(alike) - len(random))
            merged_objects += len({one for pair in pairs for one in pair})
            objects += len(np.unique(truth)) - 1
            shown = [(crops[a], crops[b]) for a, b in pairs[:1] if {a, b} <= crops.keys()]
            examples += shown if len(examples) < _SHOWN else []
        numbers[data.name] = {
            "objects": objects,
            "merged_objects": merged_objects,
            "merged_pairs_compared": len(alike),
            "correlation_of_merged": float(np.mean(alike)) if alike else None,
            "correlation_of_random": float(np.mean(random)) if random else None,
            "p_value": float(mannwhitneyu(alike, random, alternative="greater").pvalue)
            if alike
            else None,
        }
    found = "; ".join(_sentence(name, values) for name, values in numbers.items())
    if any(values["merged_objects"] for values in numbers.values()):
        found += f" ({_WHY})"
    return Outcome(
        "fig7",
        "Distant objects that are merged, in the paper sporadically, do not look alike.",
        found,
        all(
            v["merged_pairs_compared"] > 0
            and v["correlation_of_merged"] - v["correlation_of_random"] < 0.1
            for v in numbers.values()
        ),
        numbers,
        lambda figure: _draw(figure, examples[:_SHOWN]),
        size=(9.0, 3.4),
    )


def _sentence(name: str, values: dict[str, Any]) -> str:
    if not values["merged_pairs_compared"]:
        return f"{name}: no distant objects merged"
    return (
        f"{name}: {values['merged_objects']} of {values['objects']} objects share a cluster with "
        f"a distant one; crops of such pairs correlate by "
        f"{values['correlation_of_merged']:.2f}, random pairs by "
        f"{values['correlation_of_random']:.2f}"
    )


def _labels(image: NDArray[Any], model: Model) -> NDArray[np.int32]:
    clustering = replace(model.description.clustering, split_components=False)
    return segment(image, model, clustering=clustering).labels


def distant_pairs(labels: NDArray[Any], truth: NDArray[Any]) -> list[tuple[int, int]]:
    """Pair the true objects that share a cluster though their boxes are more than 5 px apart.

    Parameters
    ----------
    labels
        ``(*spatial)`` clusters, whose parts need not touch.
    truth
        ``(*spatial)`` instances; one belongs to the cluster that has most of its pixels.
    """
    boxes = find_objects(truth)
    of: dict[int, list[int]] = {}
    for number, place in enumerate(boxes, start=1):
        if place is None:
            continue
        inside = labels[place][truth[place] == number]
        values, counts = np.unique(inside, return_counts=True)
        best = int(values[counts.argmax()])
        if best and counts.max() > len(inside) / 2:
            of.setdefault(best, []).append(number)
    return [
        (one, other)
        for group in of.values()
        for one, other in combinations(group, 2)
        if _gap(boxes[one - 1], boxes[other - 1]) > _FAR
    ]


def _gap(one: tuple[slice, ...], other: tuple[slice, ...]) -> int:
    pairs = zip(one, other, strict=True)
    return max(int(max(a.start - b.stop, b.start - a.stop)) for a, b in pairs)


def _crops(image: NDArray[Any], truth: NDArray[Any]) -> dict[int, NDArray[np.float64]]:
    """Cut around the centre of each object that lies far enough from the border."""
    crops = {}
    for number, place in enumerate(find_objects(truth), start=1):
        if place is None:
            continue
        centre = [(part.start + part.stop) // 2 for part in place]
        part = tuple(slice(c - _REACH, c + _REACH + 1) for c in centre)
        if all(p.start >= 0 and p.stop <= n for p, n in zip(part, truth.shape, strict=True)):
            crops[number] = image[part].astype(np.float64)
    return crops


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.corrcoef(one.ravel(), other.ravel())[0, 1]))


def _random_pairs(
    crops: dict[int, NDArray[np.float64]], rng: np.random.Generator, count: int
) -> list[float]:
    every = list(crops.values())
    chosen = (rng.choice(len(every), 2, replace=False) for _ in range(count))
    return [_correlation(every[a], every[b]) for a, b in chosen]


def _draw(figure: Figure, examples: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
    panels = figure.subplots(2, max(1, len(examples)), squeeze=False)
    for column, pair in enumerate(examples):
        for axis, crop in zip(panels[:, column], pair, strict=True):
            axis.imshow(crop, cmap="gray")
    for axis in panels.flat:
        axis.set_axis_off()
    figure.suptitle("pairs of distant nuclei that share a cluster", fontsize=9)
