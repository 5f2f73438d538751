"""A specification: plain data or TOML text into an Architecture, every fault in a line, and back into TOML text."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from gptcount.architecture import Architecture
from gptcount.blocks.block import Block
from gptcount.errors import InputError, shown
from gptcount.numbers import count

CHANGED = "changed by --set, so the published total is not compared"
LONGEST_LINE, MOST_DOTS = 10_000, 30
"""Characters of a line, and dots of a key: of very many the TOML reader would take very long."""

DOTTED = re.compile(rf"(?:[\w\"'-]+\s*\.\s*){{{MOST_DOTS + 1}}}")


def parse(text: str, origin: str) -> Architecture:
    """The architecture that TOML text specifies. Raises InputError, a line a fault, each naming origin and key."""
    if DOTTED.search(text):
        raise InputError(f"{origin}: a key of more than {MOST_DOTS} dots; no specification has such")
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise InputError(f"{origin}: a line of more than {count(LONGEST_LINE)} characters; no specification has such")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{origin}: not valid TOML: {shown(str(fault), 200)}") from None
    return validate(data, origin)


def validate(data: dict[str, Any], origin: str) -> Architecture:
    """The architecture that plain data specify. Raises InputError as ``parse`` does."""
    try:
        return Architecture.model_validate(data)
    except ValidationError as faults:
        lines = [f"{origin}: {_fault(fault)}" for fault in faults.errors(include_url=False)]
        raise InputError("\n".join(dict.fromkeys(lines))) from None
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply") from None


def changed(architecture: Architecture, settings: Sequence[str]) -> Architecture:
    """The architecture with each ``KEY=VALUE`` set; a dot goes into a block, a value is written as in TOML.

    A published total is not that of the changed model, and is left out. Raises InputError for a key that there is not
    or a value that it does not take.
    """
    if not settings:
        return architecture
    data = plain(architecture)
    if data.pop("published", None):
        data.setdefault("notes", []).append(CHANGED)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {shown(setting)}: not of the form KEY=VALUE, for example n_layers=48")
        try:
            _put(data, key.strip(), _value(value.strip()))
        except (KeyError, IndexError, ValueError, TypeError):
            raise InputError(f"--set {shown(setting)}: there is no {shown(key)} to set") from None
    return validate(data, "--set")


def plain(architecture: Architecture) -> dict[str, Any]:
    """The specification as plain data, with the keys that are not at their defaults."""
    return _without_defaults(architecture)


def toml(architecture: Architecture, comments: Sequence[str] = ()) -> str:
    """The specification as a TOML file that reads back to the same architecture, under ``comments``, a line each."""
    head = [f"# {shown(comment, 200)}" for comment in comments]
    return "\n".join([*head, *([""] if head else []), *_toml(plain(architecture), "")]) + "\n"


def _without_defaults(block: Block) -> dict[str, Any]:
    kept = {}
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if name == "kind" or field.is_required() or value != field.get_default():
            kept[name] = _data(value)
    return kept


def _data(value: Any) -> Any:
    if isinstance(value, Block):
        return _without_defaults(value)
    return [_data(item) for item in value] if isinstance(value, tuple) else value


def _put(data: Any, key: str, value: Any) -> None:
    *path, last = key.split(".")
    if not all((*path, last)):
        raise KeyError(key)
    for word in path:
        if not isinstance(data, list) and word.isdecimal():
            raise KeyError(word)
        data = data[int(word)] if isinstance(data, list) else data.setdefault(word, {})
    if isinstance(data, list):
        data[int(last)] = value
    else:
        data[last] = value


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text


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
        return f"[{', '.join(_literal(item) for item in value)}]"
    if isinstance(value, str):
        escaped = "".join(f"\\U{ord(c):08X}" if not c.isprintable() else f"\\{c}" if c in '"\\' else c for c in value)
        return f'"{escaped}"'
    return f"{value:_}" if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else repr(value)


WANTED = {
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
}
"""What is wanted where a value is of another type, by pydantic's name for the fault."""


def _fault(fault: Any) -> str:
    """One line for one of pydantic's faults: the key, what is wrong, and what is allowed."""
    block, path = _place(fault["loc"])
    key, kind, given = ".".join(path), fault["type"], fault["input"]
    at = f"{shown(key)}: " if key else ""
    if kind == "extra_forbidden":
        return f"unknown key {shown(key) or repr(key)}{_closest(path[-1], block)}"
    if kind == "missing":
        return f"{at}missing"
    if kind == "union_tag_not_found":
        return f"{shown(key)}.kind: missing; one of {fault['ctx'].get('discriminator') and _tags(block, path[-1])}"
    if kind == "union_tag_invalid":
        return f"{shown(key)}.kind: {shown(fault['ctx']['tag'])!r} is none of {fault['ctx']['expected_tags']}"
    if kind in WANTED:
        return f"{at}{WANTED[kind]} is wanted, and this is {shown(_repr(given))}"
    message = re.sub(r"^Value error, |^Input ", "", fault["msg"])
    if kind == "value_error" or isinstance(given, dict):
        return f"{at}{message}"
    return f"{at}{message}, is {shown(_repr(given))}"


def _repr(value: object) -> str:
    try:
        return str(value).lower() if isinstance(value, bool) else repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; data nested thousands deep
        return "too long to show"


def _place(location: tuple[int | str, ...]) -> tuple[type[BaseModel], list[str]]:
    """The block that a fault is in, and its path without pydantic's tags."""
    block: type[BaseModel] = Architecture
    path: list[str] = []
    inner: list[type[BaseModel]] = [Architecture]
    for place, part in enumerate(location):
        tagged = [candidate for candidate in inner if part == _kind(candidate)]
        if tagged and part not in block.model_fields:
            block, inner = tagged[0], tagged
            continue
        choices = ("bool", "literal[False]", *(candidate.__name__ for candidate in inner))
        if part not in block.model_fields and part in choices:
            continue
        path.append(str(part))
        if isinstance(part, str) and part in block.model_fields and place + 1 < len(location):
            inner = list(_blocks(block.model_fields[part].annotation))
            block = inner[0] if inner else block
    return block, path


def _kind(block: type[BaseModel]) -> str | None:
    field = block.model_fields.get("kind")
    return field.default if field else None


def _blocks(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _blocks(inner)


def _tags(block: type[BaseModel], field: str) -> str:
    found = block.model_fields.get(field)
    return ", ".join(repr(_kind(inner)) for inner in _blocks(found.annotation)) if found else ""


def _closest(word: str, block: type[BaseModel]) -> str:
    """The way out of a key that there is not: the same word inside a block, a word like it here, or all words."""
    from difflib import get_close_matches

    if inside := list(dict.fromkeys(_named(word, Architecture))):
        return f"; did you mean {' or '.join(inside[:3])}?"
    near = get_close_matches(word, block.model_fields, 1, 0.5)
    return f"; the closest that there is: {near[0]}" if near else f"; there are {', '.join(block.model_fields)}"


def _named(word: str, block: type[BaseModel], path: str = "") -> Iterator[str]:
    """The dotted keys of the fields of this name, in a block and the blocks in it."""
    for name, field in block.model_fields.items():
        if name == word:
            yield f"{path}{name}"
        if name != "variations":
            for inner in _blocks(field.annotation):
                yield from _named(word, inner, f"{path}{name}.")
