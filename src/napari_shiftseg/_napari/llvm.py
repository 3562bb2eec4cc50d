"""Two copies of LLVM in one process: Mesa's, and that of triton, which torch loads unasked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

_LOADED = Path("/proc/self/maps")
"""Where Linux lists the libraries of this process."""


def keep_triton_out() -> None:
    """Have torch do without triton where loading it would end the process.

    The builds of torch for CUDA bring triton, whose symbols of LLVM are resolved to the copy
    that came first: Mesa's, in a window drawn by it. Only ``torch.compile`` needs triton.
    """
    if "triton" in sys.modules or not _LOADED.exists():
        return
    if "libLLVM" in _LOADED.read_text(encoding="utf-8", errors="replace"):
        # As Python has it for a module that must not be imported.
        cast("dict[str, Any]", sys.modules)["triton"] = None
