"""Freezing the parts of a network that see the whole image: the cure for statistics seams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError, first_line
from napari_shiftseg.image.array import as_array
from napari_shiftseg.network_audit.locality import Part
from napari_shiftseg.network_audit.subject import Subject, copy_of, hooked, module_of

_NORMS = (nn.modules.instancenorm._InstanceNorm, nn.modules.batchnorm._BatchNorm, nn.GroupNorm)


_AXES = {"1d": 3, "2d": 4, "3d": 5}
"""Of the features that a normalisation takes, batch and channels among them, by its name."""

_NO_IMAGE = "the reference has the shape {}; legal: (1, C, *spatial), one image"


class FrozenNorm(nn.Module):
    """A normalisation whose statistics are those of one reference image.

    Parameters
    ----------
    norm
        The normalisation to freeze.
    seen
        Its input for the reference image, ``(1, C, *spatial)``.
    """

    gain: Tensor
    offset: Tensor

    def __init__(self, norm: Any, seen: Tensor) -> None:
        super().__init__()
        groups = getattr(norm, "num_groups", seen.shape[1])
        grouped = seen.transpose(0, 1).reshape(groups, -1)
        each = seen.shape[1] // groups
        mean = grouped.mean(1).repeat_interleave(each)
        variance = grouped.var(1, unbiased=False).repeat_interleave(each)
        gain = (variance + norm.eps).rsqrt()
        if norm.weight is not None:
            gain = gain * norm.weight.detach()
        offset = -mean * gain
        if norm.bias is not None:
            offset = offset + norm.bias.detach()
        self.register_buffer("gain", gain)
        self.register_buffer("offset", offset)

    def forget(self) -> None:
        """Become the identity."""
        self.gain.fill_(1)
        self.offset.fill_(0)

    def forward(self, features: Tensor) -> Tensor:
        """Scale and shift ``(B, C, *spatial)`` per channel."""
        shape = (-1, *(1,) * (features.ndim - 2))
        return features * self.gain.view(shape) + self.offset.view(shape)


class FrozenOutput(nn.Module):
    """A global pooling that always answers what it answered to the reference image."""

    answer: Tensor

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.register_buffer("answer", answer)

    def forward(self, features: Tensor) -> Tensor:
        """Return the answer for each image of the batch."""
        return self.answer.expand(features.shape[0], *self.answer.shape[1:])


def freeze_statistics(
    module: nn.Module, parts: Iterable[Part], reference: Any
) -> tuple[nn.Module, tuple[Part, ...]]:
    """Replace what sees the whole image by what it does to one reference image.

    Tiles of the frozen network have no statistics seams. Its output is that of the original
    network on the reference, and only close to it elsewhere.

    Parameters
    ----------
    module
        The network; it is not changed.
    parts
        The parts to freeze: :attr:`~napari_shiftseg.Audit.parts`, or some of them.
    reference
        An image ``(1, C, *spatial)``, as the network needs it; a tensor or an array.

    Returns
    -------
    frozen : torch.nn.Module
        A copy.
    left : tuple of Part
        Parts that stay as they are: neither a normalisation nor a global pooling, or used more
        than once.

    Raises
    ------
    ShiftSegError
        If the parts are none of this network, or the reference is no image that it takes.

    References
    ----------
    Buglakova et al., Tiling artifacts and trade-offs of feature normalization, ICCV 2025.
    """
    module = module_of(module)
    parts = tuple(parts) if isinstance(parts, Iterable) else (parts,)
    _refuse_foreign(module, parts)
    return _frozen_on(module, parts, _checked(reference, module))


def _frozen_on(
    module: nn.Module, parts: tuple[Part, ...], image: Tensor
) -> tuple[nn.Module, tuple[Part, ...]]:
    frozen = copy_of(module)
    if isinstance(frozen, torch.jit.ScriptModule):  # its parts cannot be replaced
        return frozen, parts
    wanted = {part.name: part for part in parts}
    seen = _seen(frozen, set(wanted), image)
    left = []
    for name, part in wanted.items():
        layer, calls = frozen.get_submodule(name), seen.get(name, [])
        # Statistics of two places in the network are not those of one.
        replacement = _frozen(layer, *calls[0]) if name and len(calls) == 1 else None
        if replacement is None:
            left.append(part)
        else:
            _replace(frozen, layer, replacement)
    return frozen, tuple(left)


def _refuse_foreign(module: nn.Module, parts: tuple[Any, ...]) -> None:
    names = dict(module.named_modules(remove_duplicate=False))
    for part in parts:
        if not isinstance(part, Part):
            raise ShiftSegError(
                f"parts holds a {type(part).__name__}; legal: the parts of an audit (audit.parts)"
            )
        if part.name not in names and not isinstance(module, torch.jit.ScriptModule):
            raise ShiftSegError(f"the network has no part called {part.name}; audit it anew")


def _checked(reference: Any, module: nn.Module) -> Tensor:
    """Return the reference as a tensor of the network's type, on its device."""
    image = torch.as_tensor(as_array(reference))
    if image.ndim < 3 or image.shape[0] != 1:
        raise ShiftSegError(_NO_IMAGE.format(tuple(image.shape)))
    if not image.isfinite().all():
        raise ShiftSegError("the reference has pixels that are not finite; replace them first")
    weight = next((w for w in module.parameters() if w.is_floating_point()), None)
    return image.float() if weight is None else image.to(weight.device, weight.dtype)


def _replace(module: nn.Module, layer: nn.Module, replacement: nn.Module) -> None:
    """Put another layer in place of one, under all names that it has."""
    names = [n for n, m in module.named_modules(remove_duplicate=False) if m is layer]
    for name in names:
        parent, _, own = name.rpartition(".")
        setattr(module.get_submodule(parent), own, replacement)


def frozen_subject(
    subject: Subject, parts: Iterable[Part], reference: Tensor
) -> tuple[Subject, tuple[Part, ...]]:
    """Freeze the statistics of a subject; see :func:`freeze_statistics`."""
    frozen, left = _frozen_on(subject.module, tuple(parts), reference)
    return replace(subject, module=frozen), left


def _frozen(layer: nn.Module, given: Tensor, answer: Tensor) -> nn.Module | None:
    if isinstance(layer, _NORMS):
        axes = _AXES.get(type(layer).__name__[-2:], given.ndim)
        if given.ndim != axes:  # an image without its batch, which networks take, too
            raise ShiftSegError(_NO_IMAGE.format(tuple(given.shape)))
        return FrozenNorm(layer, given)
    if all(n == 1 for n in answer.shape[2:]):
        return FrozenOutput(answer)
    return None


def _seen(
    module: nn.Module, names: set[str], image: Tensor
) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """Return inputs and outputs of the named parts in one run, call by call."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def recorder(name: str) -> Any:
        def record(part: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, Tensor):
                calls = found.setdefault(name, [])
                calls.append((inputs[0].detach().clone(), output.detach().clone()))

        return record

    placed = (module.get_submodule(n).register_forward_hook(recorder(n)) for n in names)
    with hooked(placed), torch.no_grad():
        try:
            module(image.clone())
        except Exception as error:  # whatever a foreign network raises
            raise ShiftSegError(
                f"the network fails on the reference of shape {tuple(image.shape)}: "
                f"{first_line(error)}"
            ) from error
    return found
