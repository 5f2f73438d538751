"""What a person sets: ``KEY=VALUE`` texts read as TOML reads values, and dotted keys put into plain data.

It does not know what the data specify.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from gptcount.errors import InputError, shown
from gptcount.numbers import count

MOST_CHARACTERS, LONGEST, MOST_DOTS, MOST_DOTTED = 1_000_000, 10_000, 10, 50_000
"""What is read of TOML, whose reader is slow: characters, those in a line, dots in a key, dots in all."""

QUOTED = re.compile(
    r"""(?s)\"{3}(?:[^\\]|\\.)*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|\#[^\n]*+"""
)
"""A text in quotes, or a comment."""

DOTTED = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MOST_DOTS + 1}}}")
"""A key of too many dots, its quoted words taken for plain ones."""


def overlong(text: str) -> str:
    """Why reading TOML text would take very long, or very much memory; empty where it would not."""
    if len(text) > MOST_CHARACTERS:
        return f"{count(len(text))} characters, and a specification has at most {count(MOST_CHARACTERS)}"
    if max(map(len, text.splitlines()), default=0) > LONGEST:
        return f"a line of more than {count(LONGEST)} characters; no specification has such"
    keys = QUOTED.sub("s", text)
    if DOTTED.search(keys) or keys.count(".") > MOST_DOTTED:
        return f"a key of more than {MOST_DOTS} dots, or very many such; no specification has them"
    return ""


def read(setting: str, origin: str) -> tuple[str, Any]:
    """Key and value of ``KEY=VALUE``; a value that is no TOML is the text itself."""
    if not isinstance(setting, str):
        raise InputError(f"{origin}: {shown(setting)}: expected a text of the form KEY=VALUE")
    key, equals, value = (part.strip() for part in setting.partition("="))
    if not equals or not key:
        raise InputError(f"{origin}: {shown(setting)!r} is not of the form KEY=VALUE, for example n_layers=48")
    if why := overlong(setting):
        raise InputError(f"{origin}: {shown(key)}: {why}")
    return key, _value(value)


def put(data: Any, key: str, value: Any, origin: str) -> None:
    """Set a dotted key; a whole number counts in a list. Raises InputError where there is no such place."""
    *path, last = key.split(".")
    try:
        if not all((*path, last)):
            raise KeyError(key)
        for word in path:
            data = data[int(word)] if isinstance(data, list) else _table(data).setdefault(_name(word), {})
        if isinstance(data, list):
            data[int(last)] = value
        else:
            _table(data)[last] = value
    except (KeyError, IndexError, ValueError, TypeError):
        raise InputError(f"{origin}: there is no {shown(key)} to set") from None


def said(settings: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """The settings as a person would write them."""
    return shown(", ".join([*map(str, settings), *(f"{key}={shown(value)}" for key, value in values.items())]))


def _table(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise TypeError
    return data


def _name(word: str) -> str:
    if word.isdecimal():
        raise KeyError(word)
    return word


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text
