"""Operations in recorded networks (TorchScript, torch.export) that look at a whole image.

Recorded networks have no modules to run alone: their graph is read instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from napari_shiftseg.network_audit.filled import FilledOutput
from napari_shiftseg.network_audit.locality import Part

_SUSPECTS = (
    "instance_norm",
    "group_norm",
    "batch_norm",
    "layer_norm",
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "scaled_dot_product_attention",
    "softmax",
    "mean",
)

_UPSAMPLE_SIZE = 1
"""Argument that is None where it enlarges by a factor, which is local."""

_BATCH_NORM_TRAINING = 5
"""Argument that is False where the statistics are those of training."""


def suspicious_operations(module: nn.Module) -> tuple[Part, ...]:
    """Return the operations of a recorded network that can see the whole image, by kind.

    Empty for a network that is not recorded.
    """
    kinds = {kind for kind, given in _operations(module) if _sees_all(kind, given)}
    return tuple(Part("", kind) for kind in sorted(kinds))


def _sees_all(kind: str, given: Sequence[Any]) -> bool:
    if "upsample" in kind:
        return given[_UPSAMPLE_SIZE] is not None
    if "batch_norm" in kind and len(given) > _BATCH_NORM_TRAINING:
        return given[_BATCH_NORM_TRAINING] is not False
    return any(suspect in kind for suspect in _SUSPECTS)


def _operations(module: nn.Module) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield kind and arguments of each operation; what is no constant is anything but one."""
    if isinstance(module, FilledOutput):
        yield from _operations(module.network)
    if isinstance(module, torch.jit.ScriptModule):
        yield from _scripted(module.inlined_graph)
    if isinstance(module, torch.fx.GraphModule):
        for node in module.graph.nodes:
            if node.op == "call_function":
                yield str(node.target), node.args


def _scripted(block: Any) -> Iterator[tuple[str, Sequence[Any]]]:
    for node in block.nodes():
        yield node.kind(), [_constant(value) for value in node.inputs()]
        for inner in node.blocks():  # of a condition or a loop
            yield from _scripted(inner)


def _constant(value: Any) -> Any:
    if value.type().kind() == "NoneType":
        return None
    return value if (known := value.toIValue()) is None else known
