"""Networks that pad, and put out less than they read all the same, made such that can be tiled."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.network_audit.subject import copy_of, first_tensor, module_of


class FilledOutput(nn.Module):
    """A network whose output has the size of its input.

    Parameters
    ----------
    network
        Its own output lies in the middle.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.training = getattr(network, "training", False)  # a frozen TorchScript has none

    def __deepcopy__(self, memo: dict[int, Any]) -> FilledOutput:
        """Copy the network as others are copied, TorchScript too."""
        return FilledOutput(copy_of(self.network))

    def forward(self, images: Tensor) -> Tensor:
        """Map ``(B, C, *spatial)`` to ``(B, K, *spatial)``."""
        output = first_tensor(self.network(images))
        lacking = [n - m for n, m in zip(images.shape[2:], output.shape[2:], strict=True)]
        if min(lacking) < 0:
            raise ShiftSegError(f"its output is {-min(lacking)} px larger than its input")
        around = [pixels for n in reversed(lacking) for pixels in (n // 2, n - n // 2)]
        return F.pad(output, around)


def fill_output(network: Any) -> nn.Module:
    """Fill a network's output up with zeros to the size of its input.

    A network may lose pixels to valid convolutions and yet look beyond its border, as bilinear
    upsampling does: its tiles then differ from the whole image near their own borders. Filled
    up it is a padded network, which :func:`audit`, :func:`diagnose` and :func:`predict_exactly`
    take, with the halo that it needs; the rim of the output is 0.

    Parameters
    ----------
    network
        A module, or a loaded model; it is not changed, and shares its weights.

    Returns
    -------
    torch.nn.Module
        From ``(B, C, *spatial)`` to ``(B, K, *spatial)``.

    Raises
    ------
    ShiftSegError
        If it is no network.

    References
    ----------
    Beyond the paper, whose networks pad everywhere or nowhere (Rumberger et al., ICCV 2021,
    Sec. 3.2).
    """
    return FilledOutput(module_of(network))
