"""The geometry of a network that was measured instead of described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_shiftseg.tiles.geometry import Size, TilingGeometry


@dataclass(frozen=True)
class MeasuredGeometry(TilingGeometry):
    """Sizes of any network, per spatial axis in pixels.

    Parameters
    ----------
    period, context, receptive_field, min_input_size, input_step
        See :class:`TilingGeometry`.
    padding
        ``"valid"`` or ``"same"`` (padding of any kind inside of the network).
    """

    period: Size
    context: Size
    receptive_field: Size
    min_input_size: Size
    input_step: Size
    padding: Literal["valid", "same"]
