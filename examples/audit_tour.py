"""Audit a bundled model and tile an image every way, in a real napari window, and photograph it.

It needs a display; on a server::

    xvfb-run -a -s "-screen 0 1600x1000x24" python examples/audit_tour.py docs/images
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import napari
from gaps import Gaps
from napari.settings import get_settings
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QApplication

from napari_shiftseg._napari.audit.widget import AuditWidget
from napari_shiftseg.samples import load_sample

PATIENCE = 300
"""Seconds to wait for an audit."""


def main() -> None:
    """Audit in both themes, print how long the window did not answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    get_settings().application.save_window_geometry = False
    gaps = Gaps()
    with TemporaryDirectory() as settings:
        # The widget starts as on a user's first day, and leaves the user's own settings alone.
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
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
    _, widget = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Audit model")
    assert isinstance(widget, AuditWidget)
    view, control = widget.view, widget.control
    settle()
    viewer.reset_view()
    gaps.begin("audit")
    view.run.run.click()
    wait_until(lambda: not control.busy)
    settle(0.3)
    gaps.end()
    shoot(viewer, folder / "audit-findings.png")
    view.pages.setCurrentWidget(view.plots)
    shoot(viewer, folder / "audit-light.png", theme="light")
    view.pages.setCurrentWidget(view.image)
    view.image.pattern.setChecked(True)
    gaps.begin("tile it every way")
    view.image.run.run.click()
    wait_until(lambda: not control.busy)
    settle(0.3)
    gaps.end()
    worst = max(control.tiled.rows, key=lambda row: row.total) if control.tiled else None
    number = control.tiled.rows.index(worst) if control.tiled and worst else 0
    gaps.begin("show a difference")
    view.image.table.selectRow(number)
    wait_until(lambda: not control.busy)
    settle(0.3)
    gaps.end()
    print(view.verdict.text(), view.image.finding.text(), view.image.reason.text(), sep="\n")
    shoot(viewer, folder / "audit.png")
    viewer.close()


def shoot(viewer: napari.Viewer, path: Path, theme: str = "dark") -> None:
    """Save a picture of the whole window."""
    viewer.theme = theme
    settle(1)
    viewer.window.screenshot(path=str(path), canvas_only=False, flash=False)
    viewer.theme = "dark"
    print(path)


def settle(seconds: float = 0.5) -> None:
    """Let the window draw itself."""
    until = monotonic() + seconds
    while monotonic() < until:
        QApplication.processEvents()
        sleep(0.002)


def wait_until(condition: Callable[[], bool]) -> None:
    """Keep the window alive until something is true."""
    until = monotonic() + PATIENCE
    while not condition():
        if monotonic() > until:
            raise TimeoutError("the audit takes too long")
        QApplication.processEvents()
        sleep(0.002)


if __name__ == "__main__":
    main()
