"""``python -m napari_shiftseg`` is the command ``shiftseg``."""

from napari_shiftseg.cli.commands import main

main()
