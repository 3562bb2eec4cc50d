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
        cut = round(options.share * pair.mask.shape[-1])
        for folder, part in ((options.train, slice(0, cut)), (options.test, slice(cut, None))):
            for kind, pixels in (("images", pair.image), ("masks", pair.mask)):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                path = folder / kind / f"{pair.name}.tif"
                tifffile.imwrite(path, np.ascontiguousarray(pixels[..., part]))


if __name__ == "__main__":
    main()
