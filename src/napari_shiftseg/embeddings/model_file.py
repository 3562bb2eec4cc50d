"""Model files: one ``.safetensors`` whose header carries the whole description.

A model file is data. Nothing in it is ever executed; plain PyTorch checkpoints are read
with ``weights_only=True``.
"""

from __future__ import annotations

import contextlib
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard
from zipfile import is_zipfile

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning, first_line
from napari_shiftseg.files import file_beside, is_file

HEADER_KEY = "shiftseg"


def save_model(
    path: str | Path, network: UNet, description: ModelDescription, *, half: bool = False
) -> None:
    """Write a model file; an existing file is replaced in one step.

    Parameters
    ----------
    path
        A name that ends in ``.safetensors``.
    network
        The weights to store.
    description
        The header; its architecture must be the network's.
    half
        Store the weights as float16. They are loaded as float32 all the same.
    """
    path = Path(path)
    dtype = torch.float16 if half else torch.float32
    weights = {k: v.detach().to("cpu", dtype).contiguous() for k, v in network.state_dict().items()}
    with file_beside(path) as partial:
        # Not by safetensors' own hand, whose errors of a full disk are no OSError.
        partial.write_bytes(save(weights, metadata={HEADER_KEY: description.to_json()}))


def read_description(path: str | Path) -> ModelDescription:
    """Read the header of a model file without its weights."""
    with _opened(Path(path)) as file:
        return _description(Path(path), file)


def load_network(path: str | Path) -> tuple[UNet, ModelDescription]:
    """Load a network for inference.

    Parameters
    ----------
    path
        A ``.safetensors`` model file, or a PyTorch ``state_dict`` checkpoint
        (``.pt``, ``.pth``) beside a JSON description of the same stem.

    Raises
    ------
    ShiftSegError
        If the file is missing, is not a model, does not fit its description, or has
        weights that are not finite.

    Warns
    -----
    ShiftSegWarning
        If the model was trained with an output window <= period.
    """
    path = Path(path)
    if not is_file(path):
        raise ShiftSegError(f"no such model file: {path}")
    network, description = _stored(path) if path.suffix == ".safetensors" else _plain(path)
    if description.window_exceeds_period is False:
        warnings.warn(period_trained_message(description), ShiftSegWarning, stacklevel=2)
    return network, description


def period_trained_message(description: ModelDescription) -> str:
    """Say what goes wrong with a model trained with an output window <= period."""
    period = description.architecture.geometry.period
    return (
        f"{description.name} was trained with an output window of "
        f"{_by(description.training_window)} px, which does not exceed its period of "
        f"{_by(period)} px: neighbours across the period's grid were never trained together, "
        f"so objects can split every {_by(period)} px in any stitch mode, whole-image "
        "inference included. Only retraining with a larger window mends that."
    )


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in size)


def _stored(path: Path) -> tuple[UNet, ModelDescription]:
    """Load a model file; weights of the wrong shape are refused before they are read."""
    with _opened(path) as file:
        description = _description(path, file)
        network = _unfilled(description)
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}
        _refuse_misfits(network, shapes, path)
        return _filled(network, {key: file.get_tensor(key) for key in shapes}, path), description


def _plain(path: Path) -> tuple[UNet, ModelDescription]:
    """Load a checkpoint beside its description."""
    weights = _checkpoint_weights(path)
    description = _sidecar_description(path)
    network = _unfilled(description)
    _refuse_misfits(network, {key: tuple(v.shape) for key, v in weights.items()}, path)
    return _filled(network, weights, path), description


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not is_file(path):
        raise ShiftSegError(f"no such model file: {path}")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except ShiftSegError:
        raise
    except Exception as error:  # what it raises on types of numbers that torch lacks, it keeps
        other = "; networks of other kinds: shiftseg audit and predict" * is_zipfile(path)
        why = f"{path} is not a safetensors file: {first_line(error)}{other}"
        raise ShiftSegError(why) from None


def _description(path: Path, file: Any) -> ModelDescription:
    header = (file.metadata() or {}).get(HEADER_KEY)
    if header is None:
        raise ShiftSegError(f"{path} is a safetensors file, but not a shiftseg model")
    return ModelDescription.from_json(header)


def _checkpoint_weights(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings(action="ignore"):  # torch warns of pickles it then refuses
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ShiftSegError(
            f"{path} is not a plain checkpoint of weights; what it holds could run code, "
            "so it is not opened. Save the state_dict alone."
        ) from None
    except Exception:  # a damaged file raises whatever torch stumbles over
        raise ShiftSegError(f"{path} is not a model file") from None
    if not is_state_dict(weights):
        raise ShiftSegError(f"{path} holds no state_dict (names and tensors)")
    return dict(weights)


def is_state_dict(loaded: object) -> TypeGuard[dict[str, Tensor]]:
    """Tell whether something is names and tensors."""
    return isinstance(loaded, dict) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in loaded.items()
    )


def _sidecar_description(path: Path) -> ModelDescription:
    sidecar = path.with_suffix(".json")
    if not is_file(sidecar):
        raise ShiftSegError(f"{path} is a plain checkpoint and needs its description, {sidecar}")
    try:
        text = sidecar.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ShiftSegError(f"{sidecar} is no description of a model: {error}") from None
    return ModelDescription.from_json(text)


def _unfilled(description: ModelDescription) -> UNet:
    """Build a network without memory for its weights: its size is only a claim so far."""
    try:
        with torch.device("meta"):
            return UNet(description.architecture)
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise ShiftSegError(
            f"the model {description.name} describes a network that cannot be built: "
            f"{first_line(error)}"
        ) from None


def _refuse_misfits(network: UNet, given: dict[str, tuple[int, ...]], path: Path) -> None:
    expected = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    wrong = sorted(k for k in expected.keys() | given.keys() if expected.get(k) != given.get(k))
    if wrong:
        name = wrong[0]
        raise ShiftSegError(
            f"{path}: {len(wrong)} weights do not fit the description; {name} is "
            f"{given.get(name, 'missing')}, expected {expected.get(name, 'nothing')}"
        )


def _filled(network: UNet, weights: dict[str, Tensor], path: Path) -> UNet:
    """Put weights of the right shapes in; copies, for the file may go while they are used."""
    for name, value in weights.items():
        if value.layout != torch.strided or not value.is_floating_point():
            raise ShiftSegError(f"{path}: {name} is {value.dtype}; weights are dense floats")
    copies = {name: value.to(torch.float32, copy=True) for name, value in weights.items()}
    if not all(bool(torch.isfinite(v).all()) for v in copies.values()):
        raise ShiftSegError(f"{path} has weights that are not finite")
    network.load_state_dict(copies, assign=True)
    return network.eval().requires_grad_(False)
