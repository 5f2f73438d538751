"""A config.json or params.json: JSON text into an Architecture, by way of its family's reader. No code of it is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from gptcount.architecture import MOST_VARIATIONS, Architecture
from gptcount.errors import InputError, shown
from gptcount.families import read
from gptcount.families.params import is_params
from gptcount.families.params import read as read_params
from gptcount.families.quantization import quantization
from gptcount.layer import MOST_SLICES
from gptcount.numbers import count
from gptcount.sources import specification


def parse(text: str, origin: str) -> Architecture:
    """The architecture that a config.json describes. Raises InputError that names the key that is not known."""
    return parse_with_comments(text, origin)[0]


def parse_with_comments(text: str, origin: str) -> tuple[Architecture, list[str]]:
    """The architecture, and a line for each key that was absent: what it was taken to be."""
    data = as_object(text, origin)
    try:
        found, assumed = (read_params if is_params(data) else read)(data, origin)
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply") from None
    if said := quantization(data):
        found["quantization"] = said
    _in_a_pattern(found.get("variations", ()), data, origin)
    return specification.validate(found, origin), assumed


def _in_a_pattern(variations: Sequence[dict[str, Any]], data: dict[str, Any], origin: str) -> None:
    """Raises InputError, naming the list that says so, where layers differ in more ways than can be specified."""
    if len(variations) > MOST_VARIATIONS or any(len(one["layers"]) > MOST_SLICES for one in variations):
        longest = max(((len(value), key) for key, value in _lists(data)), default=(0, "layers"))[1]
        raise InputError(
            f"{origin}: {shown(longest)}: the layers differ in no pattern that slices of {count(MOST_SLICES)} "
            f"characters could say, or in more than {count(MOST_VARIATIONS)} ways"
        )


def _lists(data: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for key, value in data.items():
        if isinstance(value, list):
            yield key, value
        elif isinstance(value, dict):
            yield from _lists(value)


def bits(text: str) -> tuple[int, ...]:
    """How many bits a number of a quantized checkpoint has, by its config.json, whether its model is known or not."""
    try:
        said = quantization(as_object(text, "config.json")) or {}
    except (InputError, RecursionError):
        return ()
    return tuple(scheme["bits"] for scheme in said.get("schemes", ()))


def as_object(text: str, origin: str) -> dict[str, Any]:
    """The JSON object that a text is, no key given twice. Raises InputError where it is none."""
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, origin))
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{origin}: not valid JSON: {shown(str(fault), 200)}") from None
    if not isinstance(data, dict):
        raise InputError(f"{origin}: not a JSON object, as a config.json is")
    return data


def _once(pairs: list[tuple[str, Any]], origin: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InputError(f"{origin}: {shown(twice)}: given twice")
    return found
