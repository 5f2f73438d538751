"""HTML for a notebook: tables and paragraphs, everything escaped, no script and no style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.output.text import cell


def render(parts: Iterable[Part]) -> str:
    """All parts as HTML."""
    return "\n".join(_prose(part) if isinstance(part, Prose) else "\n".join(_table(part)) for part in parts)


def _prose(prose: Prose) -> str:
    title = f"<b>{escape(prose.title)}</b> " if prose.title else ""
    return f"<p>{title}{escape(prose.text)}</p>"


def _table(table: Table) -> Iterator[str]:
    table = table.full()
    yield "<table>"
    if table.title:
        yield f"<caption>{escape(table.title)}</caption>"
    if any(column.name for column in table.columns):
        yield f"<thead>{_line(table.columns, [column.name for column in table.columns], 'th')}</thead>"
    yield "<tbody>"
    yield from (_row(table, row) for row in table.rows)
    yield "</tbody></table>"


def _row(table: Table, row: Row) -> str:
    return _line(table.columns, [cell(value) for value in row.cells], "td" if row.kind == "row" else "th")


def _line(columns: Iterable[Column], cells: Iterable[str], tag: str) -> str:
    aligned = (
        f'<{tag} style="text-align:{"right" if column.right else "left"}">{escape(text)}</{tag}>'
        for column, text in zip(columns, cells, strict=True)
    )
    return f"<tr>{''.join(aligned)}</tr>"
