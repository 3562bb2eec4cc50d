"""What tests of the window begin with: a model whose seams are known, a form, and a gate."""

import threading

from napari_shiftseg.embeddings.description import ModelDescription
from napari_shiftseg.embeddings.model_file import save_model
from napari_shiftseg.embeddings.unet import Architecture, UNet
from napari_shiftseg.image.intensity import Intensity
from napari_shiftseg.settings import Clustering
from napari_shiftseg.tiles.geometry import NetworkGeometry

PATIENCE = 60_000  # milliseconds


def bands_network(ndim=2):
    """Period 8; every 4 rows the embedding changes from 0 to 10, wherever a tile starts."""
    one = (((1,) * ndim,),)
    geometry = NetworkGeometry(factors=((8,) * ndim,), down=one * 2, up=one, head=one[0])
    architecture = Architecture(geometry, maps=2, map_growth=1, embedding_dims=3, foreground=True)
    network = UNet(architecture).eval().requires_grad_(False)
    for weights in network.parameters():
        weights.zero_()
    network.down[1][0].bias[0] = 1
    rows = network.upsample[0][0].weight[0, 0].movedim(-2 if ndim == 2 else -3, 0)
    rows[4:] = 10
    network.up[0][0].weight[0, 2] = 1
    network.head[0].weight[0, 0] = 1
    network.head[0].bias[3] = 20
    return network


def save_bands(path, *, ndim=2, window=12):
    network = bands_network(ndim)
    description = ModelDescription(
        path.stem,
        network.architecture,
        axes="zyx"[-ndim:],
        intensity=Intensity("none"),
        training_window=(window,) * ndim,
        clustering=Clustering(bandwidth=2, min_size=1),
        licence="CC0-1.0",
        scores={"ap50": 0.875},
    )
    save_model(path, network, description)
    return path


def open_form(viewer, qtbot, name):
    """Open a dock as the Plugins menu does, or find it; its form may have to be loaded."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", name)
    qtbot.waitUntil(lambda: dock.form is not None, timeout=60_000)
    return dock.form


class Gate:
    """Lets the tiles of a run through one by one, or all once it is opened."""

    def __init__(self):
        self.tickets = threading.Semaphore(0)
        self.opened = threading.Event()

    def let_through(self, count):
        self.tickets.release(count)

    def open(self):
        self.opened.set()
        self.tickets.release(10_000)

    def shut(self):
        """Take back the tickets that no run has used."""
        self.tickets = threading.Semaphore(0)

    def wait(self):
        if not self.opened.is_set() and not self.tickets.acquire(timeout=20):
            raise TimeoutError("the test let no tile through")
