"""The command line, called in process as a user calls it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_shiftseg.cli.commands import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def refused(self) -> bool:
        """Whether it said in one line why not."""
        return self.explained and len(self.err.strip().splitlines()) == 1

    @property
    def explained(self) -> bool:
        """Whether its last line said why not, be it after lines on what was done till then."""
        last = self.err.strip().rpartition("\n")[-1]
        return self.code == 2 and last.startswith("shiftseg: ")


Shell = Callable[..., Outcome]


def call(capture: Any, *words: object) -> Outcome:
    """Run a command; ``capture`` has a ``readouterr`` as pytest's ``capsys``."""
    capture.readouterr()
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        code = int(stop.code or 0)
    except Exception:  # what a user would see as a traceback
        out, _ = capture.readouterr()
        return Outcome(1, out, traceback.format_exc())
    return Outcome(code, *capture.readouterr())
