"""What a check of many frames finds that a check of each does not, and where it is wrong.

Usage: SHIFTSEG_DATA=FOLDER python benchmarks/label_series.py [--frames N] [--keep SHARE]
[--json FILE]

Frames are ground-truth masks of one size, of which a share of the objects is kept, so that few are
cut. ``different``: each frame is another image, as slices or places of a plate. ``moving``: one
image whose objects all move by up to a pixel from frame to frame, as in a time series; the grid
stays. ``drifting``: they all move by 8 to 20 pixels along each axis, as where a stage drifts. All
are checked as they are, too: a grid that is reported there is a false alarm.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from label_check import PACKS, Labels, any_grid, cut, share
from numpy.typing import NDArray
from skimage.segmentation import clear_border

from napari_shiftseg.image.packs import read_pack
from napari_shiftseg.seams.straight import LabelCheck, check_labels


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10, help="of a series")
    parser.add_argument("--keep", type=float, default=0.3, help="share of the objects")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for name, pack in PACKS.items():
        masks = [pair.mask for pair in read_pack(Path(os.environ["SHIFTSEG_DATA"]) / pack)]
        for kind, series_of in KINDS.items():
            rng = np.random.default_rng(0)
            series = series_of(masks, options.frames, options.keep, rng)
            values = summary([row(frames, rng) for frames in series])
            results[f"{name}, {kind}"] = values
            print(f"{name}, {kind}:", *(f"    {k}: {v}" for k, v in values.items()), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


Masks = list[NDArray[Any]]


def different(
    masks: Masks, frames: int, keep: float, rng: np.random.Generator
) -> Iterator[list[Labels]]:
    """Yield series of masks of one size."""
    sizes: dict[tuple[int, ...], list[Labels]] = defaultdict(list)
    for mask in masks:
        sizes[mask.shape].append(some(mask, keep, rng))
    for same in sizes.values():
        for start in range(0, len(same) - frames + 1, frames):
            yield same[start : start + frames]


def moving(
    masks: Masks,
    frames: int,
    keep: float,
    rng: np.random.Generator,
    step: tuple[int, int] = (-1, 1),
) -> Iterator[list[Labels]]:
    """Yield a series of every fifth mask, which moves; without objects that its border has cut."""
    for mask in masks[::5]:
        kept = some(clear_border(mask), keep, rng)
        steps = rng.integers(*step, (frames, 2), endpoint=True)
        yield [shifted(kept, *place) for place in np.cumsum(steps, axis=0).tolist()]


KINDS = {"different": different, "moving": moving, "drifting": partial(moving, step=(8, 20))}


def some(mask: NDArray[Any], keep: float, rng: np.random.Generator) -> Labels:
    """Keep a share of the objects."""
    kept = rng.random(int(mask.max()) + 1) < keep
    return np.where(kept[mask], mask, 0).astype(np.int64)


def shifted(labels: Labels, down: int, right: int) -> Labels:
    """Move labels; what comes in is background."""
    moved = np.zeros_like(labels)
    height, width = labels.shape
    moved[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = labels[
        max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
    ]
    return moved


def row(frames: list[Labels], rng: np.random.Generator) -> dict[str, Any]:
    """Check a series that a random grid has cut, each of its frames, and both uncut."""
    tile, offset = any_grid(frames[0].shape, rng)
    pieces = [cut(frame, tile, offset) for frame in frames]
    cuts = [len(np.unique(p)) - len(np.unique(f)) for p, f in zip(pieces, frames, strict=True)]
    return {
        "cuts": float(np.mean(cuts)),
        "alone": [exact(check_labels(frame), tile, offset) for frame in pieces],
        "together": exact(check_labels(np.stack(pieces), frames=1), tile, offset),
        "alarms alone": [check_labels(frame).found for frame in frames],
        "alarm together": check_labels(np.stack(frames), frames=1).found,
    }


def exact(check: LabelCheck, tile: int, offset: int) -> bool:
    """Whether this grid was found to the pixel, on both axes."""
    return check.tile[-2:] == (tile,) * 2 and check.offset[-2:] == (offset,) * 2


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Pool series."""
    alone = [found for one in rows for found in one["alone"]]
    alarms = [found for one in rows for found in one["alarms alone"]]
    return {
        "series": len(rows),
        "cuts per frame": round(float(np.mean([one["cuts"] for one in rows])), 1),
        "grids found in a frame alone": share(sum(alone), len(alone)),
        "grids found in the series": share(sum(one["together"] for one in rows), len(rows)),
        "false alarms, frame alone": share(sum(alarms), len(alarms)),
        "false alarms, series": share(sum(one["alarm together"] for one in rows), len(rows)),
    }


if __name__ == "__main__":
    main()
