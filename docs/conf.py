"""How Sphinx makes the documentation: ``make docs``, every warning an error."""

from __future__ import annotations

from napari_shiftseg import __version__
from napari_shiftseg.cli.commands import register

register()  # with the application that the reference is made of

project = "napari-shiftseg"
author = "The napari-shiftseg developers"
copyright = "2026, the napari-shiftseg developers"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "cyclopts.ext.sphinx",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
smartquotes = False  # two dashes begin an option

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

autodoc_typehints = "none"  # the signature says them, and "Parameters" what they mean
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"ShiftSeg {version}"
copybutton_prompt_text = r"\$ "
