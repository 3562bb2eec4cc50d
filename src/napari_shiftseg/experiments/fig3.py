"""Fig. 3 and the proofs: the f^(dl) functions of a network, and which of them meet at seams."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from napari_shiftseg.experiments.constructions import (
    diagonal_image,
    identity_network,
    prime_network,
)
from napari_shiftseg.experiments.equivariance import (
    count_different,
    image_size,
    outputs,
    relative_outputs,
)
from napari_shiftseg.experiments.function_counts import COUNTED, function_counts, pointwise
from napari_shiftseg.experiments.outcome import Outcome
from napari_shiftseg.experiments.stitching_sketch import StitchingSketch, stitching_sketch

_CUT = "#ff3b30"
_UNTRAINED = {"a": {(7, 0)}, "b": {(2, 0)}, "c": set[tuple[int, int]]()}


def fig3() -> Outcome:
    """Count the functions of constructed networks, and find those that met only at seams."""
    counts = [function_counts(*setting) for setting in COUNTED]
    sketches = {
        "a": stitching_sketch(8, 8),
        "b": stitching_sketch(11, 11),
        "c": stitching_sketch(11, 8, "corrected"),
    }
    exact = all(count.exact for count in counts)
    as_drawn = {name: s.untrained_pairs for name, s in sketches.items()} == _UNTRAINED
    numbers: dict[str, Any] = {
        "counts": [asdict(count) for count in counts],
        "sketch": {name: _described(sketch) for name, sketch in sketches.items()},
    }
    largest = max(count.possible for count in counts)
    return Outcome(
        "fig3",
        "A U-Net is f^(dl) functions side by side, and no more. Those that meet in inference "
        "met in training if training windows exceed f^l and tiles are n * f^l.",
        f"constructed networks of {len(counts)} settings are "
        f"{'exactly' if exact else 'NOT'} f^(dl) functions, up to {largest}; functions that "
        f"first meet at a seam: {'; '.join(f'({n}) {_pairs(s)}' for n, s in sketches.items())}",
        exact and as_drawn,
        numbers,
        lambda figure: _draw(figure, sketches),
        size=(13.0, 3.6),
    )


def _described(sketch: StitchingSketch) -> dict[str, Any]:
    return {
        "training_tile": sketch.training_tile,
        "tile": sketch.tile,
        "seams": list(sketch.seams),
        "functions": sketch.functions.tolist(),
        "untrained_pairs": sorted(map(list, sketch.untrained_pairs)),
        "endangered_instances": sorted(sketch.endangered),
    }


def _pairs(sketch: StitchingSketch) -> str:
    return ", ".join(f"u{i} and u{j}" for i, j in sorted(sketch.untrained_pairs)) or "none"


def _colour(function: int) -> Any:
    """Colour one of eight functions, light enough for black letters."""
    return hsv_to_rgb((function / 8, 0.55, 1))


def _draw(figure: Figure, sketches: dict[str, StitchingSketch]) -> None:
    panels: dict[str, Any] = figure.subplot_mosaic(
        [[name, "steps", "functions", "ids"] for name in sketches],
        width_ratios=[2.3, 1, 1, 1],
    )
    for name, sketch in sketches.items():
        _draw_row(panels[name], sketch)
        tiles = f"trained on {sketch.training_tile} px, stitched at {sketch.tile} px"
        title = f"({name}) {tiles}; never trained side by side: {_pairs(sketch)}"
        panels[name].set_title(title, fontsize=9, loc="left")
    _draw_steps(panels["steps"])
    planar = identity_network(pointwise(2, 2, 3, "nearest"))
    primes = prime_network(pointwise(2, 2, 3, "learnt"))
    image = diagonal_image(image_size(planar.architecture.geometry, (16, 16)))
    relative = relative_outputs(planar, image, (16, 16))
    _draw_blocks(panels["functions"], relative, "functions, by shift (Lemma 1)")
    _draw_blocks(panels["ids"], outputs(primes, np.ones((16, 16))), "IDs of pixels (Corollary 5)")


def _draw_row(axis: Any, sketch: StitchingSketch) -> None:
    """Draw the image above the functions that put out its pixels."""
    for x, (label, function) in enumerate(zip(sketch.labels, sketch.functions, strict=True)):
        black = "black" if label else "white"
        axis.add_patch(Rectangle((x, 1.1), 1, 0.7, facecolor=black, edgecolor="grey", lw=0.5))
        axis.add_patch(Rectangle((x, 0), 1, 1, facecolor=_colour(function), edgecolor="white"))
        axis.text(x + 0.5, 0.48, f"$u_{function}$", ha="center", va="center", fontsize=8)
    for seam in sketch.seams:
        axis.plot([seam, seam], [-0.15, 1.95], color="black", lw=1.6, ls=(0, (3, 1.5)))
    for place in sketch.untrained:
        box = Rectangle((place - 1, -0.05), 2, 1.1, fill=False, edgecolor=_CUT, lw=2.4)
        axis.add_patch(box)
    axis.set(xlim=(-0.2, len(sketch.labels) + 0.2), ylim=(-0.25, 2.0))
    axis.set_axis_off()


def _draw_steps(axis: Any) -> None:
    """Draw a rising line, and what the network of Lemma 1 makes of it at each shift."""
    network = identity_network(pointwise(1, 2, 3, "nearest"))
    image, at = diagonal_image((31,)), 15
    axis.plot(image, color="black", lw=1)
    for shift in range(8):
        values = outputs(network, image[shift : shift + 24])[0]
        colour = _colour((at - shift) % 8)
        starts = shift - 0.5 + np.arange(0, 24, 8)
        axis.hlines(values[::8], starts, starts + 8, color=colour, lw=1.6)
        axis.plot(at, values[at - shift], "o", color=colour, mec="black", ms=5, zorder=3)
    axis.axvline(at, color="grey", lw=0.8, ls=":")
    axis.set_title("8 functions of a line (Lemma 1)", fontsize=9)
    axis.set_xlabel("pixel", fontsize=8)
    axis.set_ylabel("block maximum", fontsize=8)
    axis.tick_params(labelsize=7)


def _draw_blocks(axis: Any, values: NDArray[np.float64], title: str) -> None:
    """Draw ``(1, 16, 16)`` values by their rank, and the period's grid."""
    ranks = np.unique(values[0], return_inverse=True)[1].reshape(values[0].shape)
    axis.imshow(ranks, cmap="turbo", interpolation="nearest")
    axis.axhline(7.5, color="white", lw=1.5)
    axis.axvline(7.5, color="white", lw=1.5)
    axis.set_title(f"{count_different(values)} {title}", fontsize=9)
    axis.set_axis_off()
