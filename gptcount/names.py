"""Names of tensors: found in a family's table whatever their numbers and their prefix, and written for many at once.

It knows names only: not what is in a tensor, nor where the names come from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from math import prod
from typing import NamedTuple

from gptcount.errors import shown
from gptcount.stored import Tensor
from gptcount.weight import Axis, slices

Numbers = tuple[int, ...]
"""The numbers in a name, in their order: a layer, an expert."""

NUMBER = re.compile(r"(?<![^.])(0|[1-9][0-9]{0,8})(?![^.])")
"""A word between dots that counts something, written as numbers are."""

MOST_LISTED = 100_000
"""Of so many equal tensors at most it is said which are missing; so many names are looked at for their prefix."""


WRAPPERS = frozenset(
    """
    _orig_mod _checkpoint_wrapped_module _fsdp_wrapped_module _forward_module module base_layer original_module
    """.split()
)
"""Words that compiling, sharding and adapters put into names, and that say nothing of the tensor."""


@lru_cache(16)  # one name is looked at several times in a row
def parts(name: str) -> tuple[str, Numbers]:
    """A name with ``{}`` for each number between its dots, and the numbers."""
    pieces = NUMBER.split(name.replace("{}", "{ }"))
    return "{}".join(pieces[::2]), tuple(map(int, pieces[1::2]))


def unwrapped(name: str) -> str:
    """A name without the words that wrappers put into it; with which it begins is the prefix's affair."""
    first, *words = name.split(".")
    return name if WRAPPERS.isdisjoint(words) else ".".join([first, *(word for word in words if word not in WRAPPERS)])


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
    """The tensors that a model's checkpoint has, by one table of names, found by name."""

    def __init__(self, tensors: Sequence[Tensor], naming: str = "", table: str = "") -> None:
        self.tensors, self.naming, self.table = tensors, naming, table
        self._within = [[_indices(axis) for axis in tensor.indices] for tensor in tensors]
        self._places: dict[str, list[int]] = {}
        for place, tensor in enumerate(tensors):
            self._places.setdefault(NUMBER.sub("{}", tensor.name), []).append(place)
        layered = (t.name for t in tensors if t.indices and t.indices[0].name == "n_layers")
        self.stem = next(layered, "").partition("{}")[0]
        """What stands before the number of a layer."""

    def templates(self) -> Iterable[str]:
        """Every name, ``{}`` for each number."""
        return self._places

    def find(self, name: str) -> tuple[int, Numbers] | None:
        """The place in ``tensors`` of the one that has this name, and the numbers for its ``{}``."""
        template, counted = parts(name)
        for place in self._places.get(template, ()):
            own = self.tensors[place].name
            numbers = counted if own == template else _counted(own, name)
            if numbers is not None and all(n in within for n, within in zip(numbers, self._within[place], strict=True)):
                return place, numbers
        return None

    def alike(self, name: str) -> list[Tensor]:
        """Those that have this name but for the numbers in it."""
        return [self.tensors[place] for place in self._places.get(parts(name)[0], ())]

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


def _counted(own: str, name: str) -> Numbers | None:
    """The numbers in a name where the family's has ``{}``, if it has the same numbers elsewhere."""
    pairs = list(zip(own.split("."), name.split("."), strict=True))
    alike = all(word in ("{}", has) for word, has in pairs)
    return tuple(int(has) for word, has in pairs if word == "{}") if alike else None


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


class Located(NamedTuple):
    """A model's tensors by one table of names, the prefix under which a file has most of them, and how many names."""

    wanted: Wanted
    prefix: Prefix
    votes: int

    def find(self, name: str) -> tuple[int, Numbers] | None:
        """The place in ``wanted.tensors`` of the one that a name in the file stands for, and the numbers in it."""
        return next(filter(None, map(self.wanted.find, self.prefix.readings(name))), None)

    def instead(self, names: Iterable[str], tied: Mapping[str, tuple[str, object]]) -> dict[str, str]:
        """The tied tensors that a file has in place of those that they are tied to, each with the name of that."""
        has = {reading for name in names for reading in self.prefix.readings(name)}
        return {name: to for name, (to, _) in tied.items() if name in has and to not in has}


def located(tables: Iterable[Wanted], names: Iterable[str]) -> list[Located]:
    """The tables of names, that under which most names of a file are found first."""
    has = list(dict.fromkeys(parts(name)[0] for name in names))
    found = [Located(wanted, *prefix(wanted.templates(), has)) for wanted in tables]
    return sorted(found, key=lambda one: -one.votes)


def prefix(wanted: Iterable[str], has: Iterable[str]) -> tuple[Prefix, int]:
    """The difference of prefixes under which most names are found, and how many; none, where none finds more."""
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
    best = max(votes, key=lambda one: (votes[one], one == Prefix()))
    return best, votes[best]


def _differing(wanted: list[str], has: list[str]) -> Prefix:
    while wanted and has and wanted[-1] == has[-1]:
        wanted, has = wanted[:-1], has[:-1]
    return Prefix("".join(f"{word}." for word in wanted), "".join(f"{word}." for word in has))
