"""The output of an audited network, as an image and as labels."""
