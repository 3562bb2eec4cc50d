"""Fuzz one target after the other with libFuzzer, guided by which lines of Python are reached.

``python tests/trust/fuzz.py [TARGET ...] --seconds 60`` prints a table of executions and crashes
and returns 1 if there was a crash; what was learnt and what crashed is kept in the folder
``fuzz``. ``--again FILE`` gives one file's bytes to a target, without the fuzzer.
"""

from __future__ import annotations

import argparse
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

LONGEST_SECONDS, MOST_MEGABYTES, LONGEST_BYTES = 30, 4096, 4096
"""What is a hang, what is a bomb, and how long inputs get."""

EVERY = "every"
"""Name for all targets in one process."""

_ONE = "--in-this-process"


@dataclass(frozen=True)
class Fuzzed:
    """What came of fuzzing a target.

    Parameters
    ----------
    executions
        Inputs tried.
    said
        What libFuzzer and the target printed.
    crashes
        Files with the inputs that found a defect.
    """

    executions: int
    said: str
    crashes: tuple[Path, ...]


def fuzz(name: str, folder: Path, *limits: str) -> Fuzzed:
    """Fuzz a target in a process of its own, which a defect ends.

    Parameters
    ----------
    name
        Of the target.
    folder
        Keeps what was learnt and what crashed.
    limits
        Options of libFuzzer: ``-runs=N``, ``-max_total_time=SECONDS``, ``-seed=N``.
    """
    found = folder / name
    (found / "crashes").mkdir(parents=True, exist_ok=True)
    (found / "learnt").mkdir(exist_ok=True)
    known = set((found / "crashes").iterdir())
    command = [sys.executable, __file__, _ONE, name, str(found / "learnt")]
    options = (
        f"-artifact_prefix={found / 'crashes'}/",
        f"-timeout={LONGEST_SECONDS}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-max_len={LONGEST_BYTES}",
        "-print_final_stats=1",
        *limits,
    )
    # By a shell that forks: libFuzzer looks at the peak of memory, and a process has that of the
    # one that started it, which may have opened bombs.
    forked = ("sh", "-c", '"$@"; exit $?', "sh", *command, *options)
    ended = subprocess.run(forked, capture_output=True, text=True, errors="replace")
    said = ended.stdout + ended.stderr
    counts = re.findall(r"^#(\d+)\t|number_of_executed_units: (\d+)", said, re.MULTILINE)
    executions = max((int(n) for pair in counts for n in pair if n), default=0)
    crashes = tuple(sorted(set((found / "crashes").iterdir()) - known))
    # At its end libFuzzer's clock may still ring where nobody listens any more.
    if not crashes and (ended.returncode not in (0, 128 + signal.SIGALRM) or not executions):
        raise RuntimeError(f"the fuzzer of {name} ended with {ended.returncode}:\n{said[-4000:]}")
    return Fuzzed(executions, said, crashes)


def _in_this_process(name: str, learnt: Path, options: Sequence[str]) -> None:
    """Follow the product's own code and the target's libraries; does not return."""
    import atheris

    with atheris.instrument_imports(include=["napari_shiftseg", "tifffile"]):
        import fuzz_targets  # noqa: F401, only what is imported here is followed

    logging.disable()
    chosen = _target(name)
    for number, seed in enumerate(chosen.seeds()):
        (learnt / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, str(learnt)], chosen.take)
    atheris.Fuzz()


def _target(name: str) -> Any:
    """Return the target; all of them in one take their number from the first byte."""
    from fuzz_targets import TARGETS, Target

    if name != EVERY:
        return TARGETS[name]
    every = tuple(TARGETS.values())

    def take(data: bytes) -> None:
        if data:
            every[data[0] % len(every)].take(data[1:])

    def seeds() -> Iterator[bytes]:
        for number, one in enumerate(every):
            for seed in one.seeds():
                yield bytes([number]) + seed

    return Target(take, seeds)


def main() -> int:
    """Fuzz what is asked for."""
    if sys.argv[1:2] == [_ONE]:
        _in_this_process(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
    from fuzz_targets import TARGETS

    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    reader.add_argument("--seconds", type=int, default=60, help="for each target")
    reader.add_argument("--folder", type=Path, default=Path("fuzz"))
    reader.add_argument("--again", type=Path, metavar="FILE", help="try this input only")
    asked = reader.parse_args()
    if unknown := sorted(set(asked.targets) - TARGETS.keys()):
        reader.error(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if asked.again is not None:
        for name in asked.targets:
            TARGETS[name].take(asked.again.read_bytes())
        return 0
    executions = crashes = 0
    print(f"{'fuzzed':<20}{'executions':>12}{'crashes':>9}")
    for name in asked.targets or TARGETS:
        result = fuzz(name, asked.folder, f"-max_total_time={asked.seconds}")
        print(f"{name:<20}{result.executions:>12}{len(result.crashes):>9}", flush=True)
        for crash in result.crashes:
            print(f"  python {__file__} {name} --again {crash}\n{result.said[-2000:]}")
        executions += result.executions
        crashes += len(result.crashes)
    print(f"{'fuzz executions / crashes':<32}{executions:>6} / {crashes}")
    return int(crashes > 0)


if __name__ == "__main__":
    sys.exit(main())
