"""Print, as constraints, the lowest versions that pyproject.toml allows.

Without arguments of what everything but the widgets needs; given extras, of what these need.
napari itself wants newer libraries than our own bounds, so the two cannot be tried together.
"""

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
if chosen := sys.argv[1:]:
    requirements = [extras[extra] for extra in chosen]
else:
    requirements = [project["dependencies"], extras["zarr"], extras["cluster"], extras["zoo"]]
for line in chain(*requirements):
    if found := re.match(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", line):
        print("==".join(found.groups()))
