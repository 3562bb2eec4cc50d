"""Colours with a meaning, chosen to read on dark images and on both themes."""

from __future__ import annotations

from napari.utils.theme import get_theme

HARMFUL = "#ff8c1a"
"""Seams that can cut objects."""

HARMLESS = "#2ec4d6"
"""Seams that cannot, and the border of the image."""

PERIOD = "#9fb7d4"
"""Lines of the period."""

REGION = "#ffe14d"
"""The rectangle that is to be segmented."""

CUT = "#ff3d7f"
"""Rings around objects that a seam cut."""


def is_dark(theme: str) -> bool:
    """Tell whether a theme of napari has a dark background."""
    red, green, blue = get_theme(theme).background.as_rgb_tuple(alpha=False)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128


def warning_text(theme: str) -> str:
    """Return the colour of warnings that reads on the theme's background."""
    return "#ffb454" if is_dark(theme) else "#a63d00"
