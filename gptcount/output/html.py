"""HTML for a notebook: tables and paragraphs, everything escaped, no script and no style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from gptcount.errors import printable
from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.output.text import cell


def render(parts: Iterable[Part]) -> str:
    """All parts as HTML."""
    return "\n".join(_prose(part) if isinstance(part, Prose) else "\n".join(_table(part)) for part in parts)


def _prose(prose: Prose) -> str:
    title = f"<b>{_escaped(prose.title)}</b> " if prose.title else ""
    text = "\n".join(map(_escaped, prose.text.split("\n")))
    return f"<p>{title}{text}</p>"


def _escaped(text: str) -> str:
    return escape(printable(text))


def _table(table: Table) -> Iterator[str]:
    table = table.full()
    yield "<table>"
    if table.title:
        yield f"<caption>{_escaped(table.title)}</caption>"
    if any(column.name for column in table.columns):
        yield f"<thead>{_line(table.columns, [column.name for column in table.columns], 'th')}</thead>"
    yield "<tbody>"
    yield from (_row(table, row) for row in table.rows)
    yield "</tbody></table>"


def _row(table: Table, row: Row) -> str:
    return _line(table.columns, [cell(value) for value in row.cells], "td" if row.kind == "row" else "th")


def _line(columns: Iterable[Column], cells: Iterable[str], tag: str) -> str:
    aligned = (
        f'<{tag} style="text-align:{"right" if column.right else "left"}">{_escaped(text)}</{tag}>'
        for column, text in zip(columns, cells, strict=True)
    )
    return f"<tr>{''.join(aligned)}</tr>"
