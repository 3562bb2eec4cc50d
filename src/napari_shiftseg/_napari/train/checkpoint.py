"""What a checkpoint says of the training that it belongs to."""

from __future__ import annotations

import pickle
from functools import lru_cache
from pathlib import Path

import torch


def checkpoint_of(output: Path) -> Path:
    """Return where the state of the training of a model file is kept."""
    return output.with_suffix(".checkpoint")


def steps_done(checkpoint: Path) -> int | None:
    """Return the number of steps that were done, None if there is no checkpoint."""
    if not checkpoint.is_file():
        return None
    return _steps(str(checkpoint), checkpoint.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _steps(path: str, _changed: int) -> int | None:
    try:
        # Mapped, so that of a large file only what is asked for is read.
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return int(state["progress"][0])
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, TypeError):
        return None
