"""What a start of the program costs: beside the libraries, for deep models, for many, and for a forward pass."""

import json
import sys
from itertools import chain, islice, zip_longest
from pathlib import Path

from measuring import ROOT

from gptcount import GptCountError, load
from gptcount.sources.specification import toml

DEEP, SHALLOW = 126, 16
MANY = 145
COUNTS = ROOT / "tests" / "authorities" / "reference" / "counts"

MODEL_CLASS = """
import typer
from pydantic import BaseModel
class Model(BaseModel):
    size: int
Model(size=1)
"""

COMMAND = (
    MODEL_CLASS
    + """
app = typer.Typer(rich_markup_mode=None)
@app.command()
def command(word: str = ""):
    pass
app()
"""
)


def commands(folder: Path) -> dict[str, list[str]]:
    """What is measured, each under the name that the table gives it."""
    python, gptcount = [sys.executable, "-c"], [sys.executable, "-m", "gptcount"]
    for n_layers in (DEEP, SHALLOW):
        (folder / f"{n_layers}.toml").write_text(
            toml(load("llama-3.1-405b", [f"n_layers={n_layers}"])), encoding="utf-8"
        )
    write_configurations(folder / "configurations")
    return {
        "python -c pass": [*python, "pass"],
        "import typer, pydantic": [*python, "import typer, pydantic"],
        "the same, a model class used": [*python, MODEL_CLASS],
        "the same, and a command of typer's": [*python, COMMAND],
        "breakdown gpt3": [*gptcount, "breakdown", "gpt3"],
        f"breakdown, {DEEP} layers": [*gptcount, "breakdown", str(folder / f"{DEEP}.toml")],
        f"breakdown, {SHALLOW} layers": [*gptcount, "breakdown", str(folder / f"{SHALLOW}.toml")],
        "compare presets": [*gptcount, "compare", "presets"],
        f"compare, {MANY} config.json": [*gptcount, "compare", str(folder / "configurations")],
        "verify-shapes gpt3": [*gptcount, "verify-shapes", "gpt3"],
    }


RATIOS = (
    ("breakdown gpt3", "import typer, pydantic", "at most 1.3"),
    ("breakdown gpt3", "the same, a model class used", ""),
    ("breakdown gpt3", "the same, and a command of typer's", ""),
    (f"breakdown, {DEEP} layers", f"breakdown, {SHALLOW} layers", "1"),
    ("compare presets", "breakdown gpt3", "under 2.5, with 304 presets"),
    (f"compare, {MANY} config.json", "breakdown gpt3", "under 3"),
    ("verify-shapes gpt3", "breakdown gpt3", ""),
)


def write_configurations(folder: Path) -> None:
    """As many config.json that gptcount reads, each in a folder of its own, the families in turn."""
    families = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(COUNTS.glob("*.json"))]
    in_turn = (case["config"] for case in chain.from_iterable(zip_longest(*families)) if case)
    for place, config in enumerate(islice(filter(None, map(_readable(folder), in_turn)), MANY)):
        path = folder / f"{place:03}" / "config.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(config), encoding="utf-8")


def _readable(folder: Path):
    """Gives a configuration back where gptcount reads it: some of the authorities are there to be refused."""
    folder.mkdir()
    trial = folder.parent / "trial.json"

    def of(config: dict) -> dict | None:
        trial.write_text(json.dumps(config), encoding="utf-8")
        try:
            load(trial)
        except GptCountError:
            return None
        return config

    return of
