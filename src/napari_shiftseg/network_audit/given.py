"""Whether a network and an image are those that an audit is of."""

from __future__ import annotations

from typing import Any

from torch import nn

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.image.array import as_array
from napari_shiftseg.network_audit.audit import Audit
from napari_shiftseg.network_audit.subject import module_of
from napari_shiftseg.network_audit.verdict import other_scale


def audited(network: nn.Module | Model, audit: Audit) -> nn.Module:
    """Return the module of an audited network.

    Raises
    ------
    ShiftSegError
        If it is another network than the audited one, or in another mode.
    """
    if not isinstance(audit, Audit):
        raise ShiftSegError(f"the audit is a {type(audit).__name__}; legal: what audit() returns")
    module = module_of(network)
    audit.layout.refuse_another(module, audit.name)
    return module


def rescaled(audit: Audit) -> str | None:
    """Say why tiles are neither stitched nor compared if the output has another scale."""
    scale = other_scale(audit)
    if scale is None:
        return None
    return f"the output has {scale}; tiles are stitched and compared where it has the image's"


def checked_image(image: Any, audit: Audit) -> Any:
    """Return an image ``(C, *spatial)`` as what slices like an array; nothing is read.

    Raises
    ------
    ShiftSegError
        If it has other axes or channels than the network takes, or no real numbers.
    """
    image = as_array(image)
    if image.ndim != audit.ndim + 1 or image.shape[0] != audit.in_channels:
        raise ShiftSegError(
            f"the image has the shape {tuple(image.shape)}; the network takes {audit.in_channels} "
            f"channels, first, and {audit.ndim} axes"
        )
    if image.dtype.kind not in "biuf":
        raise ShiftSegError(f"the image holds {image.dtype}; legal: real numbers")
    return image
