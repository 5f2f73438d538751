"""JSON: raw integers, a schema number, one row a line. Keys are only ever added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gptcount.output.text import sayable

EXACT = 2**53
"""Above it many readers of JSON round; such a number is also there as text."""


def render(document: Mapping[str, Any], encoding: str = "utf-8") -> str:
    """The document as text that a stream of this encoding can say, every character of a name safe to show."""
    lines = (f"  {_dumped(key)}: {_value(value)}" for key, value in _exact(document).items())
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if sayable(text, encoding) and text.replace("\n", "").isprintable():
        return text
    return text.translate(_Escapes())


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {_dumped(_exact(item))}" for item in value) + "\n  ]"
    return _dumped(_exact(value) if isinstance(value, dict) else value)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _exact(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record, with each integer above 2^53 also as text under an added key."""
    large = {
        f"{key}_text": str(value) for key, value in record.items() if isinstance(value, int) and abs(value) > EXACT
    }
    return {**record, **large}


class _Escapes(dict[int, str]):
    """Every character that is not plain ASCII as JSON escapes it."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character == "\n" or (character.isascii() and character.isprintable()):
            return character
        return json.dumps(character)[1:-1] if code > 0x7F else f"\\u{code:04x}"
