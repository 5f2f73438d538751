"""Names of tensors: found in a family's table whatever their numbers and their prefix, and written for many at once.

It knows names only: not what is in a tensor, nor where the names come from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from math import prod

from gptcount.errors import shown
from gptcount.stored import Tensor
from gptcount.weight import Axis, slices

Numbers = tuple[int, ...]
"""The numbers in a name, in their order: a layer, an expert."""

NUMBER = re.compile(r"(?<![^.])(?:0|[1-9][0-9]{0,8})(?![^.])")
"""A word between dots that counts something, written as numbers are."""

MOST_LISTED = 100_000
"""Of so many equal tensors at most it is said which are missing; so many names are looked at for their prefix."""


@lru_cache(4)  # one name is asked for several times in a row
def parts(name: str) -> tuple[str, Numbers]:
    """A name with ``{}`` for each number between its dots, and the numbers."""
    return NUMBER.sub("{}", name), tuple(map(int, NUMBER.findall(name)))


def spelled(template: str, numbers: Sequence[Numbers]) -> str:
    """The names of many tensors as one: ``{0:32}`` where the numbers differ, dots where they make no rectangle."""
    texts = ["{…}"] * template.count("{}")
    columns = [sorted(set(column)) for column in zip(*numbers, strict=True)]
    if numbers and prod(map(len, columns)) == len(numbers):
        texts = [_said(column) for column in columns]
    between = template.split("{}")
    return shown("".join(a + b for a, b in zip(between, (*texts, ""), strict=True)), 120)


def _said(column: list[int]) -> str:
    if len(column) == 1:
        return str(column[0])
    if column[-1] - column[0] == len(column) - 1:
        return f"{{{column[0]}:{column[-1] + 1}}}"
    text = slices(column) if len(column) <= 1000 else ""
    return f"{{{text}}}" if 0 < len(text) <= 24 else "{…}"


class Wanted:
    """The tensors that a model's checkpoint has, found by name."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = tensors
        self._within = [[_indices(axis) for axis in tensor.indices] for tensor in tensors]
        self._places: dict[str, list[int]] = {}
        for place, tensor in enumerate(tensors):
            self._places.setdefault(parts(tensor.name)[0], []).append(place)
        layered = (t.name for t in tensors if t.indices and t.indices[0].name == "n_layers")
        self.stem = next(layered, "").partition("{}")[0]
        """What stands before the number of a layer."""

    def templates(self) -> Iterable[str]:
        """Every name, ``{}`` for each number."""
        return self._places

    def find(self, name: str) -> tuple[int, Numbers] | None:
        """The place in ``tensors`` of the one that has this name, and the numbers for its ``{}``."""
        words = name.split(".")
        for place in self._places.get(parts(name)[0], ()):
            pairs = list(zip(words, self.tensors[place].name.split("."), strict=True))
            numbers = tuple(int(word) for word, own in pairs if own == "{}")
            alike = all(own in ("{}", word) for word, own in pairs)
            if alike and all(n in within for n, within in zip(numbers, self._within[place], strict=True)):
                return place, numbers
        return None

    def layer(self, name: str) -> int | None:
        """The number of the layer that a name is in, whether the model has it or not."""
        word = name[len(self.stem) :].partition(".")[0] if self.stem and name.startswith(self.stem) else ""
        return int(word) if NUMBER.fullmatch(word) else None

    def missing(self, place: int, found: set[Numbers]) -> tuple[int, list[Numbers]]:
        """How many copies were not found, and which; none is named where there are too many."""
        copies = self.tensors[place].copies
        if copies == len(found) or copies > MOST_LISTED:
            return copies - len(found), []
        left = [numbers for numbers in product(*self._within[place]) if numbers not in found]
        return len(left), left


def _indices(axis: Axis) -> range | dict[int, None]:
    return dict.fromkeys(axis.where) if axis.where else range(axis.n)


@dataclass(frozen=True, slots=True)
class Prefix:
    """How the names in a file begin (``has``) where the family's begin otherwise (``wanted``)."""

    wanted: str = ""
    has: str = ""

    def readings(self, name: str) -> list[str]:
        """The family's names that a name in the file may stand for, the likelier first."""
        if self == Prefix() or not name.startswith(self.has):
            return [name]
        return [self.wanted + name[len(self.has) :], name]

    def said(self) -> list[str]:
        """The difference in words, if there is one."""
        if self == Prefix():
            return []
        if not self.has:
            return [f"The names in the file lack the leading {shown(self.wanted)!r}."]
        instead = f" instead of {shown(self.wanted)!r}" if self.wanted else ""
        return [f"The names in the file begin with {shown(self.has)!r}{instead}."]


def prefix(wanted: Iterable[str], has: Iterable[str]) -> Prefix:
    """The difference of prefixes under which most names are found; none, where none finds more."""
    ends: dict[str, list[list[str]]] = {}
    for name in wanted:
        words = name.split(".")
        for cut in range(min(4, len(words) - 1)):
            ends.setdefault(".".join(words[cut:]), []).append(words[:cut])
    votes = Counter({Prefix(): 0})
    for name in islice(has, MOST_LISTED):
        words = name.split(".")
        found = set()
        for cut in range(max(0, len(words) - 10), len(words) - 1):
            found |= {_differing(start, words[:cut]) for start in ends.get(".".join(words[cut:]), ())}
        votes.update(found)
    return max(votes, key=lambda one: (votes[one], one == Prefix()))


def _differing(wanted: list[str], has: list[str]) -> Prefix:
    while wanted and has and wanted[-1] == has[-1]:
        wanted, has = wanted[:-1], has[:-1]
    return Prefix("".join(f"{word}." for word in wanted), "".join(f"{word}." for word in has))
