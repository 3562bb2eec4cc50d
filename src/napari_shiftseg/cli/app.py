"""The application that the commands register with, and how it ends.

Exit codes: 0 done; 2 refused or failed, with one line that says why; 130 interrupted (Ctrl-C);
141 nobody reads the output any more; 143 terminated. Any other is a defect.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, TextIO

from cyclopts import App, CycloptsError, Parameter

from napari_shiftseg.cli.console import note
from napari_shiftseg.cli.whole_numbers import refuse_fractions
from napari_shiftseg.cli.wording import explained
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning, UntrustedCode

REFUSED, INTERRUPTED, UNREAD, TERMINATED = 2, 130, 141, 143

app = App(
    name="shiftseg",
    help="Instance segmentation by metric learning, and the diagnosis of tile-and-stitch seams.",
    suppress_keyboard_interrupt=False,  # it would end without a word
    # No --empty-... for numbers per axis, which follow their option one after the other.
    default_parameter=Parameter(negative_iterable=(), consume_multiple=True),
    config=[refuse_fractions],
)


@contextlib.contextmanager
def ended() -> Iterator[None]:
    """Run a command; whatever stops it ends with one line on stderr and an exit code."""
    _print_any_name()
    _keep_readers_quiet()
    try:
        with _terminable(), _warnings_as_notes():
            try:
                yield
            finally:  # the parser exits when a command is done
                if sys.stdout is not None:  # as when the shell has closed it
                    sys.stdout.flush()
    except UntrustedCode as error:
        _end(REFUSED, f"{error}; add --trust-code if you trust it")
    except ShiftSegError as error:
        _end(REFUSED, str(error))
    except CycloptsError as error:
        _end(REFUSED, explained(error))
    except MemoryError as error:
        why = f" ({error})" if str(error) else ""
        _end(REFUSED, f"there is not enough memory{why}; take a smaller image or region")
    except BrokenPipeError:
        _give_output_up()
        sys.exit(UNREAD)
    except SystemExit as error:
        # So ends the printer of --help when nobody reads it.
        if isinstance(error.__context__, BrokenPipeError):
            sys.exit(UNREAD)
        raise
    except OSError as error:
        _give_output_up()
        where = f"{error.filename}: " if error.filename else ""
        _end(REFUSED, f"{where}{error.strerror or error}")
    except KeyboardInterrupt:
        _end(INTERRUPTED, "interrupted")


@contextlib.contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Say our own warnings in a line, without the file and the line of Python they are from."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ShiftSegWarning)
        show = warnings.showwarning

        def say(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, ShiftSegWarning):
                note(f"shiftseg: {message}")
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = say
        yield


def _end(code: int, message: str) -> NoReturn:
    note(f"shiftseg: {' '.join(message.split())}")
    sys.exit(code)


def _give_output_up() -> None:
    """Forget what cannot be printed: Python would say so once more at its own end."""
    try:
        sys.stdout.flush()
    except OSError:
        assert sys.__stdout__ is not None  # only a program without a console has none
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())


def _keep_readers_quiet() -> None:
    """Keep tifffile from printing what is wrong with a file: we say it, in one line."""
    logging.getLogger("tifffile").addHandler(logging.NullHandler())


def _print_any_name() -> None:
    """Print what the terminal has no letters for, as some names of files, in escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """End by an exception when asked to terminate, so that half files are removed."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        _end(TERMINATED, "terminated")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
