"""What commands print, taken in where there is no pytest."""

from __future__ import annotations

import contextlib
import io
from typing import NamedTuple


class Captured(NamedTuple):
    """What a command has printed."""

    out: str
    err: str


class Capture:
    """Takes what the commands print, as pytest's ``capsys`` does."""

    def __init__(self) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()

    def readouterr(self) -> Captured:
        """Return what was printed since the last time."""
        found = Captured(self._out.getvalue(), self._err.getvalue())
        for stream in (self._out, self._err):
            stream.seek(0)
            stream.truncate()
        return found

    @contextlib.contextmanager
    def taken(self):
        """Take it, as long as this lasts."""
        with contextlib.redirect_stdout(self._out), contextlib.redirect_stderr(self._err):
            yield self
