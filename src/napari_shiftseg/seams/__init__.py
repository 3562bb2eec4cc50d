"""Stage 5: what seams did to objects, measured and reported."""
