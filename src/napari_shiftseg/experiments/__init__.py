"""The paper's synthetic data."""
