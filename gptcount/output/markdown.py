"""Markdown as GitHub reads it: tables with aligned columns, totals in bold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gptcount.errors import printable
from gptcount.output.table import Part, Prose, Row, Table
from gptcount.output.text import cell

MARKUP = re.compile(r"([\\`*\[\]<>|~&$])|#(?!\d)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What is markup, or makes a link of an address, unless a backslash stands before it."""

REFERENCE = re.compile(r"@(?=[A-Za-z0-9])|#(?=\d)|\bGH-(?=\d)|:(?=[\w+-]+:)", re.IGNORECASE)
"""What GitHub looks for when the markup is read already: mentions, issues, emoji. A comment divides them."""

BLOCK = re.compile(r"^(?:(\d{1,9})(?=[.)])|(?=[-+=:]))")
"""What begins a list, a heading or a table where a line of prose begins."""


def render(parts: Iterable[Part]) -> str:
    """All parts as Markdown."""
    return "\n".join(_prose(part) if isinstance(part, Prose) else _table(part) for part in parts)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, within a line."""
    marked = MARKUP.sub(lambda found: f"\\{found[0]}", printable(text))
    return REFERENCE.sub(lambda found: f"{found[0]}<!-- -->", marked)


def _line_of_prose(text: str) -> str:
    return BLOCK.sub(r"\1\\", escaped(text.strip()))


def _prose(prose: Prose) -> str:
    title = f"**{escaped(prose.title.strip())}**: " if prose.title else ""
    first, *others = prose.text.split("\n")
    lines = [escaped(first) if title else _line_of_prose(first), *map(_line_of_prose, others)]
    return title + "\n".join(lines) + "\n"


def _table(table: Table) -> str:
    table = table.full()
    head = [f"### {escaped(table.title)}", ""] if table.title else []
    names = _line(escaped(column.name) for column in table.columns)
    rules = _line("---:" if column.right else "---" for column in table.columns)
    return "\n".join([*head, names, rules, *map(_row, table.rows)]) + "\n"


def _row(row: Row) -> str:
    cells = [escaped(cell(value)) for value in row.cells]
    return _line(cells if row.kind == "row" else (f"**{text.strip()}**" if text else "" for text in cells))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
