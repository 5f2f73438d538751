"""A specification: plain data or TOML text into an Architecture, and back into TOML text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.faults import checked
from gptcount.settings import LONGEST, overlong


def parse(text: str, origin: str) -> Architecture:
    """The architecture that TOML text specifies. Raises InputError, one line per problem, naming origin and key."""
    if why := overlong(text):
        raise InputError(f"{origin}: {why}")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{origin}: not valid TOML: {shown(str(fault), 200)}") from None
    return validate(data, origin)


def validate(data: dict[str, Any], origin: str) -> Architecture:
    """The architecture that plain data specify. Raises InputError as ``parse`` does."""
    return checked(Architecture, data, origin)


def changed(architecture: Architecture, settings: Sequence[str]) -> Architecture:
    """The architecture with each ``KEY=VALUE`` set. Raises InputError as ``Architecture.changed`` does."""
    return architecture.changed(*settings)


def toml(architecture: Architecture, comments: Sequence[str] = ()) -> str:
    """The specification as a TOML file that reads back to the same architecture, under ``comments``, a line each."""
    head = [f"# {shown(comment, 200)}" for comment in comments]
    return "\n".join([*head, *([""] if head else []), *_toml(architecture.plain(), "")]) + "\n"


def _toml(table: dict[str, Any], path: str) -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, dict) and not (value and isinstance(value, list) and isinstance(value[0], dict)):
            yield f"{key} = {_literal(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            bare = bool(value) and all(isinstance(inner, dict) for inner in value.values())
            yield from (() if bare else ("", f"[{path}{key}]"))
            yield from _toml(value, f"{path}{key}.")
        elif value and isinstance(value, list) and isinstance(value[0], dict):
            for item in value:
                yield from ("", f"[[{path}{key}]]", *_toml(item, f"{path}{key}."))


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}" if value >= 10_000 else str(value)
    if isinstance(value, list):
        items = [_literal(item) for item in value]
        long = sum(map(len, items)) > LONGEST // 10
        return "[\n" + "".join(f"  {item},\n" for item in items) + "]" if long else f"[{', '.join(items)}]"
    if isinstance(value, str):
        escaped = "".join(f"\\U{ord(c):08X}" if not c.isprintable() else f"\\{c}" if c in '"\\' else c for c in value)
        return f'"{escaped}"'
    return f"{value:_}" if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else repr(value)
