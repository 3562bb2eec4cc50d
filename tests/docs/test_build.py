"""The documentation builds without a warning, its two notebooks run, and nothing points nowhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import PAGES, ROOT, name_of

import napari_shiftseg


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    sphinx = Path(sys.executable).with_name("sphinx-build")
    command = [str(sphinx), "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        text=True,
        env=os.environ | {"JUPYTER_PLATFORM_DIRS": "1"},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_it_builds_and_both_notebooks_run(built):
    for name in ("array-to-seam-report", "audit-a-monai-network"):
        page = (built / "notebooks" / f"{name}.html").read_text()
        assert "cell_output" in page and "<img" in page


def test_each_command_and_each_public_name_is_in_the_reference(built):
    from napari_shiftseg.cli.commands import COMMANDS

    commands = (built / "reference" / "command-line.html").read_text()
    assert not [command for command in COMMANDS if f"<h2>{command}<" not in commands]
    assert "shiftseg repair --output PATH [OPTIONS] LABELS" in re.sub("<[^>]+>", "", commands)
    python = (built / "reference" / "python.html").read_text()
    names = [n for n in napari_shiftseg.__all__ if not n.startswith("_")]
    assert not [n for n in names if f'id="napari_shiftseg.{n}"' not in python]


def test_links_within_the_built_pages_lead_somewhere(built):
    lost = []
    for page in built.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#:]+)(?:#[^"]*)?"', page.read_text()):
            if not (page.parent / target.split("?")[0]).exists():
                lost.append(f"{page.relative_to(built)}: {target}")
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_the_sources_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    assert not [t for t in targets if not (page.parent / t).exists()]
