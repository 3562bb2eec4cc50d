"""The pages of the documentation and the code that stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from napari_shiftseg.cli.commands import main

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    if "_build" not in page.parts
)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Fence:
    """A block of code: where it begins, its language and text."""

    page: Path
    line: int
    language: str
    code: str


def fences(page: Path, language: str) -> Iterator[Fence]:
    """Yield the blocks of one language, also those inside of tabs."""
    text = re.sub(r"^:{3,}.*$", "", page.read_text(), flags=re.MULTILINE)
    for token in MarkdownIt().parse(text):
        if token.type == "fence" and token.info.split() == [language]:
            assert token.map is not None
            yield Fence(page, token.map[0] + 2, language, token.content)


def shell_lines(page: Path, program: str) -> Iterator[str]:
    """Yield the lines of shell blocks that call a program, without their comments."""
    for block in fences(page, "sh"):
        for line in block.code.splitlines():
            line = re.sub(r"\s+#.*", "", line).strip()
            if line.split(" ")[0] == program:
                yield line


def inline_code(page: Path) -> Iterator[str]:
    """Yield what stands between backticks."""
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text()):
        for child in token.children or ():
            if child.type == "code_inline":
                yield " ".join(child.content.split())


def run(arguments: list[str]) -> int:
    """Call the command line and return its exit code."""
    try:
        main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0
