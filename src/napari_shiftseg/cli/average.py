"""``shiftseg average``: one model from several that began with the same weights."""

from __future__ import annotations

from pathlib import Path

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    OutputFile,
    Overwrite,
    note,
    refuse_model_output,
    this_command,
)
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.files import refuse_to_replace
from napari_shiftseg.training.average import average_models


@app.command
def average(
    *models: str,
    output: OutputFile,
    name: str | None = None,
    half: bool = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the mean of the weights of models that were trained on from one start.

    Parameters
    ----------
    models
        At least two names of bundled models or model files; the first one's settings are kept.
    output
        Model file to write, ending in .safetensors.
    name
        Name of the model; by default the output's stem.
    half
        Store the weights as float16.
    """
    refuse_model_output(output, overwrite=overwrite)
    for model in models:
        if Path(model).exists():
            refuse_to_replace(model, output)
    network, description = average_models(models, name=name or output.stem, command=this_command())
    save_model(output, network, description, half=half)
    note(f"{output}: the mean of the weights of {len(models)} models")
