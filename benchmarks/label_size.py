"""``shiftseg check`` and ``repair`` of labels of growing size: time and peak memory.

Usage: python benchmarks/label_size.py [--sizes 4096 8192 16384] [--tile N] [--json FILE]

The labels are the masks of the bundled nuclei, repeated, cut along a grid, and stored as OME-Zarr.
Each command is a process of its own; ``watched.py`` says what its peak memory is.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from watched import watched

from napari_shiftseg.image.files import write_labels
from napari_shiftseg.samples import load_sample


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 8192, 16384])
    parser.add_argument("--tile", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        rows.append(run(size, options.tile))
        print("{size} px, {objects} objects: check {check_s:.1f} s and {check_mb:.0f} MB, tiles of "
              "{tile} px found, {pairs} cut pairs; repair {repair_s:.1f} s and {repair_mb:.0f} MB"
              .format(**rows[-1]), flush=True)  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def run(size: int, tile: int) -> dict[str, Any]:
    """Check and repair one mosaic, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        cut, mended = Path(folder, "cut.ome.zarr"), Path(folder, "mended.ome.zarr")
        write_labels(cut, cut_mosaic(size, tile), axes="yx")
        check = watched("check", cut, "--json", "-")
        repair = watched("repair", cut, "-o", mended)
    found = json.loads(check.out)
    return {
        "size": size,
        "objects": found["objects"],
        "tile": found["tile"][0],
        "pairs": len(found["splits"]),
        "check_s": check.seconds,
        "check_mb": check.peak / 1e6,
        "repair_s": repair.seconds,
        "repair_mb": repair.peak / 1e6,
    }


def cut_mosaic(size: int, tile: int) -> Any:
    """Repeat the masks, each with labels of its own, and cut them into square tiles."""
    field = load_sample("nuclei").truth.astype(np.uint32)
    masks = int(field.max())

    def block(block_info: Any) -> np.ndarray[Any, Any]:
        places = [np.arange(start, stop) for start, stop in block_info[None]["array-location"]]
        (row, y), (column, x) = (
            np.divmod(place, edge) for place, edge in zip(places, field.shape, strict=True)
        )
        labels = field[np.ix_(y, x)]
        copy = row[:, None] * -(-size // field.shape[1]) + column
        quarter = 2 * (places[0] // tile % 2)[:, None] + places[1] // tile % 2
        return np.where(labels > 0, 4 * (labels + masks * copy) + quarter, 0).astype(np.uint32)

    return da.map_blocks(
        block, chunks=da.core.normalize_chunks(1024, (size, size)), dtype=np.uint32
    )


if __name__ == "__main__":
    main()
