"""The network under audit as a plain function of arrays."""

from __future__ import annotations

import copy
import hashlib
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from napari_shiftseg.errors import ShiftSegError, first_line
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import by

_LABELS = (
    "the network puts out labels, or what is as coarse: small changes cannot be measured in them; "
    "give it without its last step (argmax, threshold)"
)


class NetworkFailedError(ShiftSegError):
    """The network under audit raises an error of its own."""


class Level(NamedTuple):
    """Where the intensities of probes lie: noise about an offset, times a gain."""

    offset: float = 0.0
    gain: float = 1.0

    def at(self, deviations: float) -> float:
        """Return the intensity so many standard deviations above the offset."""
        return self.offset + self.gain * deviations

    @property
    def top(self) -> float:
        """An intensity that is surely felt where noise is."""
        return self.at(1.0)


_STRAIGHT = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""What torch calls interpolation along straight lines, by number of axes."""

GRAINS = (4, 16)
"""Pixels between the values of smooth noise: a minimum over many pixels is seen in nothing else."""

NORMALISED = Level()

LEVELS = (NORMALISED, Level(1e2, 1e2), Level(1e4, 1e4))
"""Of normalised images, and of counts of 8 and of 16 bits."""


@dataclass(frozen=True)
class Subject:
    """A network as a function of images.

    Parameters
    ----------
    module
        The network, in the mode in which it predicts.
    ndim
        Spatial axes of its input.
    in_channels
        Channels of its input.
    level
        Of the images that it is probed with.
    """

    module: nn.Module
    ndim: int
    in_channels: int
    level: Level = NORMALISED

    def __call__(self, images: Tensor) -> Tensor:
        """Map ``(B, C, *spatial)`` to ``(B, K, *output)``.

        Of several outputs the first is taken.

        Raises
        ------
        NetworkFailedError
            If the network raises an error.
        ShiftSegError
            If the output has no value per pixel.
        """
        try:
            with torch.no_grad():
                answer = self.module(images.clone())  # which it may change
        except Exception as error:  # whatever a foreign network raises
            raise NetworkFailedError(
                f"the network fails on an image of {by(tuple(images.shape[2:]))} px: "
                f"{_reason(error)}"
            ) from error
        output = first_tensor(answer).detach()
        if output.ndim != self.ndim + 2:
            raise ShiftSegError(
                f"the network turns {tuple(images.shape)} into {tuple(output.shape)}; "
                f"an audit needs an output of {self.ndim + 2} axes: batch, channels and "
                f"{self.ndim} of space"
            )
        if output.is_complex():
            raise ShiftSegError("the network puts out complex numbers; give it with a real output")
        if not output.is_floating_point():
            raise ShiftSegError(_LABELS)
        return output

    @classmethod
    def of(cls, module: Any, ndim: int, in_channels: int) -> Subject:
        """Take what somebody calls a network; raises ShiftSegError if it is none."""
        if not is_whole(in_channels) or in_channels < 1:
            raise ShiftSegError(f"in_channels is {in_channels!r}; legal: a whole number from 1 on")
        return cls(module_of(module), ndim, int(in_channels))

    def copy(self, dtype: torch.dtype = torch.float32) -> Subject:
        """Return a copy that may be changed, on the processor and of the given type."""
        with quiet():
            return replace(self, module=copy_of(self.module).to("cpu", dtype))

    def noise(self, size: Size, *, seed: int = 0, grain: int = 1) -> Tensor:
        """Draw a random image ``(1, C, *size)`` of the weights' type, normal at the level.

        Between values ``grain`` pixels apart it runs straight.
        """
        generator = torch.Generator().manual_seed(seed)
        shape = (1, self.in_channels, *(-(-n // grain) for n in size))
        drawn = torch.randn(shape, generator=generator, dtype=self.dtype)
        if grain > 1:
            drawn = interpolate(drawn, size=size, mode=_STRAIGHT[self.ndim])
        return drawn * self.level.gain + self.level.offset

    def feels(self, size: Size) -> bool:
        """Whether it answers differently to two images of noise, or of smooth noise."""
        return any(
            not torch.equal(*(self(self.noise(size, seed=seed, grain=grain)) for seed in (0, 1)))
            for grain in (1, *GRAINS)
        )

    def refuse_unmeasurable(self, size: Size) -> None:
        """Raise ShiftSegError if the network gives two answers to one image, or none to measure."""
        image = self.noise(size)
        answer = self(image)
        if answer.isnan().any():
            raise ShiftSegError(
                f"the network answers NaN to noise of {by(size)} px: nothing can be measured; look "
                "for a division by zero in it, or for weights that are not numbers"
            )
        if not torch.equal(answer, self(image)):
            raise ShiftSegError(
                f"the network gives two different answers to one image of {by(size)} px "
                "(dropout in training mode, or a state that it keeps?); call .eval() on it first"
            )
        if answer.dtype in (torch.bfloat16, torch.float16):
            raise ShiftSegError(
                f"the network computes in {str(answer.dtype).removeprefix('torch.')}, in which "
                "small changes cannot be measured; give it without autocast or half precision"
            )
        other = self.noise(size, seed=1)
        difference = (answer - self(other)).abs().max()
        if difference > 0:
            rounding = torch.finfo(answer.dtype).eps * answer.abs().max()
            nudge = max(1e-5, 16 * float(rounding / difference))  # nearly dead networks need more
            # One of the two may lie where such a network answers the same to everything.
            if all(torch.equal(self(one), self(one * (1 + nudge))) for one in (image, other)):
                raise ShiftSegError(_LABELS)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights; float32 of a network without."""
        weights = (p.dtype for p in self.module.parameters() if p.is_floating_point())
        return next(weights, torch.float32)


def levelled(subject: Subject, others: Iterable[Subject], size: Size) -> Subject:
    """Return a network with a level at which it feels what it is shown.

    Networks of raw counts may take all that is normalised for background.

    Parameters
    ----------
    subject
        The network.
    others
        The same with other weights, which are asked if these feel nothing at all.
    size
        Of the images, in pixels.

    Raises
    ------
    ShiftSegError
        If none of them feels anything at any level.
    """
    for each in (subject, *others):
        for level in LEVELS:
            if replace(each, level=level).feels(size):
                return replace(subject, level=level)
    about = ", ".join(f"{level.offset:g}" for level in LEVELS)
    raise ShiftSegError(
        f"the network gives the same answer to any noise, about {about}: nothing can be measured; "
        "give it without a threshold, or with intensities scaled as its own are"
    )


@dataclass(frozen=True)
class Layout:
    """What a network is made of, whatever its weights.

    Parameters
    ----------
    structure
        Hash of its layers, their settings, and the shapes of their weights.
    mode
        Hash of which layers are in training mode.
    """

    structure: str
    mode: str

    @classmethod
    def of(cls, module: nn.Module) -> Layout:
        """Read a network's layers."""
        layers = [(n, type(m).__name__, _settings(m)) for n, m in module.named_modules()]
        weights = {n: v for n, v in module.state_dict().items() if isinstance(v, Tensor)}
        shapes = [(name, tuple(value.shape)) for name, value in weights.items()]
        mode = [getattr(layer, "training", False) for layer in module.modules()]
        return cls(_hash((layers, shapes)), _hash(mode))

    def refuse_another(self, module: nn.Module, name: str) -> None:
        """Raise ShiftSegError if a network is not the one whose layout this is."""
        other = Layout.of(module)
        if other.structure != self.structure:
            raise ShiftSegError(
                f"the network has other layers than the {name} that was audited; audit it first"
            )
        if other.mode != self.mode:
            raise ShiftSegError(
                f"the {name} was audited in another mode; call .eval() or .train() on it as it was "
                "then, or audit it anew"
            )


def _settings(layer: nn.Module) -> str:
    """Return what a layer of torch says of itself; others may say what changes."""
    return layer.extra_repr() if type(layer).__module__.startswith("torch.nn") else ""


def _hash(values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()


def module_of(network: Any) -> nn.Module:
    """Return the module of a network or of a loaded model; raises ShiftSegError if it is none."""
    inner = getattr(network, "network", None)
    if isinstance(inner, nn.Module) and not isinstance(network, nn.Module):
        return inner
    if not isinstance(network, nn.Module):
        raise ShiftSegError(
            f"the network is a {type(network).__name__}; legal: a torch.nn.Module, or a model "
            "that was loaded with load_model"
        )
    if any(is_lazy(weight) for weight in (*network.parameters(), *network.buffers())):
        raise ShiftSegError(
            "the network has lazy layers, whose weights come to be with the first image; run it "
            "on one first"
        )
    return network


def is_whole(number: Any) -> bool:
    """Whether something is a whole number, of Python's or of numpy's; True and False are none."""
    return isinstance(number, Integral) and not isinstance(number, bool)


def _reason(error: Exception) -> str:
    """Return the line of an error that says why; TorchScript says it last."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines and "TorchScript interpreter" in lines[0] else first_line(error)


def first_tensor(output: Any) -> Tensor:
    """Return a network's output, or the first of several.

    Raises
    ------
    ShiftSegError
        If there is no tensor in it.
    """
    found = _tensors(output)
    first = next(found, None)
    if first is None:
        raise ShiftSegError(f"the network returns {type(output).__name__}; a tensor is needed")
    return first


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        yield from _tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for part in output:
            yield from _tensors(part)


def copy_of(module: nn.Module) -> nn.Module:
    """Return a deep copy.

    Raises
    ------
    ShiftSegError
        If the module cannot be copied.
    """
    try:
        return copy.deepcopy(module)
    except Exception as error:  # what a foreign module raises when it is copied
        raise ShiftSegError(f"the network cannot be copied: {error}") from error


@contextmanager
def hooked(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Run a network with hooks, and take them off whatever happens."""
    placed = list(handles)
    try:
        yield
    finally:
        for handle in placed:
            handle.remove()


class _Quiet:
    """Silences the warnings of the process as long as anybody needs it, in any thread.

    Of two overlapping ``catch_warnings`` the one that ends last puts back what the other set.
    """

    def __init__(self) -> None:
        self._lock, self._users = threading.Lock(), 0
        self._before = warnings.catch_warnings()

    def enter(self) -> None:
        with self._lock:
            if not self._users:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore")
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._before.__exit__(None, None, None)


_QUIET = _Quiet()


@contextmanager
def quiet() -> Iterator[None]:
    """Run a foreign network without its warnings."""
    _QUIET.enter()
    try:
        yield
    finally:
        _QUIET.leave()
