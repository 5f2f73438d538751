"""Commands measured: interleaved runs, so that a busy minute strikes all alike, and the medians of their times."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent


class Times(NamedTuple):
    """Seconds of one run: by the clock, and of the processor (user and system)."""

    clock: float
    processor: float


def environment(**more: str) -> dict[str, str]:
    """What a person's shell has: no settings of Python's, which change what a start costs."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | more


def once(command: Sequence[str]) -> Times:
    """One run, its output piped."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment(), cwd=ROOT, check=True, stdout=subprocess.PIPE)
    elapsed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Times(elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def medians(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, Times]:
    """The median times of each command; a first round only warms the file system."""
    rounds = [{name: once(command) for name, command in commands.items()} for _ in range(runs + 1)][1:]
    return {
        name: Times(*(median(times) for times in zip(*(one[name] for one in rounds), strict=True))) for name in commands
    }


def show(times: Mapping[str, Times], ratios: Sequence[tuple[str, str, str]]) -> None:
    """Print a table of times, and one of ratios: one, other, and what is aimed at."""
    wide = max(map(len, times))
    print(f"{'':{wide}}{'clock ms':>12}{'user+sys ms':>13}")
    for name, time_ in times.items():
        print(f"{name:{wide}}{time_.clock * 1000:>12,.1f}{time_.processor * 1000:>13,.1f}")
    if not ratios:
        print(flush=True)
        return
    said = [f"{one} / {other}" for one, other, _ in ratios]
    print(f"\n{'ratio':{max(map(len, said))}}{'clock':>8}{'user+sys':>10}  aim")
    for text, (one, other, aim) in zip(said, ratios, strict=True):
        clock, processor = (a / b for a, b in zip(times[one], times[other], strict=True))
        print(f"{text:{max(map(len, said))}}{clock:>8.2f}{processor:>10.2f}  {aim}")
    print(flush=True)


def in_one_process(script: str, *arguments: str, python: str = sys.executable) -> dict[str, Any] | None:
    """What a script of this folder prints as JSON; None where it leaves with another code than 0. It has one thread:
    several wait for each other on a busy machine, and then nothing is measured but the waiting."""
    import json

    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [python, str(ROOT / "bench" / script), *arguments]
    done = subprocess.run(command, env=environment(**one_thread), cwd=ROOT, stdout=subprocess.PIPE)
    return json.loads(done.stdout) if done.returncode == 0 else None
