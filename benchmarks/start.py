"""How long it takes to begin: to import the package, and to show the first widget.

Usage: python benchmarks/start.py [--repeats 5] [--json FILE]

Each start is a process of its own; the least of its repeats counts. The widget needs a display.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

CASES = {
    "python alone": "pass",
    "import napari_shiftseg": "import napari_shiftseg",
    "import napari": "import napari, napari._qt.qt_main_window",
}
WIDGET = """
import time
import napari
viewer = napari.Viewer(show=False)
begin = time.perf_counter()
viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
seconds = time.perf_counter() - begin
viewer.close()
print(seconds)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {}
    for name, code in CASES.items():
        timed = f"import time; b = time.perf_counter()\n{code}\nprint(time.perf_counter() - b)"
        found[name] = least(timed, options.repeats)
    if os.environ.get("DISPLAY") or sys.platform != "linux":
        found["first widget in an open viewer"] = least(WIDGET, options.repeats)
    for name, seconds in found.items():
        print(f"{name}: {1000 * seconds:.0f} ms")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def least(code: str, repeats: int) -> float:
    """Seconds that the code prints last, at best."""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(repeats)
    ]
    return min(float(run.stdout.split()[-1]) for run in runs)


if __name__ == "__main__":
    main()
