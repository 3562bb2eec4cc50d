"""Any size: the same pipeline from file to file, block by block.

image → blocks → stored embeddings → one set of modes → stored labels → one file of labels
"""
