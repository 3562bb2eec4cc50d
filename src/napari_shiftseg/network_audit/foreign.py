"""Networks from elsewhere: recorded ones, and Python code that the user trusts."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from safetensors.torch import load_file
from torch import Tensor, nn

from napari_shiftseg.embeddings.model import bundled_models, load_model, meant_by
from napari_shiftseg.errors import ShiftSegError, UntrustedCode
from napari_shiftseg.files import is_file
from napari_shiftseg.image.intensity import Fixed, Intensity, Kind
from napari_shiftseg.network_audit.exported import load_exported
from napari_shiftseg.network_audit.subject import quiet
from napari_shiftseg.network_audit.weight_files import load_checkpoint, load_torchscript
from napari_shiftseg.network_audit.zoo_package import description_in, load_zoo_model

_KINDS = (
    "a bundled model, a shiftseg model (.safetensors), TorchScript (.pt, .pth, .ts), "
    "torch.export (.pt2), a package of the BioImage Model Zoo (.zip or folder), or "
    "package.module:factory or file.py:factory"
)

_OF_OTHERS = {".onnx": "ONNX", ".keras": "Keras", ".h5": "Keras", ".pb": "TensorFlow"}
"""Programs by the suffix of their networks' files."""

_STATE_DICT = (
    "a state dict needs the code that builds its network: name it as package.module:factory "
    "and this file as weights"
)


_AS_IT_IS = Intensity("none")


@dataclass(frozen=True)
class Foreign:
    """A network to audit.

    Parameters
    ----------
    module
        In evaluation mode.
    ndim, in_channels
        Of its input; None where the file does not say.
    intensity
        How it wants its input, as it is unless the file says otherwise; None if it says what
        cannot be done here, which ``preparation`` names.
    preparation
        What a package does to its input, in words; empty if its file says nothing.
    """

    module: nn.Module
    ndim: int | None = None
    in_channels: int | None = None
    intensity: Intensity | Fixed | None = _AS_IT_IS
    preparation: str = ""

    def scaled(self, kind: Kind | None = None) -> Intensity | Fixed:
        """Return how its input is scaled: as somebody says, else as its file does.

        Raises
        ------
        ShiftSegError
            If nobody says it and the file says what cannot be done here.
        """
        if kind is not None:
            return Intensity(kind)
        if self.intensity is None:
            raise ShiftSegError(
                f"the package prepares images by {self.preparation}, which cannot be done here; "
                "prepare the image so and choose the intensity 'none', or choose 'percentile' or "
                "'standard'"
            )
        return self.intensity


def load_foreign(
    source: str, *, weights: str | Path | None = None, trust_code: bool = False
) -> Foreign:
    """Load a network for an audit. Nothing is unpickled, and no code is run unasked.

    Parameters
    ----------
    source
        A bundled model, a model file, a TorchScript or torch.export file, a package of the
        BioImage Model Zoo, or ``package.module:factory`` or ``file.py:factory``: a network, or
        a function without parameters that returns one.
    weights
        State dict for the factory's network, safetensors or a PyTorch checkpoint.
    trust_code
        That the factory, or a package's own code, may be imported and run.

    Raises
    ------
    UntrustedCode
        If it would run code that is not trusted.
    ShiftSegError
        If there is no such file, it is none of these, or weights do not fit.
    """
    path = Path(source)
    if is_shiftseg_model(source):
        model = load_model(source)
        architecture = model.description.architecture
        found = Foreign(
            model.network,
            architecture.geometry.ndim,
            architecture.in_channels,
            model.description.intensity,
        )
    elif (package := description_in(path)) is not None and package.is_file():
        with quiet():
            zoo = load_zoo_model(package, trust_code=trust_code)
        found = Foreign(zoo.module, zoo.ndim, zoo.in_channels, zoo.intensity, zoo.preparation)
    elif is_file(path):
        found = Foreign(_recorded(path, trust_code))
    elif ":" in source and source.rpartition(":")[2].isidentifier():  # C:\\gone.pt is a path
        found = Foreign(_made(source, trust_code))
    else:
        raise ShiftSegError(f"there is no network {source!r}; {meant_by(source)}legal: {_KINDS}")
    if weights is not None:
        _fill(found.module, Path(weights))
    return found


def is_shiftseg_model(source: str) -> bool:
    """Tell a model of this package's own format, whose channels are known, by its name."""
    return source in bundled_models() or Path(source).suffix == ".safetensors"


def _recorded(path: Path, trusted: bool) -> nn.Module:
    if path.suffix.lower() in _OF_OTHERS:
        raise ShiftSegError(
            f"{path} is a network of {_OF_OTHERS[path.suffix.lower()]}, which is not read; name a "
            "torch.nn.Module that calls it in its forward, as file.py:factory"
        )
    if not zipfile.is_zipfile(path):
        raise ShiftSegError(f"{path} is not a network; legal: {_KINDS}")
    try:
        if path.suffix == ".pt2":
            return load_exported(path, trust_code=trusted)
        return load_torchscript(path, str(path))
    except ShiftSegError as error:
        if error.__cause__ is None:  # not damaged, but refused
            raise
        raise ShiftSegError(f"{error}; {_STATE_DICT}") from error


def _made(source: str, trusted: bool) -> nn.Module:
    name, _, factory = source.rpartition(":")
    if not trusted:
        raise UntrustedCode(f"{source} is Python code, which can do anything on this computer")
    try:
        with _neighbours_of(name):
            made = getattr(_imported(name), factory)
            module = made if isinstance(made, nn.Module) else made()
    # Whatever the user's code raises; a script may end itself.
    except (Exception, SystemExit) as error:
        raise ShiftSegError(f"{source} fails: {type(error).__name__}: {error}") from error
    if not isinstance(module, nn.Module):
        raise ShiftSegError(
            f"{source} returns {type(module).__name__}; a torch.nn.Module is needed"
        )
    return module.eval()


def _imported(name: str) -> ModuleType:
    """Import a module by its name, or from a file."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    path = Path(name).absolute()
    # No name that another module may have; without any, dataclasses could not be defined in it.
    spec = importlib.util.spec_from_file_location(f"_shiftseg_factory_{path.stem}", path)
    assert spec is not None and spec.loader is not None  # a name that ends in .py has a loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _neighbours_of(name: str) -> Iterator[None]:
    """Let code find what lies beside its file, or in this folder, as Python does for scripts."""
    folder = str(Path(name).absolute().parent if name.endswith(".py") else Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _fill(module: nn.Module, path: Path) -> None:
    try:
        module.load_state_dict(_state_dict(path))
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ShiftSegError(f"the weights in {path} do not fit the network: {reason}") from error


def _state_dict(path: Path) -> dict[str, Tensor]:
    if not is_file(path):
        raise ShiftSegError(f"no such file: {path}")
    if path.suffix != ".safetensors":
        return load_checkpoint(path, str(path))
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except Exception as error:  # types of numbers that torch lacks raise others than damage
        raise ShiftSegError(f"{path} holds no plain state dict: nothing was loaded") from error
    return tensors
