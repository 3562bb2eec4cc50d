"""How much of a training step is the network itself.

Usage: python benchmarks/training_step.py [--steps N] [--threads N] [--json FILE]

Trains on the bundled nuclei with every preset of that dimension, and times whole steps as
``Trainer.run`` does them, against the network's forward and backward pass alone on crops of the
same size. Crops are drawn in another thread, so the rest is the loss and the optimiser.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from napari_shiftseg.embeddings.device import fast_layout
from napari_shiftseg.image.packs import Pair
from napari_shiftseg.samples import load_sample
from napari_shiftseg.training.fit import Trainer
from napari_shiftseg.training.recipe import TrainingRecipe

RECIPES = {
    "2d-small": TrainingRecipe("nuclei", push_reach=10),
    "2d-small, boundary weight, elastic": TrainingRecipe(
        "nuclei", push_reach=10, boundary_weight=2, elastic=1
    ),
    "2d-small, mixed precision": TrainingRecipe("nuclei", push_reach=10, precision="mixed"),
    "3d-small": TrainingRecipe("nuclei-3d", preset="3d-small", push_reach=10),
    "3d-small, mixed precision": TrainingRecipe(
        "nuclei-3d", preset="3d-small", push_reach=10, precision="mixed"
    ),
}


def main() -> None:
    """Print and write the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = {name: measured(recipe, options.steps) for name, recipe in RECIPES.items()}
    for name, values in results.items():
        print(
            f"{name}: a step {values['step']:.3f} s, forward and backward "
            f"{values['network']:.3f} s: {100 * values['share']:.0f} %"
        )
    if options.json:
        options.json.write_text(json.dumps({"threads": options.threads, **results}, indent=2))


def measured(recipe: TrainingRecipe, steps: int) -> dict[str, Any]:
    """Median seconds of a whole step and of the network's part, measured in turns."""
    sample = load_sample(recipe.data)
    trainer = recipe.trainer([Pair(recipe.data, sample.image, sample.truth)])
    running = trainer.run()
    size = [
        w + c for w, c in zip(trainer.windows.crop, trainer.windows.geometry.context, strict=True)
    ]
    image = fast_layout(torch.rand(1, 1, *size))
    list(islice(running, 3))
    whole, network = [], []
    for _ in range(steps):
        whole.append(seconds(lambda: next(running)))
        network.append(seconds(lambda: forward_and_backward(trainer, image)))
    running.close()
    share = float(np.median([n / w for n, w in zip(network, whole, strict=True)]))
    return {"step": median(whole), "network": median(network), "share": share}


def forward_and_backward(trainer: Trainer, image: torch.Tensor) -> None:
    """Run the network both ways, with any gradient."""
    with torch.autocast("cpu", torch.bfloat16, enabled=trainer.schedule.precision == "mixed"):
        outputs = trainer.windows.predict(trainer.network, image)
    outputs.float().sum().backward()


def seconds(do: Callable[[], Any]) -> float:
    """Time one call."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
