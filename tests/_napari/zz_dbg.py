import sys
import threading
import time

import napari_shiftseg._napari.worker as w

old = w.Runner._hear


def hear(self, g, e):
    print(
        "HEAR",
        time.time() % 1000,
        g,
        self._generation,
        type(e).__name__,
        getattr(e, "text", None),
        file=sys.stderr,
    )
    return old(self, g, e)


w.Runner._hear = hear
import napari_shiftseg._napari.job as j

orun = j.run


def run(job):
    print("RUN start", time.time() % 1000, threading.current_thread(), file=sys.stderr)
    for e in orun(job):
        print("YIELD", time.time() % 1000, type(e).__name__, file=sys.stderr)
        yield e


w.run = run
