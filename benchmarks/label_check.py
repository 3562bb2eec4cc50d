"""How often the check of finished labels is right: grids, cut pairs, and the repair.

Usage: SHIFTSEG_DATA=FOLDER python benchmarks/label_check.py [--parts PART ...] [--masks N]
[--images N] [--model NAME] [--tile N] [--squidpy PYTHON] [--json FILE]

``masks``: ground-truth masks of DSB2018 and BBBC039, as they are and cut along a random grid.
``predicted``: the model's labels against those of corrected stitching, with and without a look at
the image. Tiles *alone* were segmented each as an image of its own, as programs do that know
nothing of stitching; tiles *numbered alone* have the seamless output of the network, and only the
objects of each were found on its own. Two pieces are a cut pair if they are mostly of one object
of the corrected labels; AP is against the truth. ``alarms``: grids reported where none is,
also in neurites (slices of FIB-SEM) and in the bounding boxes of real nuclei. ``pieces``: which
objects are called cut, beside squidpy's ``calculate_tiling_qc`` if a Python that has it is given:
its outliers by default, and by the score of the cell alone. It knows neither grid nor pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_shiftseg.embeddings.model import Model, load_model
from napari_shiftseg.image.packs import Pair, read_pack
from napari_shiftseg.labels.cluster import cluster
from napari_shiftseg.pipeline import Segmentation, segment
from napari_shiftseg.seams.contacts import Contacts
from napari_shiftseg.seams.matching import MatchCounts, Overlap
from napari_shiftseg.seams.mend import joined, mend
from napari_shiftseg.seams.repair import CONFIDENT, repair_labels
from napari_shiftseg.seams.straight import LabelCheck, check_labels

Labels = NDArray[np.int64]

PACKS = {
    "DSB2018 test": "dsb2018_fluo/dsb2018_fluo_test.zip",
    "DSB2018 train": "dsb2018_fluo/dsb2018_fluo_train.zip",
    "BBBC039": "bbbc039/bbbc039_train.zip",
}
PREDICTED = ("DSB2018 test", "BBBC039")
NEURITES = "fibsem_medulla/fibsem_medulla_train.zip"

ENOUGH = 5
"""Cut objects from which on a grid should be found."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--masks", type=int, default=None, help="of each pack; all by default")
    parser.add_argument("--images", type=int, default=20, help="to predict, of each pack")
    parser.add_argument("--model", default="nuclei-2d")
    parser.add_argument("--tile", type=int, default=100, help="of the predictions")
    parser.add_argument("--squidpy", help="a Python that has squidpy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for part in options.parts:
        for name, values in MEASURES[part](Path(os.environ["SHIFTSEG_DATA"]), options):
            results.setdefault(part, {})[name] = values
            lines = (f"    {key}: {value}" for key, value in values.items())
            print(f"{part}, {name}:", *lines, sep="\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


Measured = Iterator[tuple[str, dict[str, Any]]]


def masks(data: Path, options: argparse.Namespace) -> Measured:
    """Check masks of each pack, as they are and cut."""
    for name, pack in PACKS.items():
        rng = np.random.default_rng(options.seed)
        rows = [of_mask(p.mask, rng) for p in islice(read_pack(data / pack), options.masks)]
        yield name, summary(rows)


def alarms(data: Path, options: argparse.Namespace) -> Measured:
    """Check what no grid has cut, and has straight sides."""
    for name, pack in PACKS.items():
        pairs = islice(read_pack(data / pack), options.masks)
        yield f"boxes of {name}", reported(boxes(p.mask) for p in pairs)
    (volume,) = (pair.mask for pair in read_pack(data / NEURITES))
    yield "neurites, slices", reported(slices(volume))
    yield "neurites, volume", reported([volume])


def pieces(data: Path, options: argparse.Namespace) -> Measured:
    """Compare with squidpy."""
    for name in PREDICTED if options.squidpy else ():
        pairs = islice(read_pack(data / PACKS[name]), options.images)
        yield name, beside_squidpy(pairs, options.squidpy, options.seed)


def predicted(data: Path, options: argparse.Namespace) -> Measured:
    """Check a model's labels."""
    model = load_model(options.model)
    for name in PREDICTED:
        rows: dict[str, list[dict[str, Any]]] = {}
        for pair in islice(read_pack(data / PACKS[name]), options.images):
            for way, row in of_image(pair, model, options.tile):
                rows.setdefault(way, []).append(row)
        for way, measured_rows in rows.items():
            yield f"{name}, {way}", summary(measured_rows)


MEASURES: dict[str, Callable[[Path, argparse.Namespace], Measured]] = {
    "masks": masks,
    "alarms": alarms,
    "pieces": pieces,
    "predicted": predicted,
}


def of_mask(mask: NDArray[Any], rng: np.random.Generator) -> dict[str, Any]:
    """Check a mask as it is, and cut along a random grid."""
    whole = mask.astype(np.int64)
    tile, offset = any_grid(mask.shape, rng)
    pieces = cut(whole, tile, offset)
    row = measured(pieces, whole, whole, tile, offset)
    return row | {"alarm": check_labels(whole).found}


def any_grid(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Draw tile size and offset: half of the grids start at the first pixel."""
    moved = rng.random() < 0.5
    # A moved grid of one line is the same as one that starts at the first pixel.
    largest = min(shape) // (3 if moved else 2)
    tile = int(rng.integers(32, max(33, min(256, largest)) + 1))
    return tile, int(rng.integers(1, tile)) if moved else 0


def of_image(pair: Pair, model: Model, tile: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Check labels whose objects were found tile by tile, and the corrected ones."""
    whole = segment(pair.image, model, stitch="corrected")
    corrected = whole.labels.astype(np.int64)
    always = {
        "alarm": check_labels(corrected).found,
        "corrected": Overlap.of(pair.mask, corrected),
    }
    ways = {"tiles alone": alone(pair.image, model), "tiles numbered alone": numbered_alone(whole)}
    for way, labels_of in ways.items():
        pieces = tile_by_tile(labels_of, corrected.shape, tile)
        all_mended = mend(pieces, joined(cut_pairs(pieces, mostly(pieces, corrected), tile, 0)))
        for name, image in ((way, None), (f"{way}, with the image", channels(pair))):
            row = measured(pieces, corrected, pair.mask, tile, 0, image)
            yield name, row | always | {"if all were mended": Overlap.of(pair.mask, all_mended)}


LabelsOf = Callable[[tuple[slice, ...]], NDArray[Any]]


def alone(image: NDArray[Any], model: Model) -> LabelsOf:
    """Segment a tile as an image of its own."""
    return lambda part: segment(image[part], model, stitch="corrected").labels


def numbered_alone(whole: Segmentation) -> LabelsOf:
    """Find the objects of a tile in the output of the whole image."""
    embedding, foreground = whole.prediction.embedding, whole.prediction.foreground
    assert foreground is not None
    return lambda part: cluster(embedding[:, *part], foreground[part], whole.clustering)


def tile_by_tile(labels_of: LabelsOf, shape: tuple[int, ...], tile: int) -> Labels:
    """Give the objects of all tiles numbers."""
    labels = np.zeros(shape, np.int64)
    for y in range(0, shape[0], tile):
        for x in range(0, shape[1], tile):
            part = (slice(y, y + tile), slice(x, x + tile))
            found = labels_of(part)
            labels[part] = np.where(found > 0, found + labels.max(), 0)
    return labels


def channels(pair: Pair) -> NDArray[Any]:
    """Put the channels of an image first, if it has any."""
    return pair.image if pair.image.ndim == pair.mask.ndim else np.moveaxis(pair.image, -1, 0)


def cut(labels: Labels, tile: int, offset: int) -> Labels:
    """Give the parts of an object in different tiles numbers of their own."""
    rows, columns = ((np.arange(n) - offset) // tile + 1 for n in labels.shape)
    cell = rows[:, None] * 10_000 + columns
    inside = labels > 0
    pieces = np.zeros(labels.shape, np.int64)
    both = np.stack([labels[inside], cell[inside]], axis=1)
    pieces[inside] = np.unique(both, axis=0, return_inverse=True)[1].ravel() + 1
    return pieces


def measured(
    pieces: Labels,
    whole: Labels,
    truth: NDArray[Any],
    tile: int,
    offset: int,
    image: NDArray[Any] | None = None,
) -> dict[str, Any]:
    """Check pieces of which it is known what they are pieces of."""
    start = time.perf_counter()
    check = check_labels(pieces, image=image)
    seconds = time.perf_counter() - start
    repaired, _ = repair_labels(pieces, check)
    known, _ = repair_labels(pieces, check_labels(pieces, tile, offset, image=image))
    owner = mostly(pieces, whole)
    pairs = cut_pairs(pieces, owner, tile, offset)
    return {
        "exact": check.tile == (tile, tile) and check.offset == (offset, offset),
        "objects": len(set(pairs.values())),
        "hits": hits(check, pairs, owner, 0.0),
        "mended": hits(check, pairs, owner, CONFIDENT),
        "before": Overlap.of(truth, pieces),
        "after": Overlap.of(truth, repaired),
        "after, grid known": Overlap.of(truth, known),
        "seconds": seconds,
        "wanted": (tile, offset),
        "got": (check.tile, check.offset, check.p_value),
    }


def cut_pairs(
    pieces: Labels, owner: dict[int, int], tile: int, offset: int
) -> dict[tuple[int, int], int]:
    """Pairs of pieces that touch across the grid and belong mostly to one object: that object."""
    contacts = Contacts.of(pieces)
    across = contacts[contacts.position % tile == offset]
    pairs = {(int(a), int(b)) for a, b in across.pairs}
    return {p: owner[p[0]] for p in pairs if owner[p[0]] == owner[p[1]] != 0}


def mostly(pieces: Labels, whole: Labels) -> dict[int, int]:
    """Of each piece, the object that most of its pixels lie in."""
    both, counts = np.unique(np.stack([pieces.ravel(), whole.ravel()]), axis=1, return_counts=True)
    order = np.argsort(counts)
    return dict(zip(both[0, order].tolist(), both[1, order].tolist(), strict=True))


def hits(
    check: LabelCheck, pairs: dict[Any, int], owner: dict[int, int], confidence: float
) -> tuple[int, int, int]:
    """Count pairs that were found rightly, that were found, and that there are.

    Two pieces of background that the model took for an object are nobody's, and left out.
    """
    sure = (cut.labels for cut in check.splits if cut.confidence >= confidence)
    found = {both for both in sure if any(owner[label] for label in both)}
    return len(found & pairs.keys()), len(found), len(pairs)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Pool what was measured over images with enough cut objects, alarms over all."""
    enough = [row for row in rows if row["objects"] >= ENOUGH]
    values: dict[str, Any] = {
        "images": len(rows),
        f"with >= {ENOUGH} cut objects": len(enough),
        "grid exact": exact(enough),
        "from the first pixel": exact([row for row in enough if not row["wanted"][1]]),
        "from elsewhere": exact([row for row in enough if row["wanted"][1]]),
        "false alarms": share(sum(row["alarm"] for row in rows), len(rows)),
    }
    for kind in ("hits", "mended"):
        right, found, there = (sum(row[kind][k] for row in enough) for k in range(3))
        values |= {
            f"{kind}: precision": share(right, found),
            f"{kind}: recall": share(right, there),
        }
    for kind in ("before", "after", "after, grid known", "if all were mended", "corrected"):
        if kind in rows[0]:
            values[f"AP 0.5 {kind}"] = pooled_ap([row[kind] for row in enough])
            values[f"AP 0.5 {kind}, all images"] = pooled_ap([row[kind] for row in rows])
    values["seconds, median"] = round(float(np.median([row["seconds"] for row in rows])), 2)
    values["missed"] = [(r["wanted"], r["got"], r["objects"]) for r in enough if not r["exact"]]
    return values


def exact(rows: list[dict[str, Any]]) -> float | None:
    """Share of grids whose tile size and offset are found to the pixel."""
    return share(sum(row["exact"] for row in rows), len(rows))


def share(part: int, of: int) -> float | None:
    """Divide, None where there is nothing."""
    return round(part / of, 4) if of else None


def pooled_ap(overlaps: list[Overlap]) -> float:
    """AP at IoU 0.5 over all images."""
    counts = MatchCounts()
    for overlap in overlaps:
        counts.add(overlap)
    return round(counts.average_precision(0.5), 4)


def reported(images: Iterable[NDArray[Any]]) -> dict[str, Any]:
    """Count grids that are reported."""
    found = [check_labels(labels) for labels in images]
    return {
        "images": len(found),
        "false alarms": share(sum(check.found for check in found), len(found)),
        "grids": [(c.tile, c.offset, c.p_value) for c in found if c.found],
    }


def boxes(mask: NDArray[Any]) -> Labels:
    """Draw the bounding box of every object; a later one covers an earlier one."""
    drawn = np.zeros(mask.shape, np.int64)
    for number, box in enumerate(find_objects(mask), start=1):
        if box is not None:
            drawn[box] = number
    return drawn


def beside_squidpy(pairs: Iterator[Pair], python: str, seed: int) -> dict[str, Any]:
    """Count the pieces that are called cut, rightly and wrongly, by both programs."""
    rng = np.random.default_rng(seed)
    images, answers = [], []
    for pair in pairs:
        whole = pair.mask.astype(np.int64)
        tile, offset = any_grid(whole.shape, rng)
        pieces = cut(whole, tile, offset)
        owner = mostly(pieces, whole)
        true = {label for both in cut_pairs(pieces, owner, tile, offset) for label in both}
        images += [pieces, whole]
        answers += [true, set()]
    values: dict[str, Any] = {"images": len(answers) // 2}
    called = {"check": [called_cut(labels) for labels in images]}
    others, failures = outliers(images, python)
    called |= others
    values |= {f"{name}: images it fails on": count for name, count in failures.items()}
    for name, sets in called.items():
        values |= {f"{name}: {k}": v for k, v in called_rightly(sets, answers, images).items()}
    return values


def called_cut(labels: Labels) -> set[int]:
    """Objects that the check lists."""
    check = check_labels(labels)
    pairs = {label for one in check.splits for label in one.labels}
    return pairs | {one.label for one in check.one_sided}


def outliers(images: list[Labels], python: str) -> tuple[dict[str, list[set[int]]], dict[str, int]]:
    """Ask squidpy, in its own Python; what it fails on has no outliers, and is counted."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        np.savez(path / "images.npz", *images)
        (path / "ask.py").write_text(_ASK_SQUIDPY)
        own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        quiet: dict[str, Any] = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        subprocess.run([python, "ask.py"], cwd=path, env=own, check=True, **quiet)
        answers = json.loads((path / "outliers.json").read_text())
    found = {name: [set(labels or ()) for labels in each] for name, each in answers.items()}
    return found, {name: each.count(None) for name, each in answers.items()}


_ASK_SQUIDPY = """
import json
import numpy as np
import spatialdata
from spatialdata.models import Labels2DModel
from squidpy.experimental.tl import calculate_tiling_qc

ways = {"squidpy": {}, "squidpy, cell alone": {"outlier_use_smoothed": False}}
found = {way: [] for way in ways}
images = np.load("images.npz")
for name in images.files:
    labels = Labels2DModel.parse(images[name].astype("int32"), dims=("y", "x"))
    data = spatialdata.SpatialData(labels={"labels": labels})
    for way, options in ways.items():
        try:
            table = calculate_tiling_qc(data, labels_key="labels", inplace=False, **options).obs
            found[way].append(table.label_id[table.is_outlier].astype(int).tolist())
        except Exception:  # whatever it raises on labels that it cannot judge
            found[way].append(None)
json.dump(found, open("outliers.json", "w"))
"""


def called_rightly(
    called: list[set[int]], answers: list[set[int]], images: list[Labels]
) -> dict[str, Any]:
    """Precision and recall on cut masks; share of objects called cut in masks as they are."""
    right = sum(len(c & a) for c, a in zip(called[::2], answers[::2], strict=True))
    wrong = sum(len(c) for c in called[1::2])
    objects = sum(len(np.unique(labels)) - 1 for labels in images[1::2])
    return {
        "precision": share(right, sum(map(len, called[::2]))),
        "recall": share(right, sum(map(len, answers[::2]))),
        "called cut in uncut masks": share(wrong, objects),
    }


def slices(volume: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Every tenth slice along every axis."""
    for axis in range(volume.ndim):
        yield from np.moveaxis(volume, axis, 0)[::10]


if __name__ == "__main__":
    main()
