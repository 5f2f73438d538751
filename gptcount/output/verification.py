"""What is shown of a verification: the walk at the model's real sizes, what it confirms, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gptcount.errors import shown
from gptcount.numbers import count
from gptcount.output.records import SCHEMA
from gptcount.output.table import Column, Part, Prose, Row, Table
from gptcount.output.text import cell

if TYPE_CHECKING:
    from gptcount.reference.bench import Confirmed, Done, Shaped, Verification

DATA = {
    "scores": "query · key",
    "scores, rotary": "query-rotary · key-rotary",
    "pattern": "scores",
    "seen": "pattern · value",
}
"""What goes in where data meet data and no weight."""


def of_one(verified: Verification) -> list[Part]:
    """What one verification shows of itself."""
    return parts([verified])


def parts(verified: Sequence[Verification]) -> list[Part]:
    """Everything that ``gptcount verify-shapes`` shows: of one model the walk, of several a line each."""
    if len(verified) != 1:
        return [_models(verified), *(Prose(_failures(found)) for found in verified if found.failures)]
    (found,) = verified
    walk = [_walk(found)] if found.walk else []
    said = _confirmed(found.confirmed) if found.confirmed else [_failures(found)]
    return [*walk, Prose("\n".join([*said, f"{shown(found.model)}: {_verdict(found)}"]))]


def document(verified: Sequence[Verification]) -> dict[str, Any]:
    """The document of ``gptcount verify-shapes --json``."""
    if len(verified) != 1:
        return {"schema": SCHEMA, "models": records(verified)}
    (found,) = verified
    return {
        "schema": SCHEMA,
        "model": found.model,
        "steps": steps(found),
        "confirmed": found.confirmed._asdict() if found.confirmed else None,
        "failures": list(found.failures),
    }


def records(verified: Sequence[Verification]) -> list[dict[str, Any]]:
    """A line a model."""
    return [
        {
            "model": found.model,
            **dict(zip(("matrices", "parameters"), _drawn(found), strict=True)),
            "holds": not found.failures,
            "failures": list(found.failures),
        }
        for found in verified
    ]


def steps(found: Verification) -> list[dict[str, Any]]:
    """The walk as records; ``meets`` is the weight, or data where ``weight`` is empty."""
    return [
        {
            "layers": step.where or None,
            "does": step.does,
            "weight": step.name or None,
            "takes": step.takes.words,
            "takes_sizes": list(step.takes.sizes),
            "meets": step.meets.words,
            "meets_sizes": list(step.meets.sizes),
            "gives": step.gives.words,
            "gives_sizes": list(step.gives.sizes),
        }
        for step in found.walk
    ]


def _walk(found: Verification) -> Table:
    columns = (
        Column("step"),
        Column("goes in", right=True, optional=1),
        Column("weight", right=True),
        Column("comes out", right=True),
    )
    title = f"{shown(found.model)}: the shapes, step by step"
    return Table(title, columns, tuple(_steps(found.walk)), remark="in words")


def _steps(walk: Sequence[Done]) -> Iterator[Row]:
    """The steps under a heading for the layers that do them."""
    for place, (where, steps) in enumerate(groupby(walk, lambda step: step.where)):
        heading = where or ("after the layers" if place else "before the layers")
        yield Row((heading, "", "", ""), kind="heading")
        for step in steps:
            into = _at(step.takes) if step.name else DATA.get(step.does) or f"{_at(step.takes)} · data"
            cells = (step.does, into, _at(step.meets) if step.name else "", _at(step.gives))
            yield Row(cells, step.name.partition(".")[0] or "attention", remark=_words(step))


def _at(shaped: Shaped) -> str:
    return " × ".join(map(cell, shaped.sizes))


def _words(step: Done) -> str:
    into = ", ".join(shaped.words for shaped in (step.takes, step.meets) if shaped.words)
    return f"{into} → {step.gives.words}" if into else ""


def _confirmed(confirmed: Confirmed) -> list[str]:
    probabilities = (
        f"✓ the probabilities of all {count(confirmed.n_vocab)} tokens sum to 1 (temperature {confirmed.temperature:g})"
    )
    return [
        f"✓ a small likeness of {count(confirmed.layers)} layers: {count(confirmed.arrays)} arrays, no two named sizes "
        "equal, each drawn, none left over",
        f"✓ {count(confirmed.matrices)} matrices and {count(confirmed.parameters)} parameters drawn, as the ledger has "
        "them",
        *([probabilities] if confirmed.n_vocab else []),
        "✓ no token sees a later one: with the last token changed, all vectors before it stay the same"
        if confirmed.causal
        else "✓ tokens see later ones (bidirectional): with the last token changed, vectors before it change too",
    ]


def _models(verified: Sequence[Verification]) -> Table:
    columns = (
        Column("model"),
        Column("matrices", right=True, optional=1),
        Column("parameters", right=True),
        Column("verdict"),
    )
    rows = (Row((shown(found.model), *_drawn(found), _verdict(found))) for found in verified)
    return Table("", columns, tuple(rows))


def _drawn(found: Verification) -> tuple[int, int] | tuple[None, None]:
    return (found.confirmed.matrices, found.confirmed.parameters) if found.confirmed else (None, None)


def _verdict(found: Verification) -> str:
    return "the shapes do not hold" if found.failures else "all shapes hold"


def _failures(found: Verification) -> str:
    return "\n".join(f"✗ {shown(failure, 1000)}" for failure in found.failures)
