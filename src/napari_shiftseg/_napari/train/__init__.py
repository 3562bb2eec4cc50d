"""The widget "Train": from layers or a data pack to a model file."""
