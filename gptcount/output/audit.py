"""What is shown of an audit: its tables and the words around them, and the document that a program reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gptcount import audit as account
from gptcount.adapter import Adapter
from gptcount.audit import Audit
from gptcount.errors import shown
from gptcount.ledger import GROUPS
from gptcount.numbers import count, size
from gptcount.output import adapter
from gptcount.output.records import SCHEMA
from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.output.tables import name


def parts(found: Audit | Adapter) -> list[Part]:
    """Everything that ``gptcount audit`` shows of a checkpoint, or of an adapter."""
    if isinstance(found, Adapter):
        return adapter.parts(found)
    notes = [Prose("\n".join(shown(note, 1000) for note in found.notes))] if found.notes else []
    return [tensors(found), reconciliation(found), dtypes(found), *notes, Prose(verdict(found))]


def document(found: Audit | Adapter) -> dict[str, Any]:
    """The document of ``gptcount audit --json``."""
    if isinstance(found, Adapter):
        return adapter.document(found)
    return {
        "schema": SCHEMA,
        "checkpoint": found.checkpoint,
        "model": found.model or None,
        "agrees": found.agrees if found.model else None,
        "rows": found.to_records(),
        "reconciliation": [
            {"label": item.label, "parameters": item.parameters, "total": item.total or None}
            for item in found.reconciliation
        ],
        "totals": {item.total: item.parameters for item in found.reconciliation if item.total},
        "dtypes": [one._asdict() for one in found.dtypes],
        "notes": list(found.notes),
    }


def tensors(found: Audit) -> Table:
    """The tensors, and what is found of them; where there is no model, group by group."""
    columns = (
        Column("tensor"),
        Column("dtype", optional=2),
        Column("one tensor", optional=1),
        Column("tensors", right=True, optional=3),
        Column("parameters" if found.model else "numbers", right=True),
        *([Column("found")] if found.model else []),
    )
    title = f"{found.checkpoint}: its tensors" + (f", held against {shown(found.model)}" if found.model else "")
    rows = map(_row, found.rows) if found.model else _by_group(found)
    return Table(title, columns, tuple(Row(row.cells[: len(columns)], row.group, row.kind) for row in rows))


def _row(row: account.Row) -> Row:
    cells = (row.tensor, row.dtype, _shape(row.shape), row.copies, row.parameters, said(row))
    return Row(cells, row.group)


def _by_group(found: Audit) -> Iterator[Row]:
    """The rows of each group together, then those of each kind of surplus, with a subtotal where they are several."""
    for label in dict.fromkeys((*GROUPS, "norm", "other", *(row.kind for row in found.rows))):
        rows = [row for row in found.rows if label == (row.kind if row.finding == "surplus" else row.group)]
        group = label if label in GROUPS else ""
        yield from (Row(_row(row).cells, group) for row in rows)
        if len(rows) > 1:
            copies, parameters = sum(row.copies for row in rows), _sum(row.parameters for row in rows)
            yield Row((f"{name(label)} in all", "", "", copies, parameters), group, "subtotal")


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum; None where one is not known."""
    found = list(counts)
    return None if None in found else sum(filter(None, found))


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(count, shape)) or "one number"


def said(row: account.Row) -> str:
    """What is found of some tensors, in words."""
    if row.finding == "shape":
        how = "transposed" if row.kind == "transposed" else "wrong"
        return f"{how}: {_shape(row.wanted or ())} wanted"
    if row.finding == "surplus":
        return row.kind
    return f"{row.finding}, {row.kind}" if row.kind else row.finding


def reconciliation(found: Audit) -> Table:
    """The bridge from the elements in the file to the parameters of the model."""
    rows = [
        Row(
            (f"{_sign(item.total, place, item.parameters)}{item.label}", item.parameters),
            kind="total" if item.total and place else "row",
        )
        for place, item in enumerate(found.reconciliation)
    ]
    columns = (Column("from the file to the model"), Column("parameters", right=True))
    return Table("", columns, tuple(rows))


def _sign(total: str, place: int, parameters: int) -> str:
    return ("= " if place else "  ") if total else "− " if parameters < 0 else "+ "


def dtypes(found: Audit) -> Table:
    """The split by dtype, in elements and in bytes."""
    columns = (
        Column("dtype"),
        Column("tensors", right=True, optional=1),
        Column("elements", right=True),
        Column("bytes", right=True, optional=2),
        Column("on disk", right=True),
    )
    rows = [Row((one.dtype, one.tensors, one.elements, one.bytes, size(one.bytes))) for one in found.dtypes]
    copies, elements = sum(one.tensors for one in found.dtypes), sum(one.elements for one in found.dtypes)
    total = sum(one.bytes for one in found.dtypes)
    whole = Row(("all dtypes", copies, elements, total, size(total)), kind="total")
    return Table("", columns, (*rows, whole))


def verdict(found: Audit) -> str:
    """Whether the checkpoint is that of the model, in a sentence."""
    if not found.model:
        return "Counted by name: there is no model that says which tensors should be here."
    if found.agrees:
        beside = any(row.finding == "surplus" for row in found.rows)
        rest = "; what lies beside them is of known kinds" if beside else ", and nothing else"
        return f"Agrees: every tensor of the model is here, in its shape{rest}."
    counts: dict[str, int] = {}
    for row in found.rows:
        if not row.agrees:
            label = {"missing": "missing", "shape": "of another shape"}.get(row.finding, "surplus")
            label = "transposed" if row.kind == "transposed" else label
            counts[label] = counts.get(label, 0) + row.copies
    return f"Disagrees: of the tensors, {', '.join(f'{count(n)} {label}' for label, n in counts.items())}."
