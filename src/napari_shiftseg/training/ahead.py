"""Draws the coming crops while the network computes, so that the device never waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Drawn = TypeVar("Drawn")


def ahead(draw: Callable[[int], Drawn], steps: range, *, depth: int = 3) -> Generator[Drawn]:
    """Yield ``draw(step)`` for each step in order, computed in another thread.

    Parameters
    ----------
    draw
        What step it is decides what it returns, and nothing else: so the order of
        computing does not matter.
    steps
        Which steps.
    depth
        How many are drawn ahead.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="crops") as pool:
        waiting: deque[Future[Drawn]] = deque()
        try:
            for step in steps:
                waiting.append(pool.submit(draw, step))
                if len(waiting) > depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
