"""``shiftseg reproduce``: the paper's figures, re-run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from napari_shiftseg.cli.app import app
from napari_shiftseg.cli.console import (
    OutputFile,
    Overwrite,
    first_interrupt,
    note,
    refuse_existing,
    stderr,
    use_threads,
)
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.experiments.synthetic import Preset
from napari_shiftseg.files import folder_for, write_text

if TYPE_CHECKING:
    from napari_shiftseg.experiments.reproduce import Progress

_STOPPED = "stopped; the same command with --overwrite goes on with what is trained and measured"


@app.command
def reproduce(
    *figures: str,
    output: OutputFile,
    preset: Preset = "quick",
    pretrained: bool = False,
    page: Path | None = None,
    threads: int | None = None,
    overwrite: Overwrite = False,
) -> None:
    """Re-run figures of the paper: train, stitch, cluster, measure, and say whether they hold.

    Parameters
    ----------
    figures
        fig2a, fig2b, fig2c, fig3, fig4a, fig4b, fig4c, fig5, s2, padding, s3a, s3b, s3c, s3d,
        fig6, fig7, or all. fig6 and fig7 need the images that SHIFTSEG_DATA names.
    output
        Folder for a PNG, an SVG and a JSON file of each figure. Networks are kept in
        its folder models: an interrupted training goes on.
    preset
        quick: all synthetic figures within two hours on two processor cores. paper: as many
        steps as the paper's.
    pretrained
        Use bundled models instead of training, where there are any.
    page
        Write a Markdown page of all figures in the folder.
    threads
        Processor threads.
    """
    from napari_shiftseg.experiments.outcome import SUFFIXES, Outcome
    from napari_shiftseg.experiments.reproduce import FIGURES, refuse_unknown, reproduce_events
    from napari_shiftseg.experiments.results_page import results_page

    if not figures and page is None:
        raise ShiftSegError(f"name a figure; legal: all, {', '.join(FIGURES)}")
    names = list(FIGURES) if "all" in figures else list(dict.fromkeys(figures))
    refuse_unknown(names)
    files = [output / f"{name}{suffix}" for name in names for suffix in SUFFIXES]
    use_threads(threads)
    with folder_for(output):
        refuse_existing(*files, page, overwrite=overwrite)
        events = reproduce_events(names, output, preset=preset, pretrained=pretrained)
        with _bar() as show, first_interrupt() as interrupted, closing(events):
            for event in events:
                if isinstance(event, Outcome):
                    print(event.verdict, flush=True)
                else:
                    show(event)
                if interrupted.is_set():
                    note(_STOPPED)
                    raise KeyboardInterrupt
        if page is not None:
            write_text(page, results_page(output, page.parent))
            note(f"{page}")


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """Show progress on stderr; where that is no terminal, a line for each new piece of work."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeRemainingColumn(), console=stderr, transient=True) as bar:
        task = bar.add_task("", total=None)
        said = ""

        def show(event: Progress) -> None:
            nonlocal said
            if not stderr.is_terminal and event.text != said:
                note(event.text)
            said = event.text
            bar.update(task, description=said, completed=event.done, total=event.total or None)

        yield show
