"""Tables and prose as lines of so many columns: what fits side by side, what goes beneath, what is dropped or stacked.

Plain text and the terminal share it. A line may be longer than asked for; a count is never cut and never divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gptcount.errors import printable
from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.output.text import bar, cell, width, wrap

GAP = "  "
LEAST_BAR, MOST_BAR, LEAST_NAME = 10, 40, 16
MOST_PROSE = 100
MARKS = ("✓ ", "✗ ")
"""What a line may begin with; what it is continued with then stands in line with its words."""


class Span(NamedTuple):
    """Some text of one style: a group's name, a row's kind, ``title``, ``head``, ``remark``, or none."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def lines(parts: Iterable[Part], columns: int | None = None, bars: bool = False) -> Iterator[Line]:
    """All parts, an empty line between two. Without ``columns``, tables have their natural width and prose 80."""
    for place, part in enumerate(parts):
        if place:
            yield ()
        drawn = _prose(part, min(columns or 80, MOST_PROSE)) if isinstance(part, Prose) else _table(part, columns, bars)
        yield from (tuple(Span(printable(span.text), span.style) for span in line) for line in drawn)


def joined(all_lines: Iterable[Line]) -> str:
    """Lines as text without styles."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in all_lines)


def _prose(prose: Prose, columns: int) -> Iterator[Line]:
    if prose.title:
        yield (Span(prose.title, prose.group or "title"),)
    indent = "  " if prose.title else ""
    for paragraph in prose.text.split("\n"):
        hanging = "  " if paragraph[:2] in MARKS else ""
        for place, line in enumerate(wrap(paragraph, columns - len(indent + hanging))):
            yield (Span(indent + (hanging if place else "") + line, "" if prose.title else "remark"),)


def _table(table: Table, columns: int | None, bars: bool) -> Iterator[Line]:
    if table.title:
        yield from ((Span(line, "title"),) for line in wrap(table.title, columns or 80))
        yield ()
    if columns is None:
        yield from _side_by_side(table, None, 0)
        return
    barred = bars and any(column.bar for column in table.columns)
    if table.remark and _natural(table.full()) + barred * (len(GAP) + LEAST_BAR) <= columns:
        table = table.full()
    for room in (len(GAP) + LEAST_BAR, 0) if barred else (0,):
        for narrower in table.narrower():
            spare = columns - _natural(narrower)
            if spare >= room and (not room or any(column.bar for column in narrower.columns)):
                yield from _side_by_side(narrower, columns, min(spare - len(GAP), MOST_BAR) if room else 0)
                return
    if columns - _natural(narrower) + _widths(narrower)[0] >= LEAST_NAME:
        yield from _side_by_side(narrower, columns, 0)
    else:
        yield from _stacked(table, columns)


def _natural(table: Table) -> int:
    return sum(_widths(table)) + len(GAP) * (len(table.columns) - 1)


def _widths(table: Table) -> list[int]:
    return [
        max([width(column.name), *(width(cell(row.cells[at])) for row in table.rows if row.kind != "heading")])
        for at, column in enumerate(table.columns)
    ]


def _side_by_side(table: Table, columns: int | None, bar_width: int) -> Iterator[Line]:
    widths = _widths(table)
    if columns is not None:  # a long name is continued on lines of its own, so that the other columns keep their place
        widths[0] = min(widths[0], columns - _natural(table) + widths[0])
    ruled = sum(widths) + len(GAP) * (len(widths) - 1) + (len(GAP) + bar_width if bar_width else 0)
    if any(column.name for column in table.columns):
        yield from _lines([column.name for column in table.columns], table.columns, widths, "head", bar_width, None)
        yield (Span("─" * ruled, "rule"),)
    for place, row in enumerate(table.rows):
        if row.kind == "total" and place and table.rows[place - 1].kind != "total":
            yield (Span("─" * ruled, "rule"),)
        if row.kind == "heading":
            yield from _heading(row, place, columns)
            continue
        share = next((row.cells[at] for at, column in enumerate(table.columns) if column.bar), None)
        part = share if isinstance(share, float) and row.kind == "row" else None
        style = row.group if row.kind == "row" else f"{row.kind} {row.group}".strip()
        yield from _lines([cell(value) for value in row.cells], table.columns, widths, style, bar_width, part)
        if row.remark:
            yield from _remark(row.remark, columns)


def _lines(
    cells: Sequence[str], columns: Sequence[Column], widths: list[int], style: str, bar_width: int, part: float | None
) -> Iterator[Line]:
    """A row, with the bar beside its share; a name that is too long goes on in lines of its own."""
    name, *others = wrap(cells[0], widths[0])
    spans: list[Span] = []
    for text, column, size in zip([name, *cells[1:]], columns, widths, strict=True):
        pad = " " * (size - width(text))
        spans += [Span(GAP)] * bool(spans) + [Span(pad + text if column.right else text + pad, style)]
        if column.bar and bar_width:
            spans += [Span(GAP), Span(bar(part or 0.0, bar_width).ljust(bar_width), style)]
    yield tuple(spans)
    yield from ((Span(f"    {line}", style),) for line in others)


def _heading(row: Row, place: int, columns: int | None) -> Iterator[Line]:
    if place:
        yield ()
    yield from ((Span(line, "head"),) for line in wrap(cell(row.cells[0]), columns or 80))


def _remark(remark: str, columns: int | None) -> Iterator[Line]:
    first, *others = wrap(remark, (columns or 1000) - 4)
    yield (Span(f"  {first}", "remark"),)
    yield from ((Span(f"    {line}", "remark"),) for line in others)


def _stacked(table: Table, columns: int) -> Iterator[Line]:
    """A row as lines of its own: its name, then each cell with its column's name, beside or beneath."""
    for place, row in enumerate(table.rows):
        if row.kind == "heading":
            yield from _heading(row, place, columns)
            continue
        if place:
            yield ()
        name, *cells = (cell(value) for value in row.cells)
        style = row.group if row.kind == "row" else f"{row.kind} {row.group}".strip()
        yield from ((Span(line, style or "title"),) for line in wrap(name, columns))
        for column, text in zip(table.columns[1:], cells, strict=True):
            if text:
                yield from _labelled(column.name, text, columns)
        if row.remark:
            yield from _remark(row.remark, columns)


def _labelled(label: str, text: str, columns: int) -> Iterator[Line]:
    if label and 2 + width(label) + 1 + width(text) <= columns:
        yield (Span(f"  {label} ", "head"), Span(text))
        return
    if label:
        yield from ((Span(f"  {line}", "head"),) for line in wrap(label, columns - 2))
    yield from ((Span(f"    {line}"),) for line in wrap(text, columns - 4))
