"""What ``gptcount families`` shows: the model types that are read, file by file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gptcount.families import Family
from gptcount.families.others import UNREAD
from gptcount.numbers import count
from gptcount.output.records import SCHEMA
from gptcount.output.table import Column, Part, Prose, Row, Table


def parts(families: Sequence[Family]) -> list[Part]:
    """The table, under a heading for each file, and what is not read yet."""
    rows: list[Row] = []
    for place, family in enumerate(families):
        if place == 0 or families[place - 1].file != family.file:
            rows.append(Row((f"{family.file}: {family.group}", "", ""), kind="heading"))
        rows.append(Row((family.model_type, family.what, family.source)))
    columns = (Column("model_type"), Column("what it is"), Column("source", optional=1))
    said = (
        f"{count(len(families))} model types are read from a config.json.",
        f"Decoders that are known and not counted yet: {', '.join(sorted(UNREAD))}.",
    )
    return [Table("", columns, tuple(rows)), Prose("\n".join(said))]


def records(families: Sequence[Family]) -> list[dict[str, Any]]:
    """The model types as plain records."""
    return [one._asdict() for one in families]


def document(families: Sequence[Family]) -> dict[str, Any]:
    """The document of ``gptcount families --json``."""
    return {"schema": SCHEMA, "families": records(families), "not_counted_yet": sorted(UNREAD)}
