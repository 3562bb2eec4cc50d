"""Who does the work on blocks: this process, others on this machine, or a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from multiprocessing.util import Finalize
from numbers import Integral
from types import ModuleType
from typing import Any, Protocol, TypeVar

from napari_shiftseg.blockwise.job import Job, Order
from napari_shiftseg.errors import ShiftSegError, ShiftSegWarning, hearing

Item = TypeVar("Item")
Result = TypeVar("Result")
Task = Callable[[Job, int], None]
"""Works on the block of a number; what it finds lies in the job's folder afterwards."""

_TALKATIVE = ("distributed", "tornado", "asyncio")

_LIVES = 3
"""How many workers a piece of work may outlive; one that kills more is at fault itself."""


class Workers(Protocol):
    """Something that works on blocks, or on anything else."""

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Call a function on each item and yield what it returns, in any order."""
        ...

    def on_blocks(self, task: Task, job: Job, numbers: Iterable[int]) -> Iterator[None]:
        """Work on blocks; yield as often as one is finished."""
        ...


class Here:
    """Works in this process, one item after the other."""

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Call a function; see :class:`Workers`."""
        return map(work, items)

    def on_blocks(self, task: Task, job: Job, numbers: Iterable[int]) -> Iterator[None]:
        """Work on blocks; see :class:`Workers`."""
        return self.each(partial(task, job), numbers)


class Cluster:
    """The workers of a dask scheduler; all see the images and the work folder as files.

    Parameters
    ----------
    client
        ``distributed.Client``.
    threads
        Threads of each worker; 0 leaves it to torch.
    """

    def __init__(self, client: Any, threads: int = 0) -> None:
        self._client, self._threads = client, threads

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Call a function; see :class:`Workers`. What a lost worker had is begun again."""
        from distributed import CancelledError, KilledWorker, as_completed
        from distributed.comm.core import CommClosedError

        remote = partial(_with_threads, self._threads, work)
        futures = self._client.map(remote, list(items), pure=False)
        try:
            for future in as_completed(futures):
                yield future.result()
        except KilledWorker:
            raise ShiftSegError(
                f"{_LIVES} workers were lost over the same piece of work, for lack of memory "
                "most often; start fewer workers, or give each more memory"
            ) from None
        except (CancelledError, CommClosedError):
            raise ShiftSegError(
                "the scheduler was lost, or it cancelled the work; the same command goes on from "
                "the finished blocks"
            ) from None
        finally:
            self._client.cancel(futures)

    def on_blocks(self, task: Task, job: Job, numbers: Iterable[int]) -> Iterator[None]:
        """Work on blocks; see :class:`Workers`."""
        return self.each(partial(_remote, task, job.order), numbers)


def is_count(value: object) -> bool:
    """Tell a whole number of at least 1 from what else may be given for one."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def refuse_no_workers(count: int | None, scheduler: str | None) -> None:
    """Raise ShiftSegError if workers are asked for in a way that names none."""
    if scheduler and count:
        raise ShiftSegError("give either a number of workers or a scheduler's address, not both")
    if not (count is None or is_count(count)):
        raise ShiftSegError(f"the number of workers is {count!r}; legal: from 1 on")
    if scheduler is not None and not scheduler.strip():
        raise ShiftSegError("the scheduler's address is empty; legal: one as tcp://host:8786")


@contextlib.contextmanager
def workers_of(count: int | None = None, scheduler: str | None = None) -> Iterator[Workers]:
    """Start workers on this machine, or connect to those of a scheduler.

    Parameters
    ----------
    count
        Processes to start here; None or 1 works in this process.
    scheduler
        Address of a running dask scheduler, as ``tcp://host:8786``.

    Raises
    ------
    ShiftSegError
        If both are given, the count is not positive, dask.distributed is not installed, or
        the scheduler does not answer.
    """
    refuse_no_workers(count, scheduler)
    if not scheduler and count in (None, 1):
        yield Here()
        return
    distributed = _require_distributed()
    threads = 0 if scheduler else max(1, (os.cpu_count() or 1) // (count or 1))
    with contextlib.ExitStack() as stack:
        if not scheduler:
            with _on_their_own():
                cluster = distributed.LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    dashboard_address=":0",
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )
            scheduler = stack.enter_context(cluster)
        stack.enter_context(_without_a_log())
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout=10))
        except (OSError, ValueError) as error:
            raise ShiftSegError(f"no scheduler answers at {scheduler} ({error})") from None
        if not client.scheduler_info()["workers"]:
            warnings.warn(
                f"the scheduler at {scheduler} has no workers yet; waiting for the first",
                ShiftSegWarning,
                stacklevel=3,
            )
        yield Cluster(client, threads)


@contextlib.contextmanager
def _without_a_log() -> Iterator[None]:
    """Say nothing of lost connections but what is raised."""
    known = list(logging.root.manager.loggerDict)  # dask gives many a level of its own
    logs = [logging.getLogger(name) for name in known if name.split(".")[0] in _TALKATIVE]
    former = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, former, strict=True):
            log.setLevel(level)


@contextlib.contextmanager
def _on_their_own() -> Iterator[None]:
    """Start processes that do not run the user's script again, nor hear Ctrl-C.

    Python imports the main script into each process that it starts, and a terminal sends
    Ctrl-C to all of them; this process alone ends the run, and then them.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    main = threading.current_thread() is threading.main_thread()
    former = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        sys.modules["__main__"] = script
        if main:
            signal.signal(signal.SIGINT, former)


def _require_distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise ShiftSegError(
            "several workers need dask.distributed: pip install distributed"
        ) from None
    import dask

    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": _LIVES,
            # dask's value makes a network ask the system for the memory of each layer anew,
            # which takes a third of the time of a prediction.
            "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
        }
    )
    return distributed


def _with_threads(threads: int, work: Callable[[Item], Result], item: Item) -> Result:
    if threads:
        import torch

        torch.set_num_threads(threads)
        _end_at_once()
    return work(item)


@lru_cache(1)
def _end_at_once() -> None:
    """Let a worker end while its thread is still at work, once it has said goodbye.

    Python would stop the thread in the midst of torch, whose C++ then aborts with a message.
    """
    Finalize(None, os._exit, args=(0,), exitpriority=-100)


def _remote(task: Task, order: Order, number: int) -> None:
    task(_opened(order), number)


@lru_cache(1)
def _opened(order: Order) -> Job:
    """Open image and model once per process; whoever ordered it was warned of them before."""
    with hearing():
        return Job.open(order)
