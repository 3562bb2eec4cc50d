"""Which parts of a network see the whole image, found by running each part alone.

A part is local if its output at the beginning of an axis stays as it is when the image goes
on at the end. Normalisation by the image's own statistics, global pooling, attention and
resampling to a given size all fail this, whatever they are called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.network_audit.subject import Subject, first_tensor, hooked
from napari_shiftseg.tiles.geometry import Size

_TOLERANCE = 1e-4
_LAYER, _BLOCK = 3, 8
"""Lengths of the longer image in units of the part's own input."""

_FAR, _MOST = 1024, 2**13
"""Pixels along an axis beyond which what is felt is felt everywhere, and pixels of an image in
which that is looked for: attention needs the square of them."""

_ANSWERS = (-float("inf"), -1e4, -30.0, -1.0, 0.0, 1.0, 30.0, 1e4, float("inf"))
"""What a part is made to answer to see whether anybody needs it."""

_ROUNDING = 1e-6
"""Relative difference up to which a part answers the same; of a mean over many it stays larger."""


@dataclass(frozen=True)
class Part:
    """A part of a network.

    Parameters
    ----------
    name
        Its path, as ``named_modules`` says it; empty for the network itself.
    kind
        Its class.
    """

    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})" if self.name else self.kind


def non_local_layers(subject: Subject, size: Size, longer: int) -> tuple[Part, ...]:
    """Find the layers (modules without modules inside) that see the whole image.

    Those that only other outputs than the first one need are none.

    Parameters
    ----------
    subject
        The network.
    size
        A legal input size in pixels.
    longer
        A larger one along the first axis.

    Returns
    -------
    tuple of Part
        In the order of ``named_modules``.
    """
    modules = dict(subject.module.named_modules())
    inputs = _inputs(subject, size, 0, longer)
    layers = [
        name
        for name in inputs
        if next(modules[name].children(), None) is None
        and not isinstance(modules[name], nn.modules.conv._ConvNd)  # local by definition
    ]
    guilty = {n for n in layers if _sees_the_end(modules[n], [inputs[n]] * subject.ndim, _LAYER)}
    return _parts(modules, guilty - _idle(subject, size, guilty))


def non_local_blocks(subject: Subject, sizes: Sequence[Size], longer: Size) -> tuple[Part, ...]:
    """Find the smallest modules of a non-local network that see the whole image.

    For networks whose layers are all local: what is then in the way stands in a
    ``forward``. Parts with several inputs are judged by what holds them.

    Parameters
    ----------
    subject
        The network.
    sizes
        Per axis a legal input size in pixels, to judge parts along that axis: small on the others,
        or volumes take minutes.
    longer
        Per axis a larger legal size along that axis.
    """
    modules = dict(subject.module.named_modules())
    inputs = [
        _inputs(subject, size, axis, more)
        for axis, (size, more) in enumerate(zip(sizes, longer, strict=True))
    ]
    common = set.intersection(*map(set, inputs))
    guilty = _smallest(modules, {name: [given[name] for given in inputs] for name in common}, "")
    return _parts(modules, guilty or {""})


def _smallest(
    modules: dict[str, nn.Module], inputs: dict[str, list[Tensor]], outer: str
) -> set[str]:
    """Return the smallest parts inside one that see the whole image.

    What is local is not opened: nothing inside is to blame.
    """
    found: set[str] = set()
    for child, module in modules[outer].named_children():
        name = f"{outer}.{child}" if outer else child
        sees = _sees_the_end(module, inputs[name], _BLOCK) if name in inputs else None
        if sees is not False and name in modules:
            found |= _smallest(modules, inputs, name) or ({name} if sees else set())
    return found


def _idle(subject: Subject, size: Size, names: Collection[str]) -> set[str]:
    """Return the parts that the first output of a network does not need."""
    modules = dict(subject.module.named_modules())
    image = subject.noise(size).requires_grad_()
    answers: dict[str, Tensor] = {}
    try:
        with (
            hooked(modules[n].register_forward_hook(_keeper(n, answers)) for n in names),
            torch.enable_grad(),
        ):
            output = first_tensor(subject.module(image))
            kept = list(answers)
            slopes = torch.autograd.grad(
                output.sum(), [answers[n] for n in kept], allow_unused=True
            )
    # A foreign network may raise anything where slopes are kept, and torch where it has no graph:
    # then each part counts as needed, as all did before they were asked.
    except Exception:
        return set()
    unused = {name for name, slope in zip(kept, slopes, strict=True) if slope is None}
    # A graph may be broken where a part is needed all the same.
    return {name for name in unused if not _is_felt(subject, size, modules[name])}


def _keeper(name: str, answers: dict[str, Tensor]) -> Any:
    def keep(_module: nn.Module, _inputs: tuple[Any, ...], answer: Any) -> None:
        if isinstance(answer, Tensor) and answer.requires_grad:
            answers.setdefault(name, answer)

    return keep


def _is_felt(subject: Subject, size: Size, module: nn.Module) -> bool:
    """Whether the output changes with anything that a part may answer; in doubt it does."""
    image = subject.noise(size)
    before = subject(image)
    for value in (*_ANSWERS, None):

        def other(
            _module: nn.Module, _inputs: Any, answer: Any, value: float | None = value
        ) -> Any:
            if not isinstance(answer, Tensor):
                return answer
            return answer.flip(-1) * 7 - 3 if value is None else torch.full_like(answer, value)

        try:
            with hooked([module.register_forward_hook(other)]):
                after = subject(image)
        except ShiftSegError:  # it makes no image of such an answer
            return True
        if not torch.equal(before, after):
            return True
    return False


def _parts(modules: dict[str, nn.Module], names: Iterable[str]) -> tuple[Part, ...]:
    wanted = set(names)
    return tuple(Part(n, type(m).__name__) for n, m in modules.items() if n in wanted)


def _inputs(subject: Subject, size: Size, axis: int, longer: int) -> dict[str, Tensor]:
    """Return what each part is given whose input has the image's axes.

    It grows along the same axis as the image, and along no other: not a table of pairs, as
    attention has.
    """
    given = _given(subject, size)
    larger = _given(subject, (*size[:axis], longer, *size[axis + 1 :]))
    return {
        name: tensor
        for name, tensor in given.items()
        if name in larger and _grown(tensor, larger[name]) == [axis]
    }


def _grown(tensor: Tensor, larger: Tensor) -> list[int]:
    pairs = zip(tensor.shape[2:], larger.shape[2:], strict=True)
    return [axis for axis, (before, after) in enumerate(pairs) if after != before]


def _given(subject: Subject, size: Size) -> dict[str, Tensor]:
    """Return what each part with one input of the image's number of axes is given."""
    given: dict[str, Tensor] = {}
    with hooked(
        module.register_forward_pre_hook(_recorder(name, subject.ndim + 2, given))
        for name, module in subject.module.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)  # TorchScript takes no hooks
    ):
        subject(subject.noise(size))
    return given


def _recorder(name: str, dims: int, given: dict[str, Tensor]) -> Any:
    def record(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if len(inputs) == 1 and isinstance(inputs[0], Tensor) and inputs[0].ndim == dims:
            given.setdefault(name, inputs[0].detach().clone())

    return record


def _sees_the_end(module: nn.Module, given: Sequence[Tensor], times: int) -> bool | None:
    """Whether the first pixels change when the image goes on, along any axis.

    ``given`` is what goes on, per axis. None for a part that cannot be run like that: it is
    judged by what holds it.
    """
    found: list[bool | None] = []
    while True not in found and len(found) < len(given):
        each, axis = given[len(found)], 2 + len(found)
        changes = _changes(module, each, axis, times)
        found.append(changes and not _ends(module, each, axis, times))
    return True if True in found else None if None in found else False


def _ends(module: nn.Module, given: Tensor, axis: int, times: int) -> bool:
    """Whether a part that sees far feels nothing from farther on."""
    pixels = given[0, 0].numel()
    while times * given.shape[axis] < _FAR and 2 * times * pixels <= _MOST:
        times *= 2
        if _changes(module, given, axis, times, _ROUNDING) is False:
            return True
    return False


def _changes(
    module: nn.Module, given: Tensor, axis: int, times: int, tolerance: float = _TOLERANCE
) -> bool | None:
    # What comes at the end differs in mean and spread from all before, or statistics could agree
    # by chance; so they would for what grows evenly without an end.
    each = (*(k % 3 for k in range(times - 1)), 5)
    more = [given.flip(axis) * (k + 2) + k + 1 for k in each]
    image, longer = torch.cat([given, *more[:-1]], axis), torch.cat([given, *more], axis)
    try:
        with torch.no_grad():
            before, after = first_tensor(module(image)), first_tensor(module(longer))
    except Exception:  # it takes no other size
        return None
    if before.shape == after.shape:
        return not torch.equal(before, after)
    if before.ndim != given.ndim or before.shape[axis] < times:
        return None
    first = before.shape[axis] // times
    near, now = before.narrow(axis, 0, first), after.narrow(axis, 0, first)
    if near.shape != now.shape:
        return None
    # Not "larger than": NaN is no answer of a part that is local.
    return not bool((near - now).abs().max() <= tolerance * near.abs().max())
