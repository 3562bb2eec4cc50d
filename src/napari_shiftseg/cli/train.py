"""``shiftseg train``: from a data pack to a model file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import note, progress_bar, refuse_existing
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.recipe import TrainingRecipe


@app.command
def train(
    recipe: Annotated[TrainingRecipe, Parameter(name="*")],
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    checkpoint: Path | None = None,
    name: str | None = None,
    summary: str = "",
    licence: str = "",
    bandwidth: float = 1.5,
    half: bool = False,
    threads: int | None = None,
    allow_small_window: bool = False,
    overwrite: bool = False,
) -> None:
    """Train a network; an interrupted run continues from its checkpoint.

    Parameters
    ----------
    output
        Model file to write, ending in .safetensors.
    checkpoint
        Where to keep the state of training; by default beside the output.
    name
        Name of the model; by default the output's stem.
    summary
        One sentence for the model's card.
    licence
        SPDX identifier for the weights.
    bandwidth
        Mean-shift bandwidth that the model file recommends.
    half
        Store the weights as float16.
    threads
        Processor threads.
    allow_small_window
        Train although the output window does not exceed the period.
    overwrite
        Replace an existing model file.
    """
    import torch

    from napari_shiftseg.embeddings.model_file import save_model

    if output.suffix != ".safetensors":
        raise ShiftSegError(f"{output} should end in .safetensors")
    if not output.parent.is_dir():
        raise ShiftSegError(f"no such folder: {output.parent}")
    refuse_existing(output, overwrite=overwrite)
    if threads:
        torch.set_num_threads(threads)
    trainer = recipe.trainer(
        checkpoint=checkpoint or output.with_suffix(".checkpoint"),
        allow_small_window=allow_small_window,
    )
    means: dict[str, float] = {}
    with progress_bar("training", recipe.steps, done=trainer.step) as advance:
        for event in trainer.run():
            for term, value in event.losses.items():
                means[term] = 0.99 * means.get(term, value) + 0.01 * value
            advance(" ".join(f"{term} {value:.3f}" for term, value in means.items()))
    description = recipe.describe(
        trainer,
        name=name or output.stem,
        command=shlex.join(["shiftseg", *sys.argv[1:]]),
        summary=summary,
        licence=licence,
        bandwidth=bandwidth,
    )
    save_model(output, trainer.trained, description, half=half)
    note(f"{output}: {trainer.step} steps in {trainer.seconds / 60:.0f} min")
