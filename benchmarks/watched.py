"""A command in a process of its own: what it says, how long it takes, and its peak memory.

The peak is that of all its processes together at the worst moment seen, ten times a second.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Watched:
    """What a command did.

    Parameters
    ----------
    out
        What it printed.
    seconds
        From its start to its end.
    peak
        Bytes.
    """

    out: str
    seconds: float
    peak: int


def watched(*words: object) -> Watched:
    """Run ``shiftseg`` with these words."""
    command = [sys.executable, "-m", "napari_shiftseg", *map(str, words)]
    begin, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as out:  # a pipe holds no long report
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - begin
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed")
        out.seek(0)
        return Watched(out.read(), seconds, peak)


def _resident(pid: int) -> int:
    try:
        main = psutil.Process(pid)
        return sum(p.memory_info().rss for p in [main, *main.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0
