"""Stage 1: pixels in and out, borders and intensities of whole images."""
