"""CSV for a sheet: one rectangular table of raw integers, a record a line. A sheet adds up by itself: no totals."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from gptcount.errors import printable

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What begins a formula in a sheet, also as wide as a Chinese character."""


def render(records: Sequence[Mapping[str, Any]]) -> str:
    """The records under the names of their keys."""
    file = StringIO()
    writer = csv.DictWriter(file, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _value(value) for key, value in record.items()} for record in records)
    return file.getvalue()


def _value(value: Any) -> Any:
    """A value as a sheet takes it: a list as words, text never as a sheet's formula, and no character that steers."""
    if value is None or isinstance(value, (int, float)):
        return value
    text = printable(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    return f"'{text}" if text.startswith(FORMULA) else text
