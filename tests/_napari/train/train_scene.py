"""A tiny training, and what a user does to it."""

from window import PATIENCE

from napari_shiftseg.samples.discs import disc_image

TINY = {"levels": 1, "maps": 2, "window": (8,), "steps": 12, "validate_every": 6}


def more_discs(viewer, view):
    """Add two more images with labels, so that two of four are held out."""
    for number, spacing in ((3, 13), (4, 15)):
        image, mask = disc_image(40, spacing)
        viewer.add_image(image, name=f"discs {number}")
        viewer.add_labels(mask.astype(int), name=f"discs {number}: truth")
        view.data.add.click()


def give(view, **values):
    for name, value in values.items():
        view.settings.editors[name].show_value(value)


def until_idle(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.control.runner.running, timeout=PATIENCE)


def until_running(qtbot, dock):
    """Wait until a first step is done."""
    began = dock.control.runner
    with qtbot.waitSignal(began.produced, timeout=PATIENCE):
        dock.view.run.run.click()


def train(qtbot, dock):
    with qtbot.waitSignal(dock.control.runner.succeeded, timeout=PATIENCE):
        dock.view.run.run.click()


def export(qtbot, dock):
    with qtbot.waitSignal(dock.control.writing.succeeded, timeout=PATIENCE):
        dock.view.export.export.click()
