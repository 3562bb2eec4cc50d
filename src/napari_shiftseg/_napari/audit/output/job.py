"""Prediction by an audited network, and clustering of what it puts out, as runs in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg._napari.audit.job import Audited, Work, pixels_for, watched
from napari_shiftseg._napari.audit.scene import Scene
from napari_shiftseg._napari.events import Progress
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.channels import cluster_channels
from napari_shiftseg.memory import lacking
from napari_shiftseg.network_audit.predict import plan_of, predict_exactly_events, provenance_of
from napari_shiftseg.settings import Clustering

_FLOAT = 4

_MOST = 999
"""Largest number of a channel that is taken for one, and not for a slip of a key."""


@dataclass(frozen=True)
class Predicted:
    """What a network puts out.

    Parameters
    ----------
    audited
        The network.
    scene
        The image.
    output
        ``(K, *spatial)`` float32.
    tiles
        From how many tiles.
    provenance
        What it takes to make it again.
    """

    audited: Audited
    scene: Scene
    output: NDArray[np.float32]
    tiles: int
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Channels:
    """What a person says about the channels of an output.

    Parameters
    ----------
    embedding
        Those to cluster.
    foreground
        The one that tells foreground, None if there is none.
    logits
        Whether that holds logits, not probabilities.
    """

    embedding: tuple[int, ...]
    foreground: int | None = None
    logits: bool = False

    @classmethod
    def read(cls, embedding: str, foreground: str, *, logits: bool) -> Channels:
        """Read channels as people write them: ``0-3, 5``.

        Raises
        ------
        ShiftSegError
            If that is not what is written.
        """
        inside = _numbers(foreground)
        if len(inside) > 1:
            raise ShiftSegError(f"one channel tells foreground, not {foreground!r}")
        return cls(_numbers(embedding), inside[0] if inside else None, logits)


def _numbers(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ShiftSegError(f"{part!r} is no channel; write 2, or 0-3, or 0, 2, 5")
        if not int(first) <= int(last or first) <= _MOST:
            raise ShiftSegError(
                f"{part!r} are no channels; legal: from a smaller number to a larger, up to {_MOST}"
            )
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


@dataclass(frozen=True)
class Clustered:
    """Labels of an output: ``(*spatial)`` int32; 0 is background."""

    predicted: Predicted
    labels: NDArray[np.int32]


def predict_run(
    audited: Audited, scene: Scene, work: Work, *, freeze: bool
) -> Iterator[Progress | Predicted]:
    """Predict a frame from tiles that leave no seams."""
    audit = audited.audit
    size = scene.stack.size[len(scene.frame) :]
    needed = _FLOAT * prod(size) * (2 * audit.out_channels + audit.in_channels)
    if lack := lacking(needed):
        raise ShiftSegError(f"the output takes about {lack}; crop the image")
    yield Progress(0, "Reading the image")
    pixels = pixels_for(audited, scene)
    total = len(plan_of(audit, size))
    with watched(audited.foreign.module, work):
        for event in predict_exactly_events(audited.foreign.module, audit, pixels, freeze=freeze):
            if isinstance(event, int):
                yield Progress(event / total, f"Tile {event} of {total}")
            else:
                made = provenance_of(audited.foreign.module, audit) | {"image": scene.title}
                made["intensity"] = asdict(audited.foreign.scaled(scene.intensity))
                yield Predicted(audited, scene, event, total, made)


def cluster_run(
    predicted: Predicted, channels: Channels, settings: Clustering
) -> Iterator[Progress | Clustered]:
    """Cluster an output."""
    yield Progress(0.1, "Clustering")
    labels = cluster_channels(
        predicted.output,
        channels.embedding,
        channels.foreground,
        settings,
        logits=channels.logits,
    )
    yield Clustered(predicted, labels)
