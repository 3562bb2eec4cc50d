"""Run everything that is tried for the sake of trust, and print one table: ``make trust``.

pytest leaves what each test counts in a report in XML; the table adds it up. Returns 1 if
anything failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

TESTS = Path(__file__).parents[1]
ACTIONS, FUZZ_SECONDS = "2500", "30"
"""In the windows, by each of two users; and for the fuzzer, per target."""

KINDS = {
    "input": "inputs tried / handled",
    "model": "model files tried / handled",
    "fault": "faults injected / survived",
    "number": "numbers checked / right",
}
COUNTED = {
    ("GUI actions", "GUI exceptions"): "GUI actions / exceptions",
    ("fuzz executions", "fuzz crashes"): "fuzz executions / crashes",
}


def tested(report: Path, command: list[str], **environment: str) -> Counter[str]:
    """Run tests; return what they counted, and how many failed."""
    words = [*command, "-q", f"--junitxml={report}"]
    ended = subprocess.run(words, env=os.environ | environment, check=False).returncode
    if not report.exists():
        raise SystemExit(f"{' '.join(words)} ended with {ended}, and without a report")
    return counts_of(ElementTree.parse(report)) + Counter(failed=int(ended != 0))


def counts_of(report: ElementTree.ElementTree) -> Counter[str]:
    """Add up what the tests of a report counted."""
    counts: Counter[str] = Counter()
    for case in report.iter("testcase"):
        if case.find("skipped") is not None:
            counts["skipped"] += 1
            continue
        failed = any(case.find(bad) is not None for bad in ("failure", "error"))
        for counted in case.iter("property"):
            name, value = counted.get("name", ""), counted.get("value", "")
            if name == "trust":
                counts[f"{value} tried"] += 1
                counts[f"{value} held"] += not failed
            else:
                counts[name] += int(value)
    return counts


def table(counts: Counter[str]) -> str:
    """Write the counts, a line for each kind."""
    pairs = {
        **{title: (f"{kind} tried", f"{kind} held") for kind, title in KINDS.items()},
        **{title: names for names, title in COUNTED.items()},
    }
    lines = [f"{title:<32}{counts[a]:>9} / {counts[b]}" for title, (a, b) in pairs.items()]
    return "\n".join([*lines, f"{'bytes lost':<32}{counts['bytes lost']:>9}"])


def main() -> int:
    """Try it all."""
    python = [sys.executable, "-m", "pytest"]
    screen = ["sh", str(TESTS.parent / "scripts" / "with-display.sh")]
    window = str(TESTS / "_napari" / "test_random_actions.py")
    with tempfile.TemporaryDirectory() as folder:
        counts = tested(
            Path(folder) / "tried.xml",
            [*python, "-n", "auto", str(TESTS / "trust")],
            SHIFTSEG_TRUST="full",
            SHIFTSEG_FUZZ_SECONDS=os.environ.get("SHIFTSEG_FUZZ_SECONDS", FUZZ_SECONDS),
        ) + tested(
            Path(folder) / "windows.xml",
            [*screen, *python, "-n", "auto", window],
            SHIFTSEG_ACTIONS=os.environ.get("SHIFTSEG_ACTIONS", ACTIONS),
        )
    print(f"\n{table(counts)}")
    return int(counts["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
