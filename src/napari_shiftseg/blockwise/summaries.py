"""The summaries of a frame's blocks as one, read range by range."""

from __future__ import annotations

import numpy as np

from napari_shiftseg.blockwise.job import Job
from napari_shiftseg.blockwise.predict import bin_columns_of, summary_of
from napari_shiftseg.labels.bins import BinSummary, Slabs


def slabs_of(job: Job, frame: int) -> Slabs:
    """Return the bins of all blocks of a frame; those of few blocks are read at a time."""
    dims = job.model.description.architecture.embedding_dims
    spans: dict[int, tuple[int, int]] = {}
    tallies = [np.zeros((2, 0), np.int64)]
    for number in job.numbers(frame):
        first = bin_columns_of(job, number)
        if len(first):
            spans[number] = int(first[0]), int(first[-1])
            tallies.append(np.array(np.unique(first, return_counts=True)))
    places, counts = np.concatenate(tallies, axis=1)
    coordinates, where = np.unique(places, return_inverse=True)

    def between(low: int, high: int) -> BinSummary:
        within = [number for number, (a, b) in spans.items() if a < high and b >= low]
        return BinSummary.merged(
            (summary_of(job, number).between(low, high) for number in within), dims
        )

    totals = np.bincount(where, counts, minlength=len(coordinates)).astype(np.int64)
    return Slabs(between, coordinates, totals, dims)
