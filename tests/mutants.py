"""Configurations of every family that somebody has damaged: always the same ones, each by its number.

Half of them are damaged with values that could be there, so that some are still answered; the others with anything.
It knows neither gptcount nor what is right: the tests and the comparison with the reference implementation do.
"""

# ruff: noqa: ARG001  # every kind of damage takes the same three, whichever it needs

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

REFERENCE = Path(__file__).parent / "authorities" / "reference"
FAMILIES = sorted(path.stem for path in (REFERENCE / "mutations").glob("*.json"))
PER_FAMILY = 125

Value = Any
Object = dict[str, Any]


class Mutant(NamedTuple):
    """The text of one damaged configuration, what was done to it, and whether a key is in it that nobody knows."""

    name: str
    text: str
    done: tuple[str, ...]
    unknown: bool


NUMBERS: tuple[Value, ...] = (
    *(0, 1, 2, 3, 7, 64, 97, 1000, 65_537, 100_000, 100_001, 10**7, 10**9, 10**9 + 1, 2**31, 2**63, 10**18, 10**400),
    *(-1, -4, -(10**9), -(10**30), 0.0, -0.0, 0.5, 1.0, 1.5, 4.0, -2.5, 1e9, 1e18, 1e300, 5e-324),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS = (
    *("", " ", "4", "0x10", "true", "null", "NaN", "silu", "gelu", "full_attention", "sliding_attention", "dense", "é"),
    *("\x1b[31mred\x1b[0m", "\x1b]8;;http://example.org\x07link", "[bold red]markup[/]", "[/]", "{}", "{0}", "%s%n"),
    *(
        "two\nlines",
        "tab\tand\rreturn",
        "\x00",
        "\u202eright to left",
        "\ud800",
        "\u2028",
        "<b>&amp;",
        "${HOME}",
        "a" * 5000,
    ),
    *("../../etc/passwd", "__class__", "self", "\\", '"', "'''", "🦙"),
)
CONTAINERS: tuple[Value, ...] = (
    *([], {}, [[]], [{}], {"": {}}, [None], [0], [1, 2, 3], [72], ["full_attention"], ["full_attention", "window"]),
    *([4, 4, 4, 4], [True, False], [1.5, float("nan")], {"n": 1}, {"type": "linear", "factor": 2.0}, {"value": [72]}),
    *(
        [[["global", "local"], 2]],
        [[["global"], 10**9]],
        [10**9] * 4,
        list(range(1000)),
        {"rope_type": "yarn", "factor": 0},
    ),
)
WORDS = (
    "full_attention",
    "sliding_attention",
    "chunked_attention",
    "dense",
    "sparse",
    "mamba",
    "attention",
    "window",
    "",
)
DEPTHS = (2, 30, 300, 20_000, *range(880, 1000, 3))
SIZES = frozenset(("num_hidden_layers", "n_layer", "n_layers", "num_layers"))
DEEP = "@nested so deep that no Python object could be@"


@cache
def evidence(family: str) -> tuple[tuple[Object, ...], tuple[tuple[str, Value], ...]]:
    """The configurations of a family that have evidence, the base first, and every key and value that they give it."""
    base = json.loads((REFERENCE / "mutations" / f"{family}.json").read_text())
    cases = json.loads((REFERENCE / "counts" / f"{family}.json").read_text())
    configs = (base["config"], *(case["config"] for case in cases))
    said = [pair for config in configs for pair in (config | config.get("text_config", {})).items()]
    said += [(mutation["key"].split(".")[-1], mutation.get("value")) for mutation in base["mutations"]]
    return configs, tuple(pair for pair in said if pair[0] not in ("model_type", "text_config", "vision_config"))


def mutants(per_family: int = PER_FAMILY) -> Iterator[Mutant]:
    """All of them, family by family."""
    for family in FAMILIES:
        for number in range(per_family):
            yield mutant(family, number)


def mutant(family: str, number: int) -> Mutant:
    """One of them; its name says which."""
    rng = Random(f"{family} {number}")
    configs, _ = evidence(family)
    config = json.loads(json.dumps(configs[0] if rng.random() < 0.5 else rng.choice(configs)))
    tame = rng.random() < 0.5
    done, unknown, texts = [], False, []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        change = rng.choice(TAME if tame else WILD)
        said = change(rng, family, config)
        done.append(said)
        unknown |= change in (misspelled, surplus) and bool(said)
    if rng.random() < 0.015:
        done.append(many(rng, family, config))
    if not tame and rng.random() < 0.15:
        texts.append(rng.choice(OF_TEXT))
    text = json.dumps(config, ensure_ascii=rng.random() < 0.5)
    text = text.replace(json.dumps(DEEP), _deep(rng))
    for damage in texts:
        text = damage(rng, text)
        done.append(damage.__name__)
    return Mutant(f"{family} {number}", text, tuple(said for said in done if said), unknown)


def _deep(rng: Random) -> str:
    depth = rng.choice(DEPTHS)
    return "[" * depth + "]" * depth if rng.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth


def _table(rng: Random, config: Object) -> Object:
    """The object whose keys are counted: the configuration, or what is in it that holds the sizes."""
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) and rng.random() < 0.9 else config


def _places(config: Object) -> list[tuple[Any, Any]]:
    """Every value: the object or list that it stands in, and its key or index there."""
    found: list[tuple[Any, Any]] = []
    left: list[Any] = [config]
    while left:
        holder = left.pop()
        for key, value in list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder)):
            if key not in ("model_type", "vision_config", "architectures"):
                found.append((holder, key))
                left += [value] if isinstance(value, dict | list) and len(value) < 50 else []
    return found


def _place(rng: Random, config: Object) -> tuple[Any, Any]:
    table = _table(rng, config)
    if rng.random() < 0.7 and (keys := [key for key in table if key not in ("model_type", "vision_config")]):
        return table, rng.choice(keys)
    return rng.choice(_places(table) or [(table, "model_type")])


def _put(holder: Any, key: Any, value: Value) -> str:
    holder[key] = value
    return f"{key} = {str(value)[:60]}"


# ----------------------------------------------------------------------------------------- values that could be there


def near(rng: Random, family: str, config: Object) -> str:
    """A value of the same type, beside the one that is there."""
    holder, key = _place(rng, config)
    value = holder[key] if isinstance(holder, list) or key in holder else None
    if isinstance(value, bool):
        return _put(holder, key, not value)
    if isinstance(value, int):
        others = [other for other in _table(rng, config).values() if type(other) is int and other < 1000]
        return _put(holder, key, rng.choice([value + 1, max(value - 1, 1), 2 * value, value // 2 or 1, 1, 12, *others]))
    if isinstance(value, float):
        return _put(holder, key, rng.choice([2 * value, value / 2, 1.0, 1, 0.5]))
    if isinstance(value, list):
        return _put(holder, key, _relisted(rng, value))
    return given(rng, family, config)


def _relisted(rng: Random, value: list[Value]) -> list[Value]:
    kind = rng.randrange(6)
    if not value or kind == 0:
        return [*value, rng.choice(WORDS)]
    if kind == 1:
        return value[:-1]
    if kind == 2:
        return value[::-1]
    if kind == 3:
        return [rng.choice(value) for _ in value]
    if kind == 4:
        return value + value
    return [value[0]] * len(value)


def given(rng: Random, family: str, config: Object) -> str:
    """A key as another configuration of the family has it."""
    key, value = rng.choice(evidence(family)[1])
    return _put(_table(rng, config), key, json.loads(json.dumps(value)))


def dropped(rng: Random, family: str, config: Object) -> str:
    """A key taken out."""
    holder, key = _place(rng, config)
    if isinstance(holder, list) or key not in holder or key == "model_type":
        return ""
    del holder[key]
    return f"without {key}"


def nulled(rng: Random, family: str, config: Object) -> str:
    """A key that says null."""
    holder, key = _place(rng, config)
    return _put(holder, key, None)


# ------------------------------------------------------------------------------------------------------------ anything


def hostile(rng: Random, family: str, config: Object) -> str:
    """Any value in a place where another was."""
    holder, key = _place(rng, config)
    kinds = (NUMBERS, NUMBERS, NUMBERS, TEXTS, CONTAINERS, (True, False, None), (DEEP,), WORDS)
    return _put(holder, key, json.loads(json.dumps(rng.choice(rng.choice(kinds)))))


def inside(rng: Random, family: str, config: Object) -> str:
    """Any value in a list or a nested object, put there first if there is none."""
    said = ""
    if not (places := _inner(rng, config)):
        key, value = rng.choice(
            [pair for pair in evidence(family)[1] if isinstance(pair[1], list | dict)] or [("a", [1])]
        )
        said = _put(_table(rng, config), key, json.loads(json.dumps(value))) if key != "a" else ""
        places = _inner(rng, config)
    if not places:
        return said
    holder, key = rng.choice(places)
    kinds = (NUMBERS, NUMBERS, TEXTS, CONTAINERS, (True, False, None), (DEEP,), WORDS)
    return f"{said} inside: {_put(holder, key, json.loads(json.dumps(rng.choice(rng.choice(kinds)))))}"


def _inner(rng: Random, config: Object) -> list[tuple[Any, Any]]:
    table = _table(rng, config)
    return [(holder, key) for holder, key in _places(table) if holder is not table]


def many(rng: Random, family: str, config: Object) -> str:
    """As many layers as there can be, and every list that has one entry a layer as long."""
    table = _table(rng, config)
    for key in SIZES & table.keys():
        before, table[key] = table[key], rng.choice((5_000, 100_000))
        for other, value in table.items():
            if isinstance(value, list) and value and len(value) == before and DEEP not in value:
                shuffled = rng.random() < 0.5
                table[other] = [rng.choice(value) if shuffled else value[at % len(value)] for at in range(table[key])]
            elif isinstance(value, list) and all(type(index) is int for index in value):
                table[other] = list(range(table[key]))
        return f"{table[key]} layers"
    return ""


def huge(rng: Random, family: str, config: Object) -> str:
    """A size that is too large to be true, and sometimes all of them."""
    table = _table(rng, config)
    sizes = [key for key, value in table.items() if type(value) is int]
    for key in sizes if rng.random() < 0.2 else rng.sample(sizes, min(len(sizes), 1)):
        table[key] = rng.choice((100_000, 10**7, 10**9, 10**9, 10**12, 10**300)) if key not in SIZES else 10**9
    return "huge sizes"


def swapped(rng: Random, family: str, config: Object) -> str:
    """Two values, each in the other's place."""
    table = _table(rng, config)
    one, other = rng.choice(list(table)), rng.choice(list(table))
    if "model_type" in (one, other):
        return ""
    table[one], table[other] = table[other], table[one]
    return f"{one} and {other} swapped"


def retyped(rng: Random, family: str, config: Object) -> str:
    """The same value in another type: "72", [72], {"value": 72}, 72.0."""
    holder, key = _place(rng, config)
    value = holder[key] if isinstance(holder, list) or key in holder else None
    makes: list[Callable[[Value], Value]] = [
        str,
        lambda v: [v],
        lambda v: {"value": v},
        lambda v: [v] * 4,
        json.dumps,
        bool,
    ]
    if isinstance(value, int) and abs(value) < 10**300:
        makes += [float, lambda v: v + 0.5, lambda v: -v]
    if isinstance(value, list | dict):
        makes += [len, lambda v: dict.fromkeys(map(str, v)), list]
    return _put(holder, key, rng.choice(makes)(value))


def misspelled(rng: Random, family: str, config: Object) -> str:
    """A key that is nearly right."""
    table = _table(rng, config)
    keys = [key for key in table if key not in ("model_type", "vision_config", "text_config") and len(key) > 5]
    if not keys:
        return ""
    key = rng.choice(keys)
    at = rng.randrange(1, len(key) - 1)
    wrong = rng.choice(
        (key[:at] + key[at] * 2 + key[at:], key[:at] + key[at + 1] + key[at - 1] + key[at:], key + "_", key.upper())
    )
    table[wrong] = table.pop(key) if rng.random() < 0.5 else table[key]
    return f"{key} as {wrong}"


def surplus(rng: Random, family: str, config: Object) -> str:
    """A key that nobody knows."""
    word = "".join(rng.choices(string.ascii_lowercase + "_", k=9))
    key = rng.choice((f"n_{word}", f"use_{word}", f"{word}_size", *TEXTS[-14:], "\x1b[2J", "\ud800", "a" * 3000))
    key = key if key not in ("self",) else f"{word}_self"
    value = rng.choice((1, 64, True, False, None, [], {}, "yes"))
    _table(rng, config)[key] = value
    return f"surplus {key[:40]!r}"


def family_swapped(rng: Random, family: str, config: Object) -> str:
    """The name of another family, or of none."""
    names = (*FAMILIES, "mamba", "jamba", "lama", "", "GPT2", "llama\x1b[31m", "gpt3", "bert", "t5", *TEXTS[:20])
    table = config.get("text_config")
    return _put(
        table if isinstance(table, dict) else config, "model_type", rng.choice((*names, *NUMBERS[:4], None, [], {}))
    )


WILD = (
    *[hostile] * 7,
    *[inside] * 3,
    huge,
    *[swapped] * 2,
    *[retyped] * 3,
    *[misspelled] * 2,
    surplus,
    family_swapped,
    dropped,
    nulled,
)
TAME = (*[near] * 5, *[given] * 4, *[dropped] * 2, nulled)


# ------------------------------------------------------------------------------------------------ damage to the text


def cut(rng: Random, text: str) -> str:
    return text[: rng.randrange(len(text))]


def typed_over(rng: Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice('{}[]",:\\0e-\x00\x1b\ufeff\ud800') + text[at + 1 :]


def doubled(rng: Random, text: str) -> str:
    """A key said twice, in an object chosen by chance."""
    if not isinstance(config := _loaded(text), dict):
        return text
    tables = [config, *(value for value in config.values() if isinstance(value, dict) and value)]
    table = rng.choice(tables)
    key = rng.choice(list(table) or ["model_type"])
    whole = text if table is config else json.dumps(table)
    twice = "{" + json.dumps(key) + ": " + json.dumps(rng.choice((table.get(key), 1, None))) + ", " + whole[1:]
    return text.replace(whole, twice, 1)


def _loaded(text: str) -> Value:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def garbled(rng: Random, text: str) -> str:
    return rng.choice(
        (text + text, text + "\x00", "\ufeff" + text, "", "null", "[]", "1" * 5000, f"[{text}]", text + "//")
    )


def endless(rng: Random, text: str) -> str:
    """A number of thousands of digits for the first number that there is."""
    at = next((index for index, letter in enumerate(text) if letter.isdigit()), 0)
    return text[:at] + "9" * rng.choice((400, 4000, 5000)) + text[at:]


OF_TEXT = (cut, typed_over, doubled, doubled, doubled, garbled, endless)
