"""Stage 3: networks, model files and tiled prediction; the only stage that needs torch."""
