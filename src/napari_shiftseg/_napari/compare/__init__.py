"""The tab "Compare": two stitchings, what their seams cut, and what tile size does."""
