"""Markdown as GitHub reads it: tables with aligned columns, totals in bold."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gptcount.output.table import Part, Prose, Row, Table
from gptcount.output.text import cell


def render(parts: Iterable[Part]) -> str:
    """All parts as Markdown."""
    return "\n".join(_prose(part) if isinstance(part, Prose) else _table(part) for part in parts)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*\[\]<>|~&#])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", lambda found: f"\\{found[0]}", text)


def _prose(prose: Prose) -> str:
    title = f"**{escaped(prose.title)}**: " if prose.title else ""
    return f"{title}{escaped(prose.text)}\n"


def _table(table: Table) -> str:
    table = table.full()
    head = [f"### {escaped(table.title)}", ""] if table.title else []
    names = _line(escaped(column.name) for column in table.columns)
    rules = _line("---:" if column.right else "---" for column in table.columns)
    return "\n".join([*head, names, rules, *map(_row, table.rows)]) + "\n"


def _row(row: Row) -> str:
    cells = [escaped(cell(value)) for value in row.cells]
    return _line(cells if row.kind == "row" else (f"**{text}**" if text else "" for text in cells))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
