"""The napari plugin; the only importer of napari and Qt."""
