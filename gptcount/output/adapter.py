"""What is shown of an adapter: settings, targets, whether they fit; and the document that a program reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gptcount.adapter import Adapter, Settings
from gptcount.errors import shown
from gptcount.numbers import count, size
from gptcount.output.records import SCHEMA
from gptcount.output.table import Column, Part, Prose, Row, Table


def parts(found: Adapter) -> list[Part]:
    """Everything that ``gptcount audit`` shows of an adapter."""
    notes = [Prose("\n".join(shown(note, 1000) for note in found.notes))] if found.notes else []
    return [Prose("\n".join(settings(found.settings))), targets(found), *notes, Prose(verdict(found))]


def document(found: Adapter) -> dict[str, Any]:
    """The document of ``gptcount audit --json`` for an adapter."""
    said = found.settings
    return {
        "schema": SCHEMA,
        "checkpoint": found.checkpoint,
        "model": found.model or None,
        "agrees": found.agrees if found.model else None,
        "adapter": {
            "method": said.method,
            "rank": said.rank,
            "alpha": said.alpha,
            "rank_stabilized": said.rank_stabilized,
            "targets": list(said.targets),
            "base": said.base or None,
        },
        "rows": found.to_records(),
        "totals": {"adapter": found.parameters, "parameters": found.model_parameters},
        "bytes": found.bytes,
        "notes": list(found.notes),
    }


def settings(said: Settings) -> Iterator[str]:
    """The settings, a line each."""
    rank = "" if said.rank is None else f", rank {count(said.rank)}"
    alpha = "" if said.alpha is None else f", alpha {said.alpha:g}"
    scale = ""
    if said.rank and said.alpha is not None:
        by = said.rank**0.5 if said.rank_stabilized else said.rank
        scale = f": what it adds is multiplied by {said.alpha / by:g}"
    yield f"{said.method}{rank}{alpha}{scale}."
    if said.targets:
        yield f"Targets: {shown(', '.join(said.targets), 500)}."
    if said.base:
        yield f"Made for: {shown(said.base, 200)}."


def targets(found: Adapter) -> Table:
    """The numbers by target."""
    columns = (
        Column("target"),
        Column("parts", optional=1),
        Column("modules", right=True),
        Column("parameters", right=True),
        *([Column("found")] if found.model or not found.agrees else []),
    )
    title = f"{found.checkpoint}: an adapter" + (f", held against {shown(found.model)}" if found.model else "")
    rows = [
        Row((row.target, _shapes(row.parts), row.copies, row.parameters, row.finding)[: len(columns)])
        for row in found.rows
    ]
    copies = sum(row.copies for row in found.rows)
    whole = Row(("all targets", "", copies, found.parameters, "")[: len(columns)], kind="total")
    return Table(title, columns, (*rows, whole))


def _shapes(of: Any) -> str:
    return ", ".join(f"{part} {' × '.join(map(count, shape)) or 'one number'}" for part, shape in of.items())


def verdict(found: Adapter) -> str:
    """How much it is, and whether it fits, in a sentence or two."""
    much = f"{count(found.parameters)} parameters, {size(found.bytes)} on disk"
    if found.model_parameters:
        share = 100 * found.parameters / found.model_parameters
        much += f": {share:.3g} % of the model's {count(found.model_parameters)}"
    if not found.agrees:
        wrong = sum(row.copies for row in found.rows if not row.agrees)
        return f"{much}. Does not fit: {count(wrong)} of {count(sum(row.copies for row in found.rows))} modules."
    return f"{much}. " + ("Fits." if found.model else "Held against no model; name its base with --against.")
