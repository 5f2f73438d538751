"""LaTeX for a paper: booktabs tables, everything escaped; the working of a row is a comment in the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gptcount.output.table import Part, Prose, Row, Table
from gptcount.output.text import cell

ESCAPES = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {
        "×": r"$\times$",
        "−": "$-$",
        "∞": r"$\infty$",
        "²": "$^2$",
        "→": r"$\to$",
        "·": r"$\cdot$",
        "✓": r"$\surd$",
        "✗": r"$\times$",
        "<": r"$<$",
        ">": r"$>$",
        "|": r"$|$",
        "*": r"$\cdot$",
    }
)


def render(parts: Iterable[Part]) -> str:
    """All parts as LaTeX; the preamble needs ``booktabs``."""
    blocks = ("\n".join(_table(part)) if isinstance(part, Table) else _prose(part) for part in parts)
    return "% \\usepackage{booktabs}\n" + "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return text.translate(ESCAPES)


def _prose(prose: Prose) -> str:
    title = rf"\paragraph{{{escaped(prose.title)}}} " if prose.title else ""
    return title + escaped(prose.text)


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"% {table.title}"
    yield rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in table.columns)}}}"
    yield r"\toprule"
    if any(column.name for column in table.columns):
        yield _cells(escaped(column.name) for column in table.columns)
        yield r"\midrule"
    for place, row in enumerate(table.rows):
        if row.kind == "total" and place:
            yield r"\midrule"
        yield _row(row)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _row(row: Row) -> str:
    cells = [escaped(cell(value)) for value in row.cells]
    if row.kind != "row":
        cells = [rf"\textbf{{{text}}}" if text else "" for text in cells]
    return _cells(cells) + (f" % {row.remark}" if row.remark else "")


def _cells(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
