"""From what is kept of a training to a model, without the images that it was trained on."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.recipe import TrainingRecipe

_AVERAGED = "module."
"""What names of averaged weights begin with in a checkpoint."""


@dataclass(frozen=True)
class KeptTraining:
    """A training at one of its steps.

    Parameters
    ----------
    recipe
        Of the training.
    step, seconds
        How far it has come.
    kept
        Losses, validations, the best weights and the settings that it was trained with.
    weights
        What would be exported if nothing was validated.
    """

    recipe: TrainingRecipe
    step: int
    seconds: float
    kept: Mapping[str, Any]
    weights: Mapping[str, Tensor]

    @classmethod
    def read(cls, checkpoint: Path) -> KeptTraining:
        """Read a checkpoint; raises ShiftSegError if it is none, or of another version."""
        try:
            state = torch.load(checkpoint, map_location="cpu", weights_only=True)
            recipe = TrainingRecipe(**state["kept"]["recipe"])
            averaged = {
                name.removeprefix(_AVERAGED): values
                for name, values in state["average"].items()
                if name.startswith(_AVERAGED)
            }
            weights = averaged if recipe.average else state["network"]
            step, seconds = state["progress"].tolist()
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, LookupError, TypeError):
            raise ShiftSegError(f"{checkpoint} is no checkpoint of a training") from None
        return cls(recipe, int(step), seconds, state["kept"], weights)

    def best_model(self, name: str, **description: Any) -> Model:
        """Return the network with the best weights; takes what :meth:`.TrainingRun.model` takes."""
        return self.model(self.kept.get("best") or self.weights, name, **description)

    def model(self, weights: Mapping[str, Tensor], name: str, **description: Any) -> Model:
        """Return the network with weights of this training, as :meth:`best_model`."""
        network = UNet(self.recipe.architecture)
        network.load_state_dict({key: value.cpu() for key, value in weights.items()})
        description["command"] = self.kept.get("command") or description.get("command", "")
        header = self.recipe.describe(self.step, self.seconds, name=name, **description)
        header.training["recipe"] = self.kept["recipe"]
        if changes := self.kept.get("changes"):
            header.training["changes"] = changes
        best = [done for done in self.kept.get("validations", []) if done["best"]]
        if best:
            header.scores["validation"] = best[-1]
        return Model(network.eval().requires_grad_(False), header)
