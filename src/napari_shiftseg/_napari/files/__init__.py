"""What napari opens and saves through the plugin: files, models, samples."""
