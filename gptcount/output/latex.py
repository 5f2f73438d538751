"""LaTeX for a paper: booktabs tables, everything escaped; the working of a row is a comment in the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gptcount.errors import printable
from gptcount.output.table import Part, Prose, Row, Table
from gptcount.output.text import cell

ESCAPES = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    **{c: f"{{{c}}}" for c in "[]"},  # else an optional argument, where a row begins with it
    **{c: f"${c}$" for c in "<>|"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': "{''}"},
    **{"×": r"$\times$", "−": "$-$", "∞": r"$\infty$", "²": "$^2$", "→": r"$\to$", "·": r"$\cdot$", "*": r"$\cdot$"},
    **{"✓": r"$\surd$", "✗": r"$\times$"},
}

SET = {chr(code) for code in (*range(0x20, 0x7F), *range(0xC0, 0x180))} - set("ÐÞðþ÷ĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
SET |= set("¡¿–—‘’“”…")
"""The characters that pdfLaTeX sets with nothing in the preamble; the others are written as U+4E2D."""

LIGATURE = re.compile(r"(?<=[-'`,?!])(?=[-'`,])")
"""Where two characters would be set as another: dashes, quotes."""


def render(parts: Iterable[Part]) -> str:
    """All parts as LaTeX; the preamble needs ``booktabs``."""
    blocks = ("\n".join(_table(part)) if isinstance(part, Table) else _prose(part) for part in parts)
    return "% \\usepackage{booktabs}\n" + "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "{}".join("".join(map(_character, piece)) for piece in LIGATURE.split(printable(text)))


def _character(c: str) -> str:
    return ESCAPES.get(c) or (c if c in SET else f"U+{ord(c):04X}")


def _prose(prose: Prose) -> str:
    title = rf"\paragraph{{{escaped(prose.title)}}} " if prose.title else ""
    return title + "\n".join(map(escaped, prose.text.split("\n")))


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"% {printable(table.title)}"
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
    return _cells(cells) + (f" % {printable(row.remark)}" if row.remark else "")


def _cells(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
