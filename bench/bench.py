"""What a run costs, beside what the interpreter and the libraries cost: medians of interleaved runs, and their ratios.

    python bench/bench.py [RUNS]

It measures and asserts nothing: times depend on the machine, and ratios do less. Everything is byte-compiled first, for
a first run would pay for that; the runs are interleaved, so that a busy minute strikes all alike.
"""

import compileall
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from gptcount import load
from gptcount.sources.specification import toml

ROOT = Path(__file__).parent.parent
RUNS = 21
DEEP, SHALLOW = 126, 16

MODEL_CLASS = """
import typer
from pydantic import BaseModel
class Model(BaseModel):
    size: int
Model(size=1)
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """What is measured, each under the name that the table gives it."""
    gptcount = [sys.executable, "-m", "gptcount"]
    files = {}
    for n_layers in (DEEP, SHALLOW):
        files[n_layers] = folder / f"{n_layers}.toml"
        files[n_layers].write_text(toml(load("llama-3.1-405b", [f"n_layers={n_layers}"])), encoding="utf-8")
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import typer, pydantic": [sys.executable, "-c", "import typer, pydantic"],
        "the same, a model class used once": [sys.executable, "-c", MODEL_CLASS],
        "gptcount breakdown gpt3": [*gptcount, "breakdown", "gpt3"],
        f"gptcount breakdown, {DEEP} layers": [*gptcount, "breakdown", str(files[DEEP])],
        f"gptcount breakdown, {SHALLOW} layers": [*gptcount, "breakdown", str(files[SHALLOW])],
        "gptcount compare presets": [*gptcount, "compare", "presets"],
    }


RATIOS = (
    ("gptcount breakdown gpt3", "import typer, pydantic"),
    ("gptcount breakdown gpt3", "the same, a model class used once"),
    (f"gptcount breakdown, {DEEP} layers", f"gptcount breakdown, {SHALLOW} layers"),
    ("gptcount compare presets", "gptcount breakdown gpt3"),
)


def measure(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of one run, its output piped: by the clock, and of the processor (user and system)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    elapsed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(runs: int) -> None:
    """Measure, and print the tables."""
    for folder in (ROOT / "gptcount", Path(sysconfig.get_path("purelib"))):
        compileall.compile_dir(folder, quiet=2, workers=0)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as folder:
        measured = commands(Path(folder))
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
        for run in range(runs + 1):
            for name, command in measured.items():
                once = measure(command, environment)
                if run:  # the first round only warms the file system
                    times[name].append(once)
    clock = {name: median(elapsed for elapsed, _ in runs) for name, runs in times.items()}
    processor = {name: median(used for _, used in runs) for name, runs in times.items()}
    print(f"medians of {runs} interleaved runs, Python {sys.version.split()[0]}\n")
    print(f"{'':36}{'clock ms':>10}{'user+sys ms':>13}")
    for name in measured:
        print(f"{name:36}{clock[name] * 1000:>10.1f}{processor[name] * 1000:>13.1f}")
    print(f"\n{'ratio':60}{'clock':>8}{'user+sys':>10}")
    for one, other in RATIOS:
        print(f"{f'{one} / {other}':60}{clock[one] / clock[other]:>8.2f}{processor[one] / processor[other]:>10.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
