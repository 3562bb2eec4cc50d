"""Operations in recorded networks (TorchScript, torch.export) that look at a whole image.

Recorded networks have no modules to run alone: their graph is read instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

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
    "upsample",
)


def suspicious_operations(module: nn.Module) -> tuple[Part, ...]:
    """Return the operations of a recorded network that can see the whole image, by kind.

    Empty for a network that is not recorded.
    """
    kinds = sorted({name for name in _operations(module) if any(s in name for s in _SUSPECTS)})
    return tuple(Part("", kind) for kind in kinds)


def _operations(module: nn.Module) -> Iterator[str]:
    if isinstance(module, torch.jit.ScriptModule):
        for node in module.inlined_graph.nodes():
            yield node.kind()
    if isinstance(module, torch.fx.GraphModule):
        for node in module.graph.nodes:
            if node.op == "call_function":
                yield str(node.target)
