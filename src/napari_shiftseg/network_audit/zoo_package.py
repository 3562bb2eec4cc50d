"""Models of the BioImage Model Zoo: packages as a folder or a ZIP, read without extracting."""

from __future__ import annotations

import contextlib
import importlib
import io
import types
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from torch import nn

from napari_shiftseg.errors import ShiftSegError, UntrustedCode, first_line
from napari_shiftseg.image.intensity import Fixed, Intensity
from napari_shiftseg.network_audit.archives import refuse_bomb
from napari_shiftseg.network_audit.weight_files import load_checkpoint, load_torchscript
from napari_shiftseg.network_audit.zoo_preprocessing import intensity_of
from napari_shiftseg.network_audit.zoo_text import DESCRIPTIONS, refuse_unfolding


@dataclass(frozen=True)
class ZooModel:
    """A network as its package describes it.

    Parameters
    ----------
    module
        In evaluation mode, with its weights.
    ndim, in_channels
        Of its first input.
    intensity, preparation
        How that is prepared, as :func:`intensity_of` says.
    """

    module: nn.Module
    ndim: int
    in_channels: int
    intensity: Intensity | Fixed | None
    preparation: str


def description_in(path: Path) -> Path | None:
    """Return what describes a package: its ZIP, or the YAML in its folder; None if it is none."""
    if path.is_dir():
        return next((path / name for name in DESCRIPTIONS if (path / name).is_file()), None)
    return path if path.suffix.lower() == ".zip" or path.name in DESCRIPTIONS else None


def load_zoo_model(path: Path, *, trust_code: bool = False) -> ZooModel:
    """Load the network of a package.

    Recorded weights (TorchScript) are taken first: they need no Python code.

    Raises
    ------
    ShiftSegError
        If the extra is not installed, the package is invalid, has no PyTorch weights, names
        files outside of itself, or needs code that is not trusted.
    """
    with _opened(path) as source:
        description = _described(source, path)
        weights = description.weights
        if weights.torchscript is not None:
            recorded = weights.torchscript
            loaded = load_torchscript(_content(recorded, path), str(recorded.source))
        elif weights.pytorch_state_dict is not None:
            loaded = _built(weights.pytorch_state_dict, path, trust_code)
        else:
            raise ShiftSegError(
                f"{path} has no PyTorch weights; legal: TorchScript or a state dict"
            )
    first = description.inputs[0]
    channels = [axis.size for axis in first.axes if axis.type == "channel"]
    in_channels = channels[0] if channels else 1
    return ZooModel(
        loaded.eval(),
        sum(axis.type == "space" for axis in first.axes),
        in_channels,
        *intensity_of(first.preprocessing, in_channels),
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Path | zipfile.ZipFile]:
    """Hold a ZIP open for as long as its files are read; nobody else would close it."""
    if path.suffix.lower() != ".zip":
        yield path
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ShiftSegError(
            f"{path} is no package of the BioImage Model Zoo: {first_line(error)}"
        ) from error
    with archive:
        yield archive


def _described(source: Path | zipfile.ZipFile, path: Path) -> Any:
    try:
        from bioimageio.spec import load_description
        from bioimageio.spec.model import ModelDescr
    except ImportError:
        raise ShiftSegError(
            "packages of the BioImage Model Zoo need more: pip install bioimageio.spec ruyaml"
        ) from None
    refuse_unfolding(source, str(path))
    try:
        found = load_description(source, perform_io_checks=False)
    except Exception as error:  # what it raises on other files is not documented
        raise ShiftSegError(
            f"{path} is no package of the BioImage Model Zoo: {first_line(error)}"
        ) from error
    if not isinstance(found, ModelDescr):
        raise ShiftSegError(f"{path} is not a valid model of the BioImage Model Zoo")
    return found


def _content(file: Any, package: Path) -> io.BytesIO:
    """Read a file of the package. Nothing is fetched from anywhere, nor from outside of it."""
    source = str(file.source)
    if "://" in source:
        raise ShiftSegError(f"{source} is not in the package; download it first")
    if PurePosixPath(source).is_absolute() or ".." in PurePosixPath(source).parts:
        raise ShiftSegError(f"{source} is not in the package, and is not read")
    if package.suffix.lower() == ".zip":
        _refuse_bomb(package, source)
    elif not (package.parent / source).resolve().is_relative_to(package.parent.resolve()):
        raise ShiftSegError(f"{source} is a link out of the package, and is not read")
    try:
        return io.BytesIO(file.get_reader().read())
    except Exception as error:  # as above
        raise ShiftSegError(
            f"{source} cannot be read from the package: {first_line(error)}"
        ) from error


def _refuse_bomb(package: Path, source: str) -> None:
    with zipfile.ZipFile(package) as archive:
        for member in archive.infolist():
            if member.filename == source:
                refuse_bomb(member, str(package))


def _built(weights: Any, path: Path, trusted: bool) -> nn.Module:
    """Build a network by the package's code and fill in its state dict."""
    recipe = weights.architecture
    inside = hasattr(recipe, "source")
    code = recipe.source if inside else f"{recipe.import_from}.{recipe.callable}"
    if not trusted:
        raise UntrustedCode(
            f"{path} builds its network by Python code ({code}), which can do anything on this "
            "computer"
        )
    state = load_checkpoint(_content(weights, path), str(weights.source))
    try:
        if inside:
            home = types.ModuleType("architecture")
            exec(compile(_content(recipe, path).read(), str(code), "exec"), home.__dict__)
        else:
            home = importlib.import_module(recipe.import_from)
        network: nn.Module = getattr(home, str(recipe.callable))(**recipe.kwargs)
        network.load_state_dict(state)
    except Exception as error:  # whatever the package's code raises
        raise ShiftSegError(f"{code} of {path} fails: {type(error).__name__}: {error}") from error
    return network
