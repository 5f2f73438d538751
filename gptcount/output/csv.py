"""CSV for a sheet: one rectangular table of raw integers, a record a line. A sheet adds up by itself: no totals."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any


def render(records: Sequence[Mapping[str, Any]]) -> str:
    """The records under the names of their keys."""
    file = StringIO()
    writer = csv.DictWriter(file, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _value(value) for key, value in record.items()} for record in records)
    return file.getvalue()


def _value(value: Any) -> Any:
    """A value as a sheet takes it: a list as words, and text never as a sheet's formula."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
