"""Draws the pictures of README.md from the program: ``make pictures`` runs it.

``docs/terminal.svg`` is what a terminal of 100 columns shows, as rich records it; ``docs/treemap.svg`` is what
``gptcount plot`` draws.
"""

import re
from io import StringIO
from pathlib import Path

from rich.console import Console

import gptcount
from gptcount.output import picture

HERE = Path(__file__).parent
COLUMNS = 100


def terminal(model: str) -> str:
    """A breakdown on a terminal, as SVG."""
    console = Console(
        record=True,
        file=StringIO(),
        width=COLUMNS,
        force_terminal=True,
        color_system="standard",
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(gptcount.breakdown(gptcount.load(model)))
    drawn = console.export_svg(title=f"gptcount breakdown {model}", unique_id="gptcount")
    return re.sub(r"@font-face \{.*?\}\n\s*", "", drawn, flags=re.DOTALL)  # fonts from elsewhere


def treemap(model: str) -> bytes:
    """The parameters as areas, as SVG."""
    return picture.render([gptcount.breakdown(gptcount.load(model))], "treemap", "svg")


if __name__ == "__main__":
    (HERE / "terminal.svg").write_text(terminal("gpt3"), encoding="utf-8")
    (HERE / "treemap.svg").write_bytes(treemap("gpt3"))
    print("docs/terminal.svg, docs/treemap.svg: drawn")
