"""A loaded model: network and description, by name or by file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model_file import load_network
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.files import is_file
from napari_shiftseg.tiles.geometry import NetworkGeometry


@dataclass(frozen=True)
class Model:
    """What :func:`load_model` returns.

    Parameters
    ----------
    network
        The network in evaluation mode.
    description
        The file's header.
    sha256
        Hash of the file, in hexadecimal; empty for a model that has no file.
    """

    network: UNet
    description: ModelDescription
    sha256: str = ""

    @property
    def geometry(self) -> NetworkGeometry:
        """The network's geometry."""
        return self.description.architecture.geometry


def bundled_models() -> dict[str, Path]:
    """Find the models that are part of the package.

    Returns
    -------
    dict of str to Path
        Their files by name.
    """
    folder = Path(str(resources.files("napari_shiftseg.models")))
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def load_model(model: str | Path | Model) -> Model:
    """Load a model by the name of a bundled one or from a file; nothing is executed.

    Parameters
    ----------
    model
        ``"nuclei-2d"`` or another bundled name, or a path; a loaded model is returned as
        it is.

    Returns
    -------
    Model
        Network, description and hash.

    Raises
    ------
    ShiftSegError
        If there is no such model or file, or the file is not a model.

    Warns
    -----
    ShiftSegWarning
        If the model was trained with an output window <= period.
    """
    if isinstance(model, Model):
        return model
    path = model_file(model)
    network, description = load_network(path)
    return Model(network, description, file_hash(path))


def model_file(model: str | Path) -> Path:
    """Return the file of a model by the name of a bundled one or by its path.

    Raises
    ------
    ShiftSegError
        If there is none.
    """
    bundled = bundled_models()
    path = bundled.get(str(model), Path(model))
    if not is_file(path):
        near = get_close_matches(str(model), bundled, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise ShiftSegError(
            f"there is no model {str(model)!r}; {meant}bundled: {', '.join(sorted(bundled))}; "
            "or name a file"
        )
    return path


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal: what names its content beyond doubt."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
