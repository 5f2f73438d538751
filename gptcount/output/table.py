"""What is shown, before any format: tables of neutral cells, and prose. It does not know what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Cell = str | int | float | None
"""A word, a count (int) or a share (float); formats write it their own way."""

Kind = Literal["row", "heading", "subtotal", "total"]
"""A heading stands over the rows after it: of its cells only the first says anything."""


class Column(NamedTuple):
    """One column. ``optional`` ones are dropped where space is short, highest rank first; ``bar`` may have a bar."""

    name: str
    right: bool = False
    optional: int = 0
    bar: bool = False


class Row(NamedTuple):
    """One line: its cells, the group whose colour it has, and a remark that may stand under it."""

    cells: tuple[Cell, ...]
    group: str = ""
    kind: Kind = "row"
    remark: str = ""


class Table(NamedTuple):
    """Rows under columns; a total sums rows above it.

    ``remark`` says what the rows' remarks are, where they have them. ``instead`` stands in where space is short.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    remark: str = ""
    instead: Table | None = None

    def full(self) -> Table:
        """The table with the rows' remarks as a last column."""
        if not self.remark:
            return self
        rows = tuple(Row((*row.cells, row.remark), row.group, row.kind) for row in self.rows)
        return Table(self.title, (*self.columns, Column(self.remark)), rows)

    def without(self, rank: int) -> Table:
        """The table without its optional columns of one rank."""
        kept = [at for at, column in enumerate(self.columns) if column.optional != rank]
        rows = tuple(Row(tuple(row.cells[at] for at in kept), row.group, row.kind, row.remark) for row in self.rows)
        return Table(self.title, tuple(self.columns[at] for at in kept), rows, self.remark)

    def narrower(self) -> Iterator[Table]:
        """The table itself, then with ever fewer of its optional columns."""
        table = self
        yield table
        for rank in sorted({column.optional for column in self.columns if column.optional}, reverse=True):
            table = table.without(rank)
            yield table
        if self.instead:
            yield from self.instead.narrower()


class Prose(NamedTuple):
    """A paragraph, perhaps with a title, perhaps in a group's colour."""

    text: str
    title: str = ""
    group: str = ""


Part = Table | Prose
