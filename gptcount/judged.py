"""Judged: each tensor of a checkpoint, by its name, dtype and shape: right, missing, of another shape, or surplus.

Which tensors often lie beside a model's own is said in surplus.py. It knows no totals, and reads no weight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Literal, NamedTuple

from gptcount import surplus
from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families.namings import tied
from gptcount.ledger import GROUPS, WITHIN
from gptcount.names import WRAPPERS, Numbers, Wanted, located, parts, spelled, unwrapped
from gptcount.numbers import count
from gptcount.packed import Shape, fits, read
from gptcount.sources.entries import Checkpoint, Entry
from gptcount.stored import Tensor

MOST_ROWS = 50_000
"""So many different names, dtypes and shapes are told apart; published checkpoints have some hundred."""

KEYS_AND_VALUES = ("attention.key", "attention.value")

Finding = Literal["right", "missing", "shape", "surplus", "counted"]
"""What is found of some tensors; ``counted`` where there is no model to hold them against."""


@dataclass(frozen=True, slots=True)
class Row:
    """Tensors of which the same is found: of one name but for the numbers in it, of one dtype and one shape."""

    tensor: str
    """The name; ``{0:32}`` where the numbers in it differ."""
    group: str
    """The part of the model: one of GROUPS, ``norm`` or ``other``."""
    finding: Finding
    kind: str
    """What a surplus is; ``packed`` where an element holds several numbers, UNREAD where it is open how many;
    ``transposed`` where a shape is."""
    dtype: str
    shape: Shape
    """Of one of them, as the file has it; of one that is missing, as it should be."""
    wanted: Shape | None
    """The shape that the model has, where it has such a tensor."""
    copies: int
    elements: int
    """How many elements all copies have in the file."""
    parameters: int | None
    """How many numbers these stand for; where they are missing, how many are missing. None where headers do not say."""

    @property
    def agrees(self) -> bool:
        """Whether this is as it should be, or is known to lie beside what should be."""
        return self.finding in ("right", "counted") or (self.finding == "surplus" and self.kind in surplus.KNOWN)


class _Family(NamedTuple):
    """What the tensors of one row have alike. ``place`` is that of the tensor wanted, -1 where none is."""

    place: int
    template: str
    finding: Finding
    kind: str
    dtype: str
    shape: Shape


@dataclass(slots=True)
class _Copies:
    parameters: int = 0
    read: bool = True
    numbers: list[Numbers] = field(default_factory=list)


class Judge:
    """Judges each tensor of a file once."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        architecture: Architecture | None,
        tables: Sequence[Wanted],
        bits: Collection[int] = (),
    ) -> None:
        self.architecture, self.origin = architecture, checkpoint.origin
        self.written: dict[str, str] = {}
        self.entries = dict(self._unwrapped(checkpoint.entries))
        said = architecture.quantization if architecture else None
        self.bits = said.bits if said else bits
        self.stands, self.helpers = read(self.entries, self.bits)
        self.packed = {stands.name: stands.packed for stands in self.stands.values()}
        self.located, *self.otherwise = located(tables, self.packed)
        self.wanted, self.prefix = self.located.wanted, self.located.prefix
        self.found: list[set[Numbers]] = [set() for _ in self.wanted.tensors]
        self.tied = tied(architecture, self.wanted) if architecture else {}
        self.instead = self.located.instead(self.packed, self.tied)
        self.predicting = {self._layer(name) for name in self.packed if surplus.PREDICTING.search(name)}
        self.sharing = set(_sharing(architecture)) if architecture else set()

    def _unwrapped(self, entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
        """Each tensor by its name without wrappers, where no other has that name."""
        taken = {entry.name for entry in entries}
        for entry in entries:
            name = unwrapped(entry.name)
            if name in taken:
                yield entry.name, entry
            else:
                taken.add(name)
                self.written[name] = entry.name
                yield name, entry._replace(name=name)

    def said(self) -> Iterator[str]:
        """How the names in the file differ from those of the family's published checkpoints."""
        inside = (word for name in self.written.values() for word in name.split(".")[1:])
        words = dict.fromkeys(word for word in inside if word in WRAPPERS)
        if words:
            yield f"Words in the names that say nothing of a tensor are passed over: {', '.join(words)}."
        if self.located.votes and self.wanted.naming:
            yield f"The names in the file: {self.wanted.naming}."
        yield from self.prefix.said()
        yield from (
            f"{shown(name)} is there in place of {shown(to)}: the two are tied." for name, to in self.instead.items()
        )

    def rows(self) -> Iterator[Row]:
        """What the model has, in the order of its family's table, then what is surplus.

        Raises InputError for very many names that differ in more than numbers.
        """
        families: dict[_Family, _Copies] = {}
        for entry in self.entries.values():
            family, parameters = self._judged(entry)
            copies = families.setdefault(family, _Copies())
            if len(families) > MOST_ROWS:
                raise InputError(
                    f"{self.origin}: more than {count(MOST_ROWS)} tensors whose names differ in more than numbers"
                )
            copies.parameters += parameters or 0
            copies.read &= parameters is not None
            copies.numbers.append(self._parts(entry.name)[1])
        at: dict[int, list[Row]] = {}
        for family, copies in families.items():
            at.setdefault(family.place, []).append(self._row(family, copies))
        for place, tensor in enumerate(self.wanted.tensors):
            yield from at.get(place, ())
            n, which = self.wanted.missing(place, self.found[place])
            if n:
                name, shape = spelled(tensor.name, which), tensor.shape
                yield Row(name, _group(tensor), "missing", "", "", shape, shape, n, 0, n * prod(shape))
        yield from at.get(-1, ())

    def _judged(self, entry: Entry) -> tuple[_Family, int | None]:
        """What is found of a tensor, and how many numbers it stands for."""
        stands, (template, _) = self.stands[entry.name], self._parts(entry.name)
        packed = "packed" if stands.packed else ""
        for reading in self._readings(stands.name):
            place, numbers = self.wanted.find(reading) or (-1, ())
            if place >= 0 and numbers not in self.found[place]:
                self.found[place].add(numbers)
                shape = self.wanted.tensors[place].shape
                fit = fits(stands, shape, self.bits)
                kind = packed if fit or not _transposed(entry.shape, shape) else "transposed"
                family = _Family(place, template, "right" if fit else "shape", kind, entry.dtype, entry.shape)
                return family, prod(shape) if fit else stands.numbers
        kind = self._surplus(entry)
        finding: Finding = "surplus" if kind else "counted"
        packed = packed if stands.numbers is not None else surplus.UNREAD
        parameters = entry.elements if kind and stands.numbers is None else stands.numbers
        return _Family(-1, template, finding, kind or packed, entry.dtype, entry.shape), parameters

    def _surplus(self, entry: Entry) -> str:
        """The kind of a tensor that the model has not; empty where there is no model, and no name tells otherwise."""
        if entry.name in self.helpers:
            return surplus.TABLES if self.helpers[entry.name] else surplus.SCALE
        if kind := surplus.named(entry.name, entry.shape):
            return kind
        if not entry.elements:
            return surplus.EMPTY
        if self.architecture is None:
            return ""
        if self.packed.get(f"{entry.name.removesuffix('.bias')}.weight") and len(entry.shape) == 1:
            return surplus.BIASES
        readings, layer = self._readings(entry.name), self._layer(entry.name)
        if any(entry.shape == self.tied[reading][1] for reading in readings if reading in self.tied):
            return surplus.TIED
        if layer in self.sharing and any(self._is_key_or_value(reading, entry.shape) for reading in readings):
            return surplus.SHARED
        if self._is_copy(entry):
            return surplus.COPY
        if layer is None and surplus.elsewhere(entry.name, self.prefix.has):
            return surplus.OTHER_PARTS
        if layer is None or layer < self.architecture.n_layers:
            return surplus.UNKNOWN
        return surplus.PREDICTION if layer in self.predicting else surplus.LAYER

    def _is_key_or_value(self, reading: str, shape: Shape) -> bool:
        """Whether other layers have such a tensor for their keys and values."""
        alike = (tensor for tensor in self.wanted.alike(reading) if tensor.shape == shape)
        return any(weight.name.startswith(KEYS_AND_VALUES) for tensor in alike for weight in tensor.weights)

    def _is_copy(self, entry: Entry) -> bool:
        """Whether a tensor that was found is here once more, under another name."""
        name, shape = self.stands[entry.name].name, self.stands[entry.name].shapes
        for one in (self.located, *self.otherwise):
            place, _ = one.find(name) or (-1, ())
            if place >= 0 and one.wanted.tensors[place].shape in shape:
                return True
        return False

    def _parts(self, name: str) -> tuple[str, Numbers]:
        return parts(self.written.get(name, name))

    def _layer(self, name: str) -> int | None:
        layers = map(self.wanted.layer, self._readings(name))
        return next((layer for layer in layers if layer is not None), None)

    def _readings(self, name: str) -> list[str]:
        return [self.instead.get(reading, reading) for reading in self.prefix.readings(name)]

    def _row(self, family: _Family, copies: _Copies) -> Row:
        tensor = self.wanted.tensors[family.place] if family.place >= 0 else None
        return Row(
            tensor=spelled(family.template, copies.numbers),
            group=_group(tensor) if tensor else surplus.guessed(family.template),
            finding=family.finding,
            kind=family.kind,
            dtype=family.dtype,
            shape=family.shape,
            wanted=tensor.shape if tensor else None,
            copies=len(copies.numbers),
            elements=len(copies.numbers) * prod(family.shape),
            parameters=copies.parameters if copies.read else None,
        )


def _sharing(architecture: Architecture) -> Iterator[int]:
    """The layers that use the keys and values of an earlier one."""
    for layer, where in architecture.layers().items():
        if getattr(layer.attention, "shares_kv", False):
            yield from where


def _transposed(shape: Shape, wanted: Shape) -> bool:
    return len(shape) > 1 and (*shape[:-2], shape[-1], shape[-2]) == wanted


def _group(tensor: Tensor) -> str:
    part = tensor.weights[0].name.partition(".")[0]
    part = WITHIN.get(part, part)
    return part if part in GROUPS else "norm"
