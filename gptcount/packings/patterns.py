"""Patterns of module names, as quantization configurations write them: which modules one names.

Three forms occur: ``model.layers.0.self_attn``, a module and whatever is in it, wherever that stands in a name;
``model.layers.1*``, where a star is any text; and ``re:.*mlp\\.gate$``, a regular expression from the beginning of the
name. A leading ``=`` means that one module alone. This file knows names, and no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

MOST_PATTERNS, MOST_REGULAR, LONGEST, MOST_REPEATS = 200_000, 2_000, 500, 4

_PIECE = r"(?:[\w\-/ ]|\\[.\-]|(?:\\[dwsDW]|\.|\[[\w\-^]+\])(?:[*+?]\??)?|[|^$]|\((?:\?:)?|\)\??)"
_PLAIN = re.compile(rf"{_PIECE}*")
"""Regular expressions that take little time on any name: nothing repeated holds a repetition."""

Test = Callable[[str], bool]


def is_readable(pattern: str) -> bool:
    """Whether a pattern is of a known form. Regular expressions that could take very long are not."""
    if len(pattern) > LONGEST or not pattern.isprintable():
        return False
    if not pattern.startswith("re:"):
        return pattern.count("*") <= 2 * MOST_REPEATS
    try:
        re.compile(pattern[3:])
    except (re.error, RecursionError, OverflowError):
        return False
    repeats = len(re.findall(r"(?<!\\)[*+]", pattern.removesuffix(".*")))
    return repeats <= MOST_REPEATS and bool(_PLAIN.fullmatch(pattern[3:]))


def is_regular(pattern: str) -> bool:
    """Whether a pattern is more than a name."""
    return "*" in pattern or pattern.startswith("re:")


def matcher(patterns: Iterable[str]) -> Test:
    """Whether one of some patterns names a module. Each is readable."""
    alone, words, regular = set[str](), set[str](), list[str]()
    for pattern in patterns:
        if pattern.startswith("re:"):
            regular.append(f"(?:{pattern[3:]})")
        elif pattern.startswith("="):
            alone.add(pattern[1:])
        elif "*" in pattern:
            regular.append(_glob(pattern))
        else:
            words.add(pattern.strip("."))
    test = re.compile("|".join(regular)).match if regular else None

    def matches(name: str) -> bool:
        return name in alone or _within(name, words) or (test is not None and test(name) is not None)

    return matches


def _glob(pattern: str) -> str:
    """A pattern with stars as a regular expression for the whole name, perhaps after the name of a larger model."""
    pieces = [re.escape(piece) for piece in re.sub(r"\*+", "*", pattern).split("*")]
    inside = "".join(rf"(?>.*?{piece})" if piece else ".*" for piece in pieces[1:-1])
    last = rf".*{pieces[-1]}" if pieces[-1] else ".*"
    return rf"(?:.*\.)?{pieces[0]}{inside}{last}(?:\..*)?$"


def _within(name: str, words: set[str]) -> bool:
    """Whether a name has one of these as some of its words, one after the other."""
    if not words:
        return False
    of = name.split(".")
    return any(".".join(of[i:j]) in words for i in range(len(of)) for j in range(i + 1, len(of) + 1))
