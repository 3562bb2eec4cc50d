"""Divide every image of a data pack in two along its last axis: one part to train, one to test.

Usage: python scripts/split_pack.py PACK TRAIN_FOLDER TEST_FOLDER [--share 0.6]

For packs of so few images that none can be held out as a whole.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile

from napari_shiftseg.image.packs import read_pack


def main() -> None:
    """Write both packs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--share", type=float, default=0.6)
    options = parser.parse_args()
    for pair in read_pack(options.pack):
        ndim, cut = pair.mask.ndim, round(options.share * pair.mask.shape[-1])
        before = () if pair.image.shape[:ndim] == pair.mask.shape else (slice(None),)  # channels
        for folder, part in ((options.train, slice(0, cut)), (options.test, slice(cut, None))):
            along = (*[slice(None)] * (ndim - 1), part)
            for kind, pixels in (
                ("images", pair.image[(*before, *along)]),
                ("masks", pair.mask[along]),
            ):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                path = folder / kind / f"{pair.name}.tif"
                tifffile.imwrite(path, np.ascontiguousarray(pixels))


if __name__ == "__main__":
    main()
