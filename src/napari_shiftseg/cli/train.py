"""``shiftseg train``: from a data pack to a model file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    Device,
    Overwrite,
    first_interrupt,
    note,
    progress_bar,
    refuse_model_output,
    this_command,
    use_threads,
)
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.training.recipe import TrainingRecipe
from napari_shiftseg.training.run import TrainingRun, Validated, Validating
from napari_shiftseg.wording import counted


@app.command
def train(
    recipe: Annotated[TrainingRecipe, Parameter(name="*")],
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    checkpoint: Path | None = None,
    name: str | None = None,
    summary: str = "",
    licence: str = "",
    device: Device = None,
    half: bool = False,
    threads: int | None = None,
    allow_small_window: bool = False,
    overwrite: Overwrite = False,
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
    half
        Store the weights as float16.
    threads
        Processor threads.
    allow_small_window
        Train although the output window does not exceed the period.
    """
    refuse_model_output(output, overwrite=overwrite)
    checkpoint = checkpoint or output.with_suffix(".checkpoint")
    if checkpoint.suffix == output.suffix:
        raise ShiftSegError(
            f"{checkpoint} is to hold the training's state; legal: a name that does "
            "not end as a model's, as .checkpoint"
        )
    use_threads(threads)
    run = TrainingRun(
        recipe,
        checkpoint=checkpoint,
        device=device,
        allow_small_window=allow_small_window,
        command=this_command(),
    )
    if run.finished:
        note(f"all {run.trainer.step} steps are done; a larger number of steps trains on")
    else:
        note(run.parts)
    _train(run)
    run.export(
        output,
        name=name or output.stem,
        summary=summary,
        licence=licence,
        half=half,
    )
    note(f"{output}: {counted(run.trainer.step, 'step')} in {run.trainer.seconds / 60:.0f} min")
    if run.best is not None:
        note(f"exported the weights of step {run.best.step}")


def _train(run: TrainingRun) -> None:
    """Train on; Ctrl-C ends it after the step or the validation's image that is being done."""
    means: dict[str, float] = {}
    with (
        progress_bar("training", run.recipe.steps, done=run.trainer.step) as advance,
        first_interrupt() as interrupted,
        closing(run.events()) as events,
    ):
        for event in events:
            if isinstance(event, Validated):
                note(_validation(event))
            elif not isinstance(event, Validating):
                for term, value in event.losses.items():
                    means[term] = 0.99 * means.get(term, value) + 0.01 * value
                advance(" ".join(f"{term} {value:.3f}" for term, value in means.items()))
            if interrupted.is_set():
                break
    if interrupted.is_set():
        kept = run.trainer.checkpoint
        note(f"stopped after step {run.trainer.step}; the same command goes on from {kept}")
        raise KeyboardInterrupt


def _validation(done: Validated) -> str:
    return (
        f"step {done.step}: AP 0.5 {done.ap:.3f}, false splits {done.false_splits}, false merges "
        f"{done.false_merges} on images held out{', the best so far' if done.best else ''}"
    )
