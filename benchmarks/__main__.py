"""All benchmarks of speed, one after the other: one JSON, and the page docs/benchmarks.md.

Usage: python benchmarks [--json FILE] [--page FILE] [--quick]

Each is a script of its own, which says in its first lines what it measures; their lines go to the
page as they are. ``--quick`` takes small sizes, to see that all of it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
SCRIPTS = {
    "prediction": ([], ["--size", "512", "--volume", "96"]),
    "clustering": ([], ["--sizes", "128", "256"]),
    "whole_pipeline": (["--workers", "1", "2"], ["--sizes", "512", "1024"]),
    "start": ([], ["--repeats", "1"]),
}


def main() -> None:
    """Run all, print as they print, keep what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {"machine": machine()}
    page = ["# Benchmarks", "", "Written by `make bench`. All of one run on one machine: "
            f"{found['machine']}. Compare the ratios, not the seconds.", ""]  # fmt: skip
    for name, (usual, quick) in SCRIPTS.items():
        words = [f"benchmarks/{name}.py", *(quick if options.quick else usual)]
        print(f"\n{name}", flush=True)
        text, found[name] = run(name, words[1:])
        page += [f"## {name.replace('_', ' ').capitalize()}", "", f"`python {' '.join(words)}`",
                 "", "```text", text.rstrip(), "```", ""]  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    if options.page:
        options.page.write_text("\n".join(page))


def run(name: str, words: list[str]) -> tuple[str, Any]:
    """Run one script; return what it printed and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, "found.json")
        command = [sys.executable, str(HERE / f"{name}.py"), *words, "--json", str(document)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        if process.wait():
            sys.exit(f"{name} failed")
        return "".join(lines), json.loads(document.read_text())


def machine() -> str:
    """Say what was measured on."""
    return (
        f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )


if __name__ == "__main__":
    main()
