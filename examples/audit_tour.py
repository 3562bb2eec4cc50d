"""Audit a bundled model and tile an image every way, in a real napari window, and photograph it.

It needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/audit_tour.py docs/images
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import napari

from gaps import Gaps
from napari_shiftseg.samples import load_sample
from pictures import folder_of_pictures
from stage import first_day, open_dock, settle, shoot, wait_until

if TYPE_CHECKING:  # what the form loads is loaded, and timed, when its dock opens
    from napari_shiftseg._napari.audit.widget import AuditWidget

PATIENCE = 300
"""Seconds to wait for an audit."""


def main() -> None:
    """Audit in both themes, print how long the window did not answer."""
    folder = folder_of_pictures(__doc__)
    gaps = Gaps()
    with first_day():
        tour(folder, gaps)
    print("\nLongest time that the window did not answer:")
    print(gaps.report())


def tour(folder: Path, gaps: Gaps) -> None:
    """Audit, look at the plots, tile, look at where the worst way differs."""
    viewer = napari.Viewer()
    gaps.watch_canvas(viewer)
    viewer.theme = "dark"
    viewer.window.resize(1280, 860)
    viewer.add_image(
        load_sample("nuclei").image[:300, :400], name="nuclei", contrast_limits=(0, 60)
    )
    widget: AuditWidget = open_dock(viewer, "Audit model", gaps)
    view, control = widget.view, widget.control
    settle()
    viewer.reset_view()
    gaps.begin("audit")
    view.run.run.click()
    wait_until(lambda: not control.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    shoot(viewer, folder / "audit-findings.png")
    view.pages.setCurrentWidget(view.plots)
    in_theme(viewer, folder / "audit-light.png", "light")
    view.pages.setCurrentWidget(view.image)
    settle()
    gaps.begin("draw the period")
    view.image.pattern.setChecked(True)
    settle(0.3)
    gaps.end()
    gaps.begin("tile it every way")
    view.image.run.run.click()
    wait_until(lambda: not control.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    worst = max(control.tiled.rows, key=lambda row: row.total) if control.tiled else None
    number = control.tiled.rows.index(worst) if control.tiled and worst else 0
    gaps.begin("show a difference")
    view.image.table.selectRow(number)
    wait_until(lambda: not control.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    print(view.verdict.text(), view.image.finding.text(), view.image.reason.text(), sep="\n")
    shoot(viewer, folder / "audit.png")
    tour_output(viewer, widget, gaps)
    shoot(viewer, folder / "audit-output.png")
    viewer.close()


def record(file: Path) -> None:
    """Write a network as TorchScript, which other programs do."""
    import torch

    from napari_shiftseg.embeddings.model import load_model

    network = load_model("nuclei-2d-plain").network
    torch.jit.trace(network, torch.zeros(1, 1, 128, 128)).save(str(file))


def tour_output(viewer: napari.Viewer, widget: AuditWidget, gaps: Gaps) -> None:
    """Run a network in a format that says nothing about its channels, and cluster its output."""
    view, control = widget.view, widget.control
    view.image.pattern.setChecked(False)
    control.differences.hide()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "someone's unet.pt"
        record(file)
        view.network.open_file(file)
        view.run.run.click()
        wait_until(lambda: not control.busy, PATIENCE)
    page = view.output
    view.pages.setCurrentWidget(page)
    # As it was trained, which its file does not say.
    page.intensity.setCurrentText("Percentiles")
    gaps.begin("predict")
    page.run.run.click()
    wait_until(lambda: not control.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    page.embedding.setText("0-7")
    page.foreground.setText("8")
    page.logits.setChecked(True)
    gaps.begin("cluster its output")
    page.cluster.click()
    wait_until(lambda: not control.busy, PATIENCE)
    settle(0.3)
    gaps.end()
    print(page.said.text())


def in_theme(viewer: napari.Viewer, path: Path, theme: str) -> None:
    """Save a picture in another theme than the dark one."""
    viewer.theme = theme
    shoot(viewer, path)
    viewer.theme = "dark"


if __name__ == "__main__":
    main()
