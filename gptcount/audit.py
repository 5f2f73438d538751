"""Audit: the tensors that a checkpoint has, held against those that an architecture's checkpoint stores.

What is found of each is said in judged.py; here it is added up. Where a checkpoint comes from and how the result is
printed are not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from gptcount import surplus
from gptcount.adapter import Adapter, adapter
from gptcount.architecture import Architecture
from gptcount.families.namings import wanted
from gptcount.judged import Judge
from gptcount.judged import Row as Row
from gptcount.ledger import Item
from gptcount.names import Wanted
from gptcount.numbers import count
from gptcount.showing import as_html, as_rich
from gptcount.sources.entries import Checkpoint, Entry


class Dtype(NamedTuple):
    """The tensors of one dtype."""

    dtype: str
    tensors: int
    elements: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Audit:
    """What is found. Every total of the reconciliation is the sum of the lines above it."""

    checkpoint: str
    model: str
    """The name of the model, text from outside; empty where there is none."""
    rows: tuple[Row, ...]
    reconciliation: tuple[Item, ...]
    dtypes: tuple[Dtype, ...]
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing, nothing of another shape, and nothing surplus but what is known."""
        return all(row.agrees for row in self.rows)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain records, for ``pandas.DataFrame(...)``, a sheet or a JSON file."""
        return [
            {
                "tensor": row.tensor,
                "group": row.group,
                "finding": row.finding,
                "kind": row.kind or None,
                "dtype": row.dtype or None,
                "shape": list(row.shape),
                "wanted": None if row.wanted is None else list(row.wanted),
                "copies": row.copies,
                "elements": row.elements,
                "parameters": row.parameters,
            }
            for row in self.rows
        ]

    _repr_html_ = as_html
    __rich__ = as_rich


def audit(
    checkpoint: Checkpoint,
    architecture: Architecture | None = None,
    notes: Sequence[str] = (),
    bits: Collection[int] = (),
) -> Audit:
    """A checkpoint held against an architecture, or counted by itself where there is none.

    ``bits`` are those of a quantized number, where they are known and the headers leave them open.
    Raises InputError where it is not known what a checkpoint of the architecture calls its tensors, and for very many
    names that differ in more than numbers.
    """
    judge = Judge(checkpoint, architecture, _tables(checkpoint, architecture), bits)
    rows = tuple(judge.rows())
    reconciliation = tuple(_reconciliation(rows, architecture))
    return Audit(
        checkpoint.origin,
        architecture.name if architecture else "",
        rows,
        reconciliation,
        _dtypes(checkpoint.entries),
        (
            *judge.said(),
            *_unread(rows, architecture),
            *checkpoint.notes,
            *_false_claim(checkpoint, reconciliation),
            *notes,
        ),
    )


def load(source: str, against: str | None = None, settings: Sequence[str] = ()) -> Audit | Adapter:
    """The audit of a checkpoint that a person names, or the account of an adapter: a path, or
    ``hub:OWNER/NAME[@REVISION]``.

    It is held against the model ``against``, else against the config.json or params.json beside it. Without either, or
    where that file is refused, its tensors are counted by name and a note says so. Raises InputError where a source
    cannot be used.
    """
    from gptcount.sources.pairs import pair

    found = pair(source, against, settings)
    return audit(*found) if found.checkpoint.adapter is None else adapter(*found[:3])


def _tables(checkpoint: Checkpoint, architecture: Architecture | None) -> Sequence[Wanted]:
    """The tensors of a model by each table of names that a checkpoint of its kind may follow."""
    if architecture is None:
        return [Wanted([])]
    if checkpoint.gguf is None:
        return wanted(architecture)
    from gptcount.families import gguf

    return gguf.tables(architecture)


def _false_claim(checkpoint: Checkpoint, reconciliation: Sequence[Item]) -> Iterator[str]:
    """What the index says of the number of parameters, where none of the totals is that."""
    claimed, totals = checkpoint.claimed, [item.parameters for item in reconciliation if item.total]
    if claimed is not None and claimed not in totals:
        yield f"The index says total_parameters = {count(claimed)}, and the tensors have {count(totals[-1])}."


def _reconciliation(rows: Sequence[Row], architecture: Architecture | None) -> Iterator[Item]:
    """From the elements in the file to the parameters of the model, line by line."""
    changes = {"numbers packed into fewer elements": 0} | dict.fromkeys(
        (*surplus.KNOWN, surplus.LAYER, surplus.UNKNOWN), 0
    )
    for row in rows:
        if row.finding == "missing":
            label, change = "missing tensors", row.parameters or 0
        else:
            parameters = row.elements if row.parameters is None else row.parameters
            changes["numbers packed into fewer elements"] += parameters - row.elements
            if row.finding == "shape":
                label = "tensors of another shape, in the model's"
                change = row.copies * prod(row.wanted or ()) - parameters
            else:
                label, change = row.kind, -parameters if row.finding == "surplus" else 0
        if change:
            changes[label] = changes.get(label, 0) + change
    elements = sum(row.elements for row in rows)
    yield Item("elements in the file", elements, "elements")
    if architecture is None and any(row.parameters is None for row in rows):
        return
    yield from (Item(label, change) for label, change in changes.items() if change)
    stored = elements + sum(changes.values())
    if architecture is None:
        yield Item("numbers that the tensors stand for", stored, "stored")
        return
    yield Item("stored: what a checkpoint of the model holds", stored, "stored")
    buffers = sum(weight.parameters for weight in architecture.inventory() if weight.role == "buffer")
    if buffers:
        yield Item("buffers, which training does not learn", -buffers)
    yield Item("parameters of the model", stored - buffers, "parameters")


def _unread(rows: Sequence[Row], architecture: Architecture | None) -> Iterator[str]:
    """Why there is no total, where there is none: the tensors whose numbers headers do not tell."""
    names = [f"{row.tensor} ({row.dtype})" for row in rows if row.parameters is None]
    if names and architecture is None:
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield (
            f"How many numbers these stand for cannot be read from headers alone: {some}. So no total is given; a "
            "config.json beside them, or --against MODEL, decides it."
        )


def _dtypes(entries: Iterable[Entry]) -> tuple[Dtype, ...]:
    """The split by dtype, the most bytes first."""
    by_dtype: dict[str, list[Entry]] = {}
    for entry in entries:
        by_dtype.setdefault(entry.dtype, []).append(entry)
    found = [
        Dtype(dtype, len(alike), sum(entry.elements for entry in alike), sum(entry.bytes for entry in alike))
        for dtype, alike in by_dtype.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.bytes, one.dtype)))
