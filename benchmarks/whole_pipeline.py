"""The whole pipeline, file to file, at growing sizes: time and peak memory.

Usage: python benchmarks/whole_pipeline.py [--sizes 1024 2048 4096 8192] [--workers 1 2]
    [--memory 1GB] [--json FILE]

The image is a mosaic of the bundled nuclei, stored as OME-Zarr; each run is a process of its own
(``shiftseg segment``) that goes block by block; ``watched.py`` says what its peak memory is.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from watched import watched

from napari_shiftseg.image.files import write_image
from napari_shiftseg.samples import load_sample


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096, 8192])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for workers in options.workers:
        for size in options.sizes:
            rows.append(run(size, workers, options.memory))
            print("{size} px, {workers} workers: {seconds:.1f} s, {megabytes:.0f} MB, "
                  "{objects} objects".format(**rows[-1]), flush=True)  # fmt: skip
    for former, row in pairwise(rows):
        if former["workers"] == row["workers"]:
            times = row["seconds"] / former["seconds"]
            memory = row["megabytes"] / former["megabytes"]
            print(f"from {former['size']} to {row['size']} px: {times:.2f} times as long, "
                  f"{memory:.2f} times the memory")  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def run(size: int, workers: int, memory: str) -> dict[str, Any]:
    """Segment one mosaic in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        image, labels = Path(folder, "mosaic.ome.zarr"), Path(folder, "labels.ome.zarr")
        write_image(image, mosaic(size), axes="yx")
        done = watched("segment", image, "-o", labels, "--workers", workers,
                       "--memory", memory, "--json", "-")  # fmt: skip
    report = json.loads(done.out)
    return {
        "size": size,
        "workers": workers,
        "seconds": done.seconds,
        "megabytes": done.peak / 1e6,
        "objects": report["objects"],
        "blocks": report["blocks"],
    }


def mosaic(size: int) -> np.ndarray[Any, Any]:
    """Repeat the bundled nuclei, mirrored at random, to a square image."""
    field, rng = load_sample("nuclei").image, np.random.default_rng(0)
    height, width = field.shape
    image = np.zeros((size, size), field.dtype)
    for y in range(0, size, height):
        for x in range(0, size, width):
            turned = field[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
            image[y : y + height, x : x + width] = turned[: size - y, : size - x]
    return image


if __name__ == "__main__":
    main()
