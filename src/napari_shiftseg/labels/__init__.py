"""Stage 4: from embeddings to instance labels."""
