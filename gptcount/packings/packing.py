"""A packing, as the table says it: the tensors that it makes of a weight, and what the words of their shapes come to.

It knows no model and no file. ``packed`` goes from tensors to weights, ``disk`` from weights to tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import ceil
from typing import NamedTuple

from gptcount.packings.table import TABLE

FLOATS = ("F16", "BF16", "F32")
FLOATS_8 = ("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
GROUPS = (16, 32, 64, 128, 256, 512, 1024)
"""The groups that occur where a method does not say which it has; besides, all that goes in may be one."""


class Part(NamedTuple):
    """One tensor of a packing."""

    name: str
    dtype: str
    """The one that is stored; ``F`` is the model's."""
    dtypes: tuple[str, ...]
    """Those that occur."""
    shapes: tuple[tuple[str, ...], ...]
    """The shapes that occur, each dimension in words; none where any does."""
    when: str
    """Empty where it is always there."""

    def named(self, weight: str) -> str:
        """Its name beside a weight of this name."""
        module = weight.removesuffix(".weight")
        return weight + self.name[1:] if self.name[0] == "W" else module + self.name[1:]


class Packing(NamedTuple):
    """How one method stores a weight. The first of its ``parts`` holds the numbers."""

    name: str
    bits: tuple[int, ...]
    groups: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def plain(self) -> bool:
        """Whether an element holds one number."""
        return all(set(shape) == {"out", "in"} for shape in self.parts[0].shapes)


Known = Mapping[str, int]
"""Sizes, by the words of the table."""


def known(out: int, goes_in: int, bits: int, group: int, block: tuple[int, int] = (128, 128)) -> dict[str, int]:
    """What the words come to for a weight: ``group`` numbers share a scale, or a ``block`` of rows and columns."""
    groups, per_word = ceil(goes_in / group), 32 // bits
    return {
        **{"out": out, "in": goes_in, "n": out * goes_in, "bits": bits, "group": group, "groups": groups},
        "padded": _padded(groups, group),
        "words": ceil(goes_in / per_word),
        "out_words": ceil(out / per_word),
        "bytes_in": ceil(goes_in / 8),
        "block_rows": ceil(out / block[0]),
        "block_columns": ceil(goes_in / block[1]),
        "levels": 2**bits,
        "tiles_out": ceil(out / 8),
        "tiles_in": 8 * ceil(goes_in / 1024),
    }


def _padded(groups: int, group: int) -> int:
    """Groups as the kernels of AWQ want them: a multiple of 8, and of 16 or 32 where they are small."""
    of = 8 * {32: 4, 64: 2}.get(group, 1)
    return ceil(groups / of) * of


def size(formula: str, sizes: Known) -> int | None:
    """What a dimension in words comes to: None where a word is not known, or a division leaves a rest.

    What is divided flat, as one row of numbers, may fill its last part in part only.
    """
    upper, *lower = formula.removeprefix("flat ").split("/")
    value, flat = 1, upper.startswith(("n", "group"))
    for word in upper.split("*"):
        value *= int(word) if word.isdigit() else sizes.get(word, 0)
    for word in lower:
        by = int(word) if word.isdigit() else sizes.get(word, 0)
        if not by or (value % by and not flat):
            return None
        value = -(-value // by)
    return value or None


@cache
def packings() -> dict[str, Packing]:
    """The table, by name."""
    found: dict[str, Packing] = {}
    for text in TABLE.strip().split("\n\n"):
        head, *lines = text.splitlines()
        said, _, groups = head.partition(":")
        name, *bits = said.split()
        found[name] = Packing(name, tuple(map(int, bits)), tuple(map(int, groups.split())), tuple(map(_part, lines)))
    return found


def _part(line: str) -> Part:
    said, _, when = line.partition(";")
    name, dtypes, shapes = said.split(None, 2)
    of = {"F": FLOATS, "F8": FLOATS_8}
    return Part(
        name,
        {"F8": "F8_E4M3"}.get(first := dtypes.split("|")[0], first),
        tuple(dict.fromkeys(dtype for word in dtypes.split("|") for dtype in of.get(word, (word,)))),
        () if "any" in shapes.split() else tuple(map(_shape, shapes.strip().split(" or "))),
        when.strip(),
    )


def _shape(text: str) -> tuple[str, ...]:
    return () if text.strip() == "scalar" else tuple(word.strip() for word in text.split(","))
