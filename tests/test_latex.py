"""The LaTeX of every view compiles, where there is a LaTeX: names from outside included."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gptcount import Architecture, load
from gptcount.comparison import compare
from gptcount.ledger import breakdown
from gptcount.output import latex, tables

LATEX = shutil.which("pdflatex")

pytestmark = pytest.mark.skipif(
    LATEX is None, reason="no pdflatex here; on Debian: apt-get install texlive-latex-recommended"
)

HOSTILE = r"50% \input{x} #1 $a_b^c$ {~} & <é> \\ [red] “q”"


def compiled(body: str, folder: Path) -> None:
    document = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (folder / "table.tex").write_text(document, encoding="utf-8")
    command = [str(LATEX), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "table.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "table.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["gpt3", "mixtral-8x7b", "deepseek-v3"])
@pytest.mark.parametrize("reading", ["heads", "value-up", "stored"])
def test_a_breakdown_compiles(name: str, reading, tmp_path: Path):
    compiled(latex.render(tables.breakdown(breakdown(load(name), reading))), tmp_path)


def test_a_comparison_compiles(tmp_path: Path):
    models = [load(name) for name in ("gpt2", "llama-2-7b", "gpt3-xl", "mistral-7b", "gpt1")]
    compiled(latex.render(tables.comparison(compare(models[:2]))), tmp_path)
    compiled(latex.render(tables.comparison(compare(models))), tmp_path)


def test_a_hostile_name_compiles(tmp_path: Path):
    named = Architecture.model_validate({**load("gpt2").model_dump(), "name": HOSTILE})
    compiled(latex.render(tables.breakdown(breakdown(named))), tmp_path)
