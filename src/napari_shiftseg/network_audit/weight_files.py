"""Recorded networks and plain weights, from files or out of packages. Nothing is unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError, first_line
from napari_shiftseg.network_audit.subject import quiet


def load_torchscript(file: Path | BinaryIO, name: str) -> nn.Module:
    """Load a graph that torch recorded: operations and numbers, no Python.

    Parameters
    ----------
    file
        A path, or the file's content.
    name
        For the error's message.

    Raises
    ------
    ShiftSegError
        If it is no TorchScript.
    """
    try:
        with quiet():
            # torch has no types for it.
            network: nn.Module = torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
    except Exception as error:  # a damaged file raises whatever torch stumbles over
        raise ShiftSegError(f"{name} is not a recorded network ({first_line(error)})") from error
    return network.eval()


def load_checkpoint(file: Path | BinaryIO, name: str) -> dict[str, Tensor]:
    """Load a state dict that torch saved, or one below the key ``state_dict``.

    Raises
    ------
    ShiftSegError
        If it holds anything else than plain weights.
    """
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ShiftSegError(f"{name} holds no plain state dict: nothing was loaded") from error
    return dict(loaded.get("state_dict", loaded))
