"""What a checkpoint says of its training: read without building a network."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from napari_shiftseg.errors import ShiftSegError

MAY_CHANGE = {
    "preset",
    "steps",
    "learning_rate",
    "decay",
    "precision",
    "validate_every",
    "bandwidth",
    "stop_at_zero",
}
"""Settings that a resumed training need not share; what a preset sets is compared itself."""

NO_CHECKPOINT = (
    *(pickle.UnpicklingError, EOFError, OSError),
    *(KeyError, TypeError, AttributeError, ValueError, IndexError),
)
"""What is raised where a file cannot be loaded, or can but holds no training."""


@dataclass(frozen=True)
class Summary:
    """What is known of a training that was begun.

    Parameters
    ----------
    steps
        Steps done.
    settings
        Its recipe by field; empty in checkpoints of before recipes were stored.
    content
        Hash of the images and labels; None in checkpoints of before it was stored.
    """

    steps: int
    settings: dict[str, Any]
    content: str | None = None

    def differences(self, settings: dict[str, Any]) -> list[str]:
        """Name the settings that a resumed training must share but does not."""
        free = MAY_CHANGE | ({"data"} if self.content else set())  # known by more than a name
        return [
            f"{name} was {former!r}, is {settings[name]!r}"
            for name, former in self.settings.items()
            if name in settings.keys() - free and not _same(former, settings[name])
        ]


def read_summary(path: Path) -> Summary | None:
    """Return what a checkpoint says, None if there is none that can be read.

    Parameters
    ----------
    path
        The checkpoint.
    """
    try:
        # Mapped, so that of a large file only what is asked for is read.
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        kept = dict(state.get("kept", {}))
        return Summary(int(state["progress"][0]), dict(kept.get("recipe", {})), kept.get("content"))
    except (RuntimeError, *NO_CHECKPOINT):
        return None


def steps_done(path: Path) -> int | None:
    """Return the number of steps done, None if there is no checkpoint that can be read."""
    summary = read_summary(path)
    return None if summary is None else summary.steps


def refuse_other_settings(settings: dict[str, Any], path: Path) -> None:
    """Check that a training that was begun would go on as it was begun.

    Parameters
    ----------
    settings
        The recipe by field.
    path
        The checkpoint; what cannot be read is not refused here.

    Raises
    ------
    ShiftSegError
        If settings differ that must not change on the way; all of them are named.
    """
    summary = read_summary(path)
    different = [] if summary is None else summary.differences(settings)
    if different:
        raise ShiftSegError(
            f"{path.name} holds a training with other settings: {'; '.join(different)}. "
            "Give the former ones, begin another training under another name, or remove that file "
            "to begin this one afresh"
        )


def _same(former: Any, given: Any) -> bool:
    """Compare values; a pack or a model may have moved, but not changed its name."""
    if isinstance(former, str) and isinstance(given, str):
        return Path(former).name == Path(given).name
    return bool(former == given)
