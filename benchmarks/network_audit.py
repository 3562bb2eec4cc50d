"""Seconds that an audit takes, for networks of MONAI's library in 2-D and 3-D.

Usage: python benchmarks/network_audit.py [--ndim 2 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from monai.networks.nets import AttentionUnet, BasicUNet, DynUNet, SegResNet, SwinUNETR, UNet

from napari_shiftseg import audit, load_model

FORMS: dict[str, Any] = {
    "UNet": lambda d: UNet(d, 1, 2, channels=(16, 32, 64, 128), strides=(2, 2, 2), num_res_units=2),
    "UNet, batch norm": lambda d: UNet(
        d, 1, 2, channels=(16, 32, 64, 128), strides=(2, 2, 2), norm="batch"
    ),
    "BasicUNet": lambda d: BasicUNet(d, 1, 2, features=(16, 16, 32, 64, 128, 16)),
    "SegResNet": lambda d: SegResNet(d, init_filters=8, in_channels=1, out_channels=2),
    "DynUNet": lambda d: DynUNet(
        d, 1, 2, [3, 3, 3], strides=[1, 2, 2], upsample_kernel_size=[2, 2]
    ),
    "AttentionUnet": lambda d: AttentionUnet(d, 1, 2, channels=(16, 32, 64), strides=(2, 2)),
    "SwinUNETR": lambda d: SwinUNETR(1, 2, feature_size=12, spatial_dims=d),
}


def main() -> None:
    """Audit each network and print what was found and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ndim", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    networks = [("nuclei-2d", 2, load_model("nuclei-2d").network)]
    networks += [(name, d, form(d)) for d in options.ndim for name, form in FORMS.items()]
    rows = []
    print(f"{torch.get_num_threads()} threads")
    for name, ndim, network in networks:
        found = audit(network.eval(), ndim=ndim)
        rows.append({"name": name, "ndim": ndim, **found.to_dict()})
        print(
            f"{name:<18}{ndim}-D {found.seconds:6.1f} s  period {found.period}  "
            f"field {found.receptive_field[0]}  exact {found.exact_tiling}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
