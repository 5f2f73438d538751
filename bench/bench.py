"""What a run costs, beside what the interpreter and the libraries cost: medians of interleaved runs, and their ratios.

    python bench/bench.py [--quick] [RUNS]

It measures and asserts nothing: times depend on the machine, and ratios do less. Everything is byte-compiled first, for
a first run would pay for that. ``--quick`` runs gpt2-xl at its true size, not gpt3, which takes some minutes. The pass
in PyTorch is skipped where it is not installed; TORCH_PYTHON names an interpreter that has it. At the end bounds.py
measures the worst inputs.
"""

import compileall
import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from statistics import median

import bounds
import starts
from measuring import ROOT, Times, in_one_process, medians, show

RUNS = 15
PASSES = 3


def cold_starts(runs: int) -> None:
    """The commands of starts.py."""
    print(f"starts: medians of {runs} interleaved runs, Python {sys.version.split()[0]}\n")
    with tempfile.TemporaryDirectory() as folder:
        show(medians(starts.commands(Path(folder)), runs), starts.RATIOS)


def at_true_size(name: str) -> None:
    """The whole of a model, against its bare products, one after the other in one process."""
    found = in_one_process("true_size.py", name)
    if not found:
        sys.exit(1)
    whole, bare = f"verify-shapes {name} --full", "the bare products"
    print(f"at true size, one thread: {found['parameters']:,} parameters, peak {found['peak'] / 1e9:.2f} GB (aim: 4)\n")
    show({whole: Times(*found["whole"]), bare: Times(*found["products"])}, [(whole, bare, "at most 1.3")])


def forward_passes() -> None:
    """A GPT-2-sized model in gptcount and, where it is installed, in PyTorch, in turn."""
    python = os.environ.get("TORCH_PYTHON", sys.executable)
    found: dict[str, list[list[float]]] = {"gptcount": [], "PyTorch": []}
    for _ in range(PASSES):
        for name, seconds in (
            ("gptcount", in_one_process("forward.py", "gptcount")),
            ("PyTorch", in_one_process("forward.py", "torch", python=python)),
        ):
            if seconds:
                found[name].append(seconds)
    print("a forward pass of 124 M random weights over 64 tokens, one thread\n")
    if not found["PyTorch"]:
        print("PyTorch and transformers are not installed: not compared; TORCH_PYTHON names an interpreter with them\n")
    times = {name: Times(*map(median, zip(*runs, strict=True))) for name, runs in found.items() if runs}
    show(times, [("gptcount", "PyTorch", "at most 1.5")] if found["PyTorch"] else [])


def main(arguments: list[str]) -> None:
    """Measure, and print the tables."""
    for folder in (ROOT / "gptcount", Path(sysconfig.get_path("purelib"))):
        compileall.compile_dir(folder, quiet=2, workers=0)
    quick, runs = "--quick" in arguments, [int(word) for word in arguments if word.isdecimal()]
    cold_starts(runs[0] if runs else RUNS)
    forward_passes()
    at_true_size("gpt2-xl" if quick else "gpt3")
    bounds.main([])


if __name__ == "__main__":
    main(sys.argv[1:])
