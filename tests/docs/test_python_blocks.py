"""What a reader copies out of the pages into Python runs."""

from __future__ import annotations

import pytest
from pages import PAGES, fences, name_of

NEEDS_A_CLUSTER = "dask_jobqueue"
"""A block that only a machine with Slurm can run; it is compiled all the same."""

SCRIPTS = [page for page in PAGES if any(fences(page, "python"))]


@pytest.mark.filterwarnings("ignore::napari_shiftseg.ShiftSegWarning")
@pytest.mark.parametrize("page", SCRIPTS, ids=name_of)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, desk):
    scope: dict[str, object] = {}
    for block in fences(page, "python"):
        code = compile("\n" * block.line + block.code, str(page), "exec")
        if NEEDS_A_CLUSTER not in block.code:
            exec(code, scope)


def test_blocks_are_found():
    assert {name_of(page) for page in SCRIPTS} >= {"README.md", "docs/understand/theory.md"}
