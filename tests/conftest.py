import os

# Before torch is loaded, and for processes that tests start: workers of pytest-xdist fill the
# processors already, and threads beside them make everything several times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from napari_shiftseg.settings import Clustering
from random_networks import small_model

settings.register_profile(
    "core", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("core"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "core")


@pytest.fixture(scope="session")
def random_model():
    return small_model(trained_steps=0)


@pytest.fixture(scope="session")
def trained_model():
    """A network of half a thousand weights that tells discs apart."""
    return small_model(trained_steps=150)


@pytest.fixture(scope="session")
def sensitive_model(trained_model):
    """The same network with so small a bandwidth that tiles out of phase give other labels."""
    clustering = Clustering(bandwidth=0.05, min_size=2)
    return replace(
        trained_model, description=replace(trained_model.description, clustering=clustering)
    )
