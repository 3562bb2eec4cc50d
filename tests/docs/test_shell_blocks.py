"""What a reader copies out of the pages into a shell runs, and names what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
from cyclopts import App
from pages import PAGES, ROOT, inline_code, name_of, run, shell_lines

from napari_shiftseg.cli import app
from napari_shiftseg.cli.commands import register

SHORTER = (
    (r"--maps 32 --steps \d+", "--steps 2 --maps 4 --window 36 --device cpu"),
    (r"--steps \d+(?! --maps)", "--steps 2 --maps 2 --window 36 --device cpu"),
    (r"shiftseg reproduce all", "shiftseg reproduce fig5 fig3"),
    (r"shiftseg demo", "shiftseg demo --no-napari"),
)
"""What would take a test too long, and what it does instead."""

SCRIPTS = [page for page in PAGES if any(shell_lines(page, "shiftseg"))]


@pytest.mark.enable_socket  # several processes speak to each other by it
@pytest.mark.filterwarnings("ignore::napari_shiftseg.ShiftSegWarning")
@pytest.mark.parametrize("page", SCRIPTS, ids=name_of)
def test_the_commands_of_a_page_run_one_after_the_other(page, desk, capsys):
    for line in shell_lines(page, "shiftseg"):
        for long, short in SHORTER:
            line = re.sub(long, short, line)
        code = run(shlex.split(line)[1:])
        assert code == 0, f"{line}\n{capsys.readouterr().err}"
        forget_labels(desk)


def forget_labels(desk: Path) -> None:
    """A page may show several ways to one output, of which a reader chooses one."""
    shutil.rmtree(desk / "labels.ome.zarr", ignore_errors=True)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_and_extras_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    said = [*shell_lines(page, "make"), *(c for c in inline_code(page) if c.startswith("make "))]
    named = {word for line in said for word in line.split()[1:] if re.fullmatch("[a-z-]+", word)}
    assert named <= targets
    pip = [*shell_lines(page, "pip"), *(c for c in inline_code(page) if c.startswith("pip "))]
    groups = re.findall(r"\[([\w,]+)\]", " ".join(pip))
    assert {extra for group in groups for extra in group.split(",")} <= set(extras)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_named_in_the_text_exist(page):
    commands = registered()
    everywhere = {option for command in commands for option in options_of(command)}
    for code in inline_code(page):
        words = code.split()
        options = {w.split("=")[0] for w in words if re.fullmatch(r"--[a-z][a-z-]+(=.*)?", w)}
        if words[0] == "shiftseg" and len(words) > 1 and words[1] in commands:
            assert options <= options_of(words[1]), code
        elif words[0] == code.split(" ")[0] and words[0].startswith("--"):
            assert options <= everywhere, code


def options_of(command: str) -> set[str]:
    found = registered()[command].assemble_argument_collection()
    return {name for argument in found for name in argument.names} | {"--help"}


def registered() -> dict[str, App]:
    """Return every command by its name."""
    register()
    return {name: app.app[name] for name in app.app if not name.startswith("-")}
