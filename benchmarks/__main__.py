"""All benchmarks of speed, one after the other: one JSON, and the page docs/benchmarks.md.

Usage: python benchmarks [--json FILE] [--page FILE] [--quick] [--only NAME ...]

Each is a script of its own, which says in its first lines what it measures; their lines go to the
page as they are. ``--quick`` takes small sizes, to see that all of it runs. ``--only`` measures
some again and keeps the others of the JSON file.
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
    "clustering": (["--limit", "180"], ["--sizes", "128", "256"]),
    "whole_pipeline": (["--workers", "1", "2"], ["--sizes", "512", "1024"]),
    "label_size": ([], ["--sizes", "1024", "2048"]),
    "start": ([], ["--repeats", "1"]),
}


def main() -> None:
    """Run them, print as they print, keep what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(SCRIPTS), default=list(SCRIPTS))
    options = parser.parse_args()
    found: dict[str, Any] = {}
    if set(options.only) < set(SCRIPTS) and options.json and options.json.exists():
        found = json.loads(options.json.read_text())
    for name in options.only:
        usual, quick = SCRIPTS[name]
        print(f"\n{name}", flush=True)
        found[name] = run(name, quick if options.quick else usual) | {"machine": machine()}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    if options.page:
        options.page.write_text(page(found))


def run(name: str, words: list[str]) -> dict[str, Any]:
    """Run one script; return its command, what it printed and what it found."""
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
        return {
            "command": " ".join(["python", f"benchmarks/{name}.py", *words]),
            "printed": "".join(lines).strip(),
            "found": json.loads(document.read_text()),
        }


def page(found: dict[str, Any]) -> str:
    """Write all that was printed, each below its command."""
    parts = [
        "# Benchmarks",
        "Written by `make bench`. Each section was measured in one run: compare the ratios, not "
        "the seconds.",
    ]
    for name in SCRIPTS:
        if name in found:
            title = name.replace("_", " ").capitalize()
            command, printed = found[name]["command"], found[name]["printed"]
            where = f"`{command}`, on {found[name]['machine']}"
            parts += [f"## {title}", where, f"```text\n{printed}\n```"]
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """Say what is measured on."""
    names = [line for line in _cpuinfo() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    return (
        f"{os.cpu_count()} CPUs ({model}), Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


if __name__ == "__main__":
    main()
