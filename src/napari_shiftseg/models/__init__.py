"""The weights that are part of the package, each with a card."""
