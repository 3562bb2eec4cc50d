"""The checkpoint beside a model file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from napari_shiftseg.files import is_file
from napari_shiftseg.training.checkpoint import Summary, read_summary


def checkpoint_of(output: Path) -> Path:
    """Return where the state of the training of a model file is kept."""
    return output.with_suffix(".checkpoint")


def summary_of(checkpoint: Path) -> Summary | None:
    """Return what a checkpoint says, None if there is none; cheap to ask again and again."""
    if not is_file(checkpoint):
        return None
    return _summary(checkpoint, checkpoint.stat().st_mtime_ns)


def steps_done(checkpoint: Path) -> int | None:
    """Return the number of steps that were done, None if there is no checkpoint."""
    summary = summary_of(checkpoint)
    return None if summary is None else summary.steps


@lru_cache(maxsize=8)
def _summary(path: Path, _changed: int) -> Summary | None:
    return read_summary(path)
