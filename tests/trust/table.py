"""Print what comes of every case of the corpus, as a table in Markdown.

Run with ``python tests/trust/table.py``; ``docs/trust.md`` keeps what it prints.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
import warnings
from pathlib import Path

from capture import Capture
from corpus import CASES, Case
from networks import save_tiny
from ways import WAYS, Answer, little_memory


def answers(case: Case, model: Path) -> list[Answer]:
    """Try a case on every way that is meant for it."""
    found = []
    for field, way in WAYS.values():
        if getattr(case, field) is None:
            continue
        with tempfile.TemporaryDirectory() as folder, Capture().taken() as capture:
            path = case.make(Path(folder))
            with little_memory():
                answer = way(case, path, model, capture)
            short = answer.said.replace(folder + "/", "").replace(str(model.parent) + "/", "")
            found.append(Answer(answer.case, answer.way, short, answer.wrong))
    return found


def row(case: Case, found: list[Answer]) -> str:
    """Write a case as one line of the table."""
    cells = {answer.way: answer.said + (" **WRONG**" if answer.wrong else "") for answer in found}
    texts = [case.name, *(cells.get(way, "") for way in WAYS)]
    return "| " + " | ".join(map(_cell, texts)) + " |"


def _cell(text: str) -> str:
    """Fit a text into a cell: no long word of one letter, which no browser breaks."""
    words = " ".join(text.replace("|", "/").split())
    return re.sub(r"(.)\1{19,}", r"\1\1\1...", words)[:160]


def main() -> int:
    """Print the table; return 1 if an answer is wrong."""
    logging.disable()
    warnings.simplefilter("ignore")
    tried = wrong = 0
    print("| case | opened | segmented | checked as labels |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        model = save_tiny(Path(folder) / "tiny.safetensors")
        for case in CASES:
            found = answers(case, model)
            tried += len(found)
            wrong += sum(bool(answer.wrong) for answer in found)
            print(row(case, found).encode("utf-8", "backslashreplace").decode(), flush=True)
    print(f"\n{tried} inputs tried, {tried - wrong} handled as expected.")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
