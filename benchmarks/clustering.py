"""Mean shift on bins against scikit-learn's, on the embeddings of a real model.

Usage: python benchmarks/clustering.py [--sizes 256 512 1024 2048] [--limit SECONDS] [--json FILE]

Embeddings are those of the bundled nuclei, mirrored to each size: of ``nuclei-2d`` (4 dimensions,
2 of them with the pixel's coordinate), of ``discs-l4`` on discs (3 dimensions), and of
``nuclei-2d-same`` and ``nuclei-2d-plain`` (8 dimensions). scikit-learn runs with
``bin_seeding=True`` and the same bandwidth; once it takes longer than the limit, larger sizes are
left out for it. Each row gives both times, their ratio, and the adjusted Rand index (ARI) of the
two labellings. Where that is below 0.99, it also gives how alike scikit-learn labels the same
embeddings after noise of a hundredth of the bandwidth: where objects are not apart, no way of
rounding can be closer.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import MeanShift
from sklearn.metrics import adjusted_rand_score

from napari_shiftseg.embeddings.model import load_model
from napari_shiftseg.labels.bins import Binned
from napari_shiftseg.labels.meanshift import mean_shift_modes
from napari_shiftseg.pipeline import segment
from napari_shiftseg.samples import load_sample
from napari_shiftseg.samples.discs import disc_image

Vectors = np.ndarray[Any, Any]

ALIKE = 0.99
"""ARI with scikit-learn from which on labels count as the same."""

NOISE = 0.01
"""Standard deviation of the noise that scikit-learn is tried with, in bandwidths."""


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024, 2048])
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [
        row
        for name in ("discs-l4", "nuclei-2d", "nuclei-2d-same", "nuclei-2d-plain")
        for row in measure(name, options.sizes, options.limit)
    ]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def measure(name: str, sizes: list[int], limit: float) -> list[dict[str, Any]]:
    """Cluster at each size with both, and print each row."""
    bandwidth = load_model(name).description.clustering.bandwidth
    rows: list[dict[str, Any]] = []
    theirs = 0.0
    for size in sizes:
        vectors = embeddings(name, size)
        begin = time.perf_counter()
        binned = Binned.of(vectors, bandwidth)
        summarised = time.perf_counter()
        modes = mean_shift_modes(binned.summary, bandwidth)
        found = time.perf_counter()
        labels = binned.assign(vectors, modes)
        ours = time.perf_counter() - begin
        row: dict[str, Any] = {
            "model": name,
            "size": size,
            "dimensions": vectors.shape[1],
            "pixels": len(vectors),
            "bins": len(binned.summary.count),
            "modes": len(modes),
            "seconds": ours,
            "summary_seconds": summarised - begin,
            "modes_seconds": found - summarised,
        }
        if theirs < limit / 4:
            begin = time.perf_counter()
            reference = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(vectors)
            theirs = time.perf_counter() - begin
            row |= {"sklearn_seconds": theirs, "ratio": theirs / ours}
            row |= alike(vectors, bandwidth, labels, reference.labels_)
        rows.append(row)
        print(line(row), flush=True)
    return rows


def alike(vectors: Vectors, bandwidth: float, labels: Any, theirs: Any) -> dict[str, float]:
    """Compare labels with scikit-learn's, and where they differ, these with other ones of its."""
    found = {"ari": adjusted_rand_score(theirs, labels)}
    if found["ari"] >= ALIKE:
        return found
    noisy = with_noise(vectors, NOISE * bandwidth)
    again = MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(noisy).labels_
    found["sklearn_with_noise_ari"] = adjusted_rand_score(theirs, again)
    return found


def with_noise(vectors: Vectors, spread: float) -> Vectors:
    """Add normal noise."""
    noise = np.random.default_rng(0).normal(0, spread, vectors.shape)
    return (vectors + noise).astype(vectors.dtype)


def line(row: dict[str, Any]) -> str:
    """Write a row."""
    beside = "scikit-learn left out"
    if "ratio" in row:
        beside = (
            f"scikit-learn {row['sklearn_seconds']:.1f} s, {row['ratio']:.0f} times as long, "
            f"ARI {row['ari']:.4f}"
        )
    if "sklearn_with_noise_ari" in row:
        beside += f" (of scikit-learn after 1 % noise {row['sklearn_with_noise_ari']:.4f})"
    return (
        f"{row['model']} {row['size']} px: {row['pixels']} pixels, {row['bins']} bins, "
        f"{row['modes']} modes, {row['seconds']:.2f} s; {beside}"
    )


def embeddings(name: str, size: int) -> Vectors:
    """Return the ``(n, E)`` embeddings of the foreground of an image of ``size`` px."""
    if name.startswith("discs"):
        image = disc_image(size)[0]
    else:
        field = load_sample("nuclei").image
        repeats = [-(-size // n) for n in field.shape]
        image = np.pad(
            field,
            [(0, n * (r - 1)) for n, r in zip(field.shape, repeats, strict=True)],
            "symmetric",
        )[:size, :size]
    prediction = segment(image, name).prediction
    if prediction.foreground is None:
        return prediction.embedding.reshape(len(prediction.embedding), -1).T
    return prediction.embedding[:, prediction.foreground >= 0.5].T


if __name__ == "__main__":
    main()
