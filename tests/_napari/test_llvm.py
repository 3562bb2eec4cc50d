"""torch for CUDA brings triton, whose LLVM and that of Mesa end a process that has both."""

import os
import subprocess
import sys

import pytest

TRITON = """
import os, pathlib
if "libLLVM" in pathlib.Path("/proc/self/maps").read_text():
    os._exit(139)  # as the real one does
"""
SCRIPT = """
import sys
import napari
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QApplication

QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
viewer = napari.Viewer()
QApplication.processEvents()
_, dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
while dock.form is None:
    QApplication.processEvents()
import torch._dynamo
print("alive")
viewer.close()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Mesa is for Linux")
def test_a_dock_in_a_window_drawn_by_mesa_survives_torch_with_triton(tmp_path):
    (tmp_path / "triton").mkdir()
    (tmp_path / "triton" / "__init__.py").write_text(TRITON)
    (tmp_path / "triton" / "backends.py").write_text("")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "alive" in done.stdout
