"""Recorded networks and plain weights, from files or out of packages. Nothing is unpickled."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor, nn

from napari_shiftseg.embeddings.model_file import is_state_dict
from napari_shiftseg.errors import ShiftSegError, first_line
from napari_shiftseg.network_audit.archives import refuse_bomb, refuse_twins
from napari_shiftseg.network_audit.subject import quiet

_FORBIDDEN = {b"save", b"from_file", b"rpc_sync", b"rpc_async", b"rpc_remote", b"Print"}
"""What recorded operations can do outside of memory: write files, call other computers."""

_NO_CODE = "constants.pkl"
"""What weights alone and pickled modules lack: torch calls them damaged recordings."""

_WORD = re.compile(rb"[A-Za-z_]\w*")


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
        If it is no TorchScript, or one that does more than compute.
    """
    try:
        content = io.BytesIO(file.read_bytes() if isinstance(file, Path) else file.read())
        _refuse_deeds(content, name)
        content.seek(0)
        with quiet():
            # torch has no types for it.
            network: nn.Module = torch.jit.load(content, map_location="cpu")  # type: ignore[no-untyped-call]
    except ShiftSegError:
        raise
    except Exception as error:  # a damaged file raises whatever torch stumbles over
        why = "it holds no code" if _NO_CODE in str(error) else first_line(error)
        raise ShiftSegError(f"{name} is not a recorded network ({why})") from error
    return network.eval()


def _refuse_deeds(content: BinaryIO, name: str) -> None:
    """Refuse a recording that writes files: some of it runs while it is loaded."""
    with zipfile.ZipFile(content) as archive:
        refuse_twins(archive, name)
        for member in archive.infolist():
            refuse_bomb(member, name)
            if not member.filename.lower().endswith(".py"):
                continue
            # Of its bytes, as torch reads it; Python would obey what it says of its encoding.
            if found := _FORBIDDEN & set(_WORD.findall(archive.read(member))):
                raise ShiftSegError(
                    f"{name} does more than compute: it calls {min(found).decode()}, which can "
                    "reach files or other computers, so it is not loaded"
                )


def load_checkpoint(file: Path | BinaryIO, name: str) -> dict[str, Tensor]:
    """Load a state dict that torch saved, or one below the key ``state_dict``.

    Raises
    ------
    ShiftSegError
        If it holds anything else than plain weights.
    """
    try:
        with quiet():
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # as above
        raise ShiftSegError(f"{name} holds no plain state dict: nothing was loaded") from error
    found = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not is_state_dict(found):
        raise ShiftSegError(f"{name} holds no state dict (names and tensors)")
    return dict(found)
