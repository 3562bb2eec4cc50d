"""Print the lowest version that pyproject.toml allows of each thing it needs, as constraints."""

import re
import tomllib
from itertools import chain
from pathlib import Path

EXTRAS = ("zarr", "cluster", "zoo")
"""Those that the tests of everything but the widgets need."""

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = [project["optional-dependencies"][extra] for extra in EXTRAS]
for line in chain(project["dependencies"], *extras):
    if found := re.match(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", line):
        print("==".join(found.groups()))
