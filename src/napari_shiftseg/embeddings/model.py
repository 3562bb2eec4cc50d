"""A loaded model: network and description, by name or by file."""

from __future__ import annotations

import copy
import hashlib
import warnings
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.device import EMULATED, choose_device, emulates_bfloat16
from napari_shiftseg.embeddings.model_file import load_network
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.files import is_file
from napari_shiftseg.image.axes import Frames, Reads
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.settings import PRECISIONS, Precision
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

    @property
    def reads(self) -> Reads:
        """What the network reads of an image."""
        return Reads(self.description.axes, self.description.architecture.in_channels)

    @property
    def of_scaled(self) -> Model:
        """The same network for images whose intensities are scaled already."""
        description = replace(self.description, intensity=Intensity("none"))
        return replace(self, description=description)

    def frames(self, image: Any, axes: str | None = None) -> Frames:
        """Wrap an image for this model, without reading it.

        Parameters
        ----------
        image
            Array of any kind, also lazy.
        axes
            One letter per axis of the image; by default they are told from its shape.

        Raises
        ------
        ShiftSegError
            If the image does not fit the network.
        """
        return self.reads.frames(image, axes)

    @property
    def precision(self) -> Precision:
        """The number type that the network computes in."""
        rounded = next(self.network.parameters()).dtype == torch.bfloat16
        return "bfloat16" if rounded else "float32"

    def in_precision(self, precision: Precision) -> Model:
        """Return the same model computing in another number type.

        In ``"bfloat16"`` weights and features keep 8 significant bits, sums are taken in
        float32. That is faster on processors and graphics cards that compute in it. The
        outputs of two tile sizes may then differ by the rounding, and with them the label of a
        pixel at the rim of an object.

        Raises
        ------
        ShiftSegError
            If the precision is unknown, or the weights are rounded already.

        Warns
        -----
        ShiftSegWarning
            If the fastest device here is a processor that would be slower in bfloat16.
        """
        if precision not in PRECISIONS:
            raise ShiftSegError(
                f"there is no precision {precision!r}; legal: {', '.join(PRECISIONS)}"
            )
        if precision == self.precision:
            return self
        if precision == "float32":
            raise ShiftSegError(
                f"the weights of {self.description.name} are rounded to bfloat16; load it again"
            )
        if emulates_bfloat16(choose_device()):
            warnings.warn(EMULATED, ShiftSegWarning, stacklevel=2)
        rounded = replace(self, network=copy.deepcopy(self.network).to(torch.bfloat16))
        return rounded.as_compiled() if self.compiled else rounded

    @property
    def compiled(self) -> bool:
        """Whether tiles are computed by what torch.compile makes of the network."""
        return self.network.compiled

    def as_compiled(self) -> Model:
        """Return the same model whose tiles are computed by what torch.compile makes of it.

        It is made at the first tile of each size, which takes half a minute, for up to eight
        sizes in a process; others are computed by the layers. Outputs differ from theirs by
        rounding at most. On a processor runs are streamed where that wins, and streams are never
        compiled: there it gains nothing. It needs a C++ compiler, or triton on graphics cards.
        A copy, or what is read from a pickle, is not compiled.
        """
        if self.compiled:
            return self
        network = copy.copy(self.network)
        network.compile(dynamic=False)  # else in 3-D torch 2.13 fails from the second size on
        return replace(self, network=network)


def meant_by(name: str) -> str:
    """Ask whether a bundled model was meant whose name is nearly this; nothing if there is none."""
    near = get_close_matches(name, bundled_models(), n=1)
    return f"did you mean {near[0]}? " if near else ""


def bundled_models() -> dict[str, Path]:
    """Find the models that are part of the package.

    Returns
    -------
    dict of str to Path
        Their files by name.
    """
    folder = Path(str(resources.files("napari_shiftseg.models")))
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def load_model(
    model: str | Path | Model, *, precision: Precision | None = None, compiled: bool = False
) -> Model:
    """Load a model by the name of a bundled one or from a file; nothing is executed.

    Parameters
    ----------
    model
        ``"nuclei-2d"`` or another bundled name, or a path; a loaded model is returned as
        it is.
    precision
        ``"float32"``, or ``"bfloat16"`` for a faster and rounded computation, see
        :meth:`Model.in_precision`; a loaded model keeps its own by default.
    compiled
        Compute tiles by what torch.compile makes of the network, see
        :meth:`Model.as_compiled`.

    Returns
    -------
    Model
        Network, description and hash.

    Raises
    ------
    ShiftSegError
        If there is no such model, file or precision, or the file is not a model.

    Warns
    -----
    ShiftSegWarning
        If the model was trained with an output window <= period, or bfloat16 is slower here.
    """
    if not isinstance(model, Model):
        path = model_file(model)
        network, description = load_network(path)
        model = Model(network, description, file_hash(path))
    model = model if precision is None else model.in_precision(precision)
    return model.as_compiled() if compiled else model


def model_file(model: str | Path) -> Path:
    """Return the file of a model by the name of a bundled one or by its path.

    Raises
    ------
    ShiftSegError
        If there is none.
    """
    if not isinstance(model, str | Path):
        raise ShiftSegError(
            f"the model is a {type(model).__name__}; legal: the name of a bundled model, a file, "
            "or what load_model returns. For other networks there are audit and predict_exactly"
        )
    bundled = bundled_models()
    path = bundled.get(str(model), Path(model))
    if not is_file(path):
        raise ShiftSegError(
            f"there is no model {str(model)!r}; {meant_by(str(model))}bundled: "
            f"{', '.join(sorted(bundled))}; or name a file. Other networks: shiftseg audit "
            "NETWORK --image IMAGE"
        )
    return path


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal: what names its content beyond doubt."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
