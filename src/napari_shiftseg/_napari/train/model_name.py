"""Which file a model is written to if nobody says otherwise: one that is not there yet."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.train.checkpoint import checkpoint_of
from napari_shiftseg._napari.train.output_section import SUFFIX

_KEY = "training"


def proposed(title: str) -> Path:
    """Propose a file: that of a training that waits to be finished, or a new one."""
    last = Path(Remembered().get(_KEY, ""))
    if last.suffix == SUFFIX and not last.exists() and checkpoint_of(last).is_file():
        return last
    folder = last.parent if last.suffix == SUFFIX and last.parent.is_dir() else Path.home()
    return free_name(folder, title)


def free_name(folder: Path, title: str) -> Path:
    """Return a name in a folder that neither a model nor a checkpoint has."""
    stem = re.sub(r"[^\w-]+", "-", title.lower()).strip("-") or "model"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}{SUFFIX}" for n in count(1))
    paths = (folder / name for name in names)
    return next(p for p in paths if not p.exists() and not checkpoint_of(p).exists())


def remember(output: Path) -> None:
    """Keep where a model is being trained, so that it can be resumed on another day."""
    Remembered().keep(_KEY, str(output))
