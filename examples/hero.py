"""Real nuclei, stitched naively and correctly: the picture at the top of the README.

The part shown is the one whose seams cut most objects; the counts are of the whole image.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from skimage.segmentation import find_boundaries

import napari_shiftseg as ss
from napari_shiftseg.samples import load_sample
from pictures import folder_of_pictures

MODEL, TILE, SIDE = "nuclei-2d-same", 100, 200
PAPER, RING, SEAM = "#14161a", "#ff4b3e", "#7fd3ff"


def worst_part(report: ss.SeamReport, size: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the square that holds most cuts, as slices ``(y, x)``."""
    cuts = np.array([split.position for split in report.splits])
    corners = [np.clip(centre.astype(int) - SIDE // 2, 0, np.array(size) - SIDE) for centre in cuts]
    held = [((cuts >= c + 8) & (cuts < c + SIDE - 8)).all(1).sum() for c in corners]
    return tuple(slice(c, c + SIDE) for c in corners[int(np.argmax(held))])


def draw(axis: Axes, image: np.ndarray, result: ss.Segmentation, part: tuple[slice, ...]) -> None:
    """Show image, coloured objects and seams of a part."""
    grey = np.clip(image / np.percentile(image, 99.8), 0, 1)[part] ** 0.6
    labels = result.labels[part]
    colours = plt.get_cmap("Set2")(labels * 5 % 8)[..., :3]
    shown = np.where(
        (labels > 0)[..., None], 0.45 * grey[..., None] + 0.55 * colours, grey[..., None]
    )
    shown[find_boundaries(labels, mode="inner")] = 1
    axis.imshow(shown, interpolation="nearest")
    for line, along, seams in zip(
        (axis.axhline, axis.axvline), part, result.plan.seams, strict=True
    ):
        for seam in seams:
            if along.start < seam < along.stop:
                line(seam - along.start - 0.5, color=SEAM, linewidth=1, linestyle=(0, (4, 4)))
    axis.axis("off")


def main() -> None:
    """Draw naive beside corrected, and print what the seams cut."""
    path = folder_of_pictures(__doc__) / "hero.png"
    sample = load_sample("nuclei")
    found = ss.compare(sample.image, MODEL, truth=sample.truth, tile=TILE)
    objects = len(np.unique(sample.truth)) - 1
    part = worst_part(found.reports["naive"], sample.image.shape)
    figure, axes = plt.subplots(1, 2, figsize=(10, 5.5), layout="constrained", facecolor=PAPER)
    for axis, mode in zip(axes, ("naive", "corrected"), strict=True):
        report = found.reports[mode]
        draw(axis, sample.image, found.results[mode], part)
        for split in report.splits:
            y, x = (p - s.start for p, s in zip(split.position, part, strict=True))
            if 0 < y < SIDE and 0 < x < SIDE:
                axis.add_patch(Circle((x, y), 13, fill=False, color=RING, linewidth=2.5))
        tile = report.tile_size[0]
        text = f"{mode}: tiles of {tile} px, {report.seam_splits} of {objects} objects cut"
        axis.set_title(text, color="white", fontsize=14, pad=8)
        print(text)
    figure.savefig(path, dpi=160, facecolor=PAPER, bbox_inches="tight", pad_inches=0.1)
    print(path)


if __name__ == "__main__":
    main()
