"""Model files: one ``.safetensors`` whose header carries the whole description.

A model file is data. Nothing in it is ever executed; plain PyTorch checkpoints are read
with ``weights_only=True``.
"""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning
from napari_shiftseg.files import file_beside

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
        save_file(weights, partial, metadata={HEADER_KEY: description.to_json()})


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
    if not path.is_file():
        raise ShiftSegError(f"no such model file: {path}")
    if path.suffix == ".safetensors":
        with _opened(path) as file:
            description = _description(path, file)
            weights = {key: file.get_tensor(key) for key in file.keys()}
    else:
        weights = _checkpoint_weights(path)
        description = _sidecar_description(path)
    network = _fill(UNet(description.architecture), weights, path)
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


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise ShiftSegError(f"no such model file: {path}")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise ShiftSegError(f"{path} is not a safetensors file: {error}") from None


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
    except (RuntimeError, EOFError, OSError, ValueError, KeyError):
        raise ShiftSegError(f"{path} is not a model file") from None
    if not isinstance(weights, dict) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise ShiftSegError(f"{path} holds no state_dict (names and tensors)")
    return weights


def _sidecar_description(path: Path) -> ModelDescription:
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        raise ShiftSegError(f"{path} is a plain checkpoint and needs its description, {sidecar}")
    return ModelDescription.from_json(sidecar.read_text())


def _fill(network: UNet, weights: dict[str, Tensor], path: Path) -> UNet:
    expected = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    given = {k: tuple(v.shape) for k, v in weights.items()}
    wrong = sorted(k for k in expected.keys() | given.keys() if expected.get(k) != given.get(k))
    if wrong:
        name = wrong[0]
        raise ShiftSegError(
            f"{path}: {len(wrong)} weights do not fit the description; {name} is "
            f"{given.get(name, 'missing')}, expected {expected.get(name, 'nothing')}"
        )
    if not all(bool(torch.isfinite(v).all()) for v in weights.values()):
        raise ShiftSegError(f"{path} has weights that are not finite")
    network.load_state_dict({k: v.float() for k, v in weights.items()})
    return network.eval().requires_grad_(False)
