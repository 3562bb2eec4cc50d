"""The mean of the weights of models that were trained on from one start."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError

_FARTHEST = 0.7
"""Distance between weights over their length; that of unrelated ones is about 1.4."""

_TOLD = ("command", "steps_done", "seconds")
"""What the card of a mean tells of how each model was trained."""

_ALIKE = ("architecture", "axes", "intensity")
"""What models must have in common for their weights to mean the same."""


def average_models(
    models: Sequence[str | Path | Model], *, name: str, command: str = ""
) -> tuple[UNet, ModelDescription]:
    """Take the mean of the weights of models that began with the same weights.

    Trained on with other seeds or other data, such models lie around one minimum of the loss,
    and their mean is often better than each of them. It costs no more to run than one.

    Parameters
    ----------
    models
        At least two. The first one's clustering, training window and summary are kept.
    name
        Of the new model.
    command
        What made it, for the card.

    Returns
    -------
    network, description
        To be saved by :func:`~napari_shiftseg.embeddings.model_file.save_model`. Scores are left
        out, as they are those of other weights.

    Raises
    ------
    ShiftSegError
        If there are fewer than two, their networks differ, or their weights are so far apart
        that they cannot have begun with the same ones.

    References
    ----------
    Wortsman et al., Model soups, ICML 2022.
    """
    if len(models) < 2:
        raise ShiftSegError(f"a mean needs at least two models, not {len(models)}")
    loaded = [load_model(model, precision="float32") for model in models]
    first = loaded[0]
    for number, other in enumerate(loaded[1:], 1):
        _refuse_other(first, other, str(models[0]), str(models[number]))
    network = UNet(first.description.architecture)
    network.load_state_dict(_mean([model.network.state_dict() for model in loaded]))
    return network, replace(
        first.description,
        name=name,
        licence=_licence(loaded),
        scores={},
        training={
            "command": command,
            "date": time.strftime("%Y-%m-%d"),
            "mean_of": [_origin(model) for model in loaded],
        },
    )


def _refuse_other(first: Model, other: Model, one: str, two: str) -> None:
    for part in _ALIKE:
        if getattr(first.description, part) != getattr(other.description, part):
            raise ShiftSegError(f"{two} has another {part} than {one}: their weights have no mean")
    apart = distance(first.network, other.network)
    if apart > _FARTHEST:
        raise ShiftSegError(
            f"the weights of {two} are {apart:.2f} of their length away from those of {one}, "
            f"legal: at most {_FARTHEST}. Take models that were trained on from one "
            "(shiftseg train --start): only their mean is a network"
        )


def distance(one: UNet, two: UNet) -> float:
    """Return how far weights are from others, over the length of the first."""
    here, there = _flat(one), _flat(two)
    return float((here - there).norm() / here.norm())


def _flat(network: UNet) -> Tensor:
    return torch.cat([value.double().flatten() for value in network.state_dict().values()])


def _mean(weights: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average in double precision, and round once."""
    return {
        key: torch.stack([each[key].double() for each in weights]).mean(0).to(value.dtype)
        for key, value in weights[0].items()
    }


def _licence(models: Sequence[Model]) -> str:
    """Join the licences as SPDX does; unknown if one is."""
    stated = [model.description.licence for model in models]
    return " AND ".join(sorted(set(stated))) if all(stated) else ""


def _origin(model: Model) -> dict[str, Any]:
    training = model.description.training
    told = {key: training[key] for key in _TOLD if key in training}
    return {"sha256": model.sha256} | told
