"""An adapter: the few numbers that fine-tuning put beside a model's matrices, target by target, and whether they fit.

It reads an adapter of peft by the names and shapes in its file and by its adapter_config.json; LoRA and its kin are
held against the model that they are made for, other methods are counted. It does not know where these come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families.namings import tied, wanted
from gptcount.names import Located, Numbers, located, parts, spelled, unwrapped
from gptcount.packings.patterns import is_readable
from gptcount.showing import as_html, as_rich
from gptcount.sources.config_json import as_object
from gptcount.sources.entries import Checkpoint, Entry
from gptcount.weight import total

Shape = tuple[int, ...]

PART = re.compile(r"(.+)\.lora_(A|B|embedding_A|embedding_B|magnitude_vector)((?:\.[^.]+)*?)(\.weight|\.bias)?")
"""A part of a LoRA: the module that it is put beside, which part, perhaps the adapter's name, and its ending."""

SAVED = re.compile(r"(?:\.modules_to_save)(?:\.[^.]+)?(?=\.(?:weight|bias)$)")

WORDS: dict[type, str] = {
    str: "a text",
    list: "a list",
    dict: "an object",
    bool: "true or false",
    int: "an integer",
    float: "a number",
}

BASE = "base_model.model."
"""How peft's names begin: before the name that the model itself gives the module."""


class Settings(NamedTuple):
    """What an adapter_config.json says that bears on shapes and numbers."""

    method: str
    rank: int | None
    alpha: float | None
    targets: tuple[str, ...]
    base: str
    ranks: Mapping[str, int]
    """Other ranks, by the end of a module's name, which may be a pattern."""
    conv1d: bool
    """The model's matrices are stored as what goes in by what comes out."""
    rank_stabilized: bool
    is_lora: bool

    def rank_of(self, module: str) -> int | None:
        """The rank for a module; None where it is not said, or said by a pattern that could take very long."""
        for said, rank in self.ranks.items():
            if not is_readable(f"re:{said}"):
                return None
            if re.fullmatch(rf"(?:.*\.)?(?:{said})", module):
                return rank
        return self.rank


@dataclass(frozen=True, slots=True)
class Row:
    """Modules with the same parts of the same shapes: of one name but for the numbers in it."""

    target: str
    parts: Mapping[str, Shape]
    """The shape of each part by its name: ``A`` (rank × what goes in), ``B`` (what comes out × rank), ``weight`` …"""
    finding: str
    """``fits``, ``counted``, or what is wrong."""
    copies: int
    parameters: int

    @property
    def agrees(self) -> bool:
        """Whether nothing is wrong."""
        return self.finding in ("fits", "counted")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What an adapter is: its settings, its numbers by target, and whether they fit the model."""

    checkpoint: str
    model: str
    """The name of the model, text from outside; empty where it is held against none."""
    settings: Settings
    rows: tuple[Row, ...]
    model_parameters: int | None
    bytes: int
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """How many numbers the adapter has."""
        return sum(row.parameters for row in self.rows)

    @property
    def agrees(self) -> bool:
        """Whether every part fits."""
        return all(row.agrees for row in self.rows)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain records, for ``pandas.DataFrame(...)``, a sheet or a JSON file."""
        return [
            {
                "target": row.target,
                "parts": {part: list(shape) for part, shape in row.parts.items()},
                "finding": row.finding,
                "copies": row.copies,
                "parameters": row.parameters,
            }
            for row in self.rows
        ]

    _repr_html_ = as_html
    __rich__ = as_rich


def adapter(checkpoint: Checkpoint, architecture: Architecture | None = None, notes: Sequence[str] = ()) -> Adapter:
    """An adapter, held against the model that it is for, where there is one.

    Raises InputError where its adapter_config.json cannot be used, or the model's family is not said.
    """
    settings = read(checkpoint.adapter or "{}", "adapter_config.json")
    modules = _modules(checkpoint.entries, checkpoint.origin)
    base = _Base(architecture, modules, settings) if architecture and settings.is_lora else None
    if architecture and base is None:
        notes = [*notes, f"How the parts of {settings.method} fit a model is not known here: they are counted."]
    return Adapter(
        checkpoint.origin,
        architecture.name if architecture and base else "",
        settings,
        tuple(_rows(modules, settings, base)),
        total(weight for weight in architecture.inventory() if weight.learned) if architecture else None,
        sum(entry.bytes for entry in checkpoint.entries),
        (*checkpoint.notes, *notes),
    )


def read(text: str, origin: str) -> Settings:
    """What an adapter_config.json says. Raises InputError, naming the key, where a value is of another type."""
    data = as_object(text, origin)

    def said(key: str, *kinds: type, absent: Any = None) -> Any:
        value = data.get(key)
        if value is None:
            return absent
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            allowed = " or ".join(WORDS[kind] for kind in kinds)
            raise InputError(f"{origin}: {key}: expected {allowed}, and this is {shown(value)}")
        return value

    kind = said("peft_type", str, absent="LORA").upper()
    targets = said("target_modules", str, list, absent=[])
    ranks = said("rank_pattern", dict, absent={})
    if any(type(rank) is not int for rank in ranks.values()):
        raise InputError(f"{origin}: rank_pattern: expected integers")
    dora = ", with magnitudes (DoRA)" if said("use_dora", bool) else ""
    return Settings(
        method=("LoRA" + dora) if kind == "LORA" else shown(kind, 40),
        rank=said("r", int),
        alpha=said("lora_alpha", int, float),
        targets=(targets,) if isinstance(targets, str) else tuple(sorted(map(str, targets))),
        base=said("base_model_name_or_path", str, absent=""),
        ranks=ranks,
        conv1d=said("fan_in_fan_out", bool, absent=False),
        rank_stabilized=said("use_rslora", bool, absent=False),
        is_lora=kind == "LORA",
    )


def _modules(entries: Iterable[Entry], origin: str) -> dict[str, dict[str, Entry]]:
    """The parts of each module, by their names. Raises InputError where two tensors are one part."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        name = SAVED.sub("", unwrapped(entry.name.removeprefix(BASE)))
        lora = PART.fullmatch(name)
        if lora:
            module, part = lora[1], lora[2] + (lora[4] if lora[4] == ".bias" else "")
        else:
            module, dot, part = name.rpartition(".")
            module, part = (module, part) if dot else (name, "weight")
        beside = found.setdefault(module, {})
        if part in beside:
            raise InputError(
                f"{origin}: {shown(entry.name)} and {shown(beside[part].name)} are one part of an adapter; a file with "
                "several adapters is not read"
            )
        beside[part] = entry
    return found


@dataclass(slots=True)
class _Same:
    """Modules that differ by the numbers in their names alone."""

    parameters: int = 0
    numbers: list[Numbers] = field(default_factory=list)


def _rows(modules: Mapping[str, Mapping[str, Entry]], settings: Settings, base: _Base | None) -> Iterator[Row]:
    alike: dict[tuple[str, tuple[tuple[str, Shape], ...], str], _Same] = {}
    for module, found in modules.items():
        shapes = {part: entry.shape for part, entry in sorted(found.items())}
        finding = base.finding(module, shapes) if base else _pairs(module, shapes, settings) or "counted"
        template, numbers = parts(module)
        same = alike.setdefault((template, tuple(shapes.items()), finding), _Same())
        same.parameters += sum(map(prod, shapes.values()))
        same.numbers.append(numbers)
    for (template, shapes_, finding), same in alike.items():
        yield Row(spelled(template, same.numbers), dict(shapes_), finding, len(same.numbers), same.parameters)


def _pairs(module: str, shapes: Mapping[str, Shape], settings: Settings) -> str:
    """What is wrong with a module's parts among themselves; empty where nothing is."""
    for down, up in (("A", "B"), ("embedding_A", "embedding_B")):
        if (down in shapes) is not (up in shapes):
            return f"lora_{up if down in shapes else down} is missing"
        if down in shapes:
            if len(shapes[down]) != 2 or len(shapes[up]) != 2:
                return "" if settings.is_lora and len(shapes[down]) > 2 else "expected matrices"
            rank, wanted_rank = shapes[down][0], settings.rank_of(module)
            if rank != shapes[up][1]:
                return f"ranks {rank} and {shapes[up][1]}, and they must be the same"
            if wanted_rank is not None and rank != wanted_rank:
                return f"rank {rank}, and adapter_config.json says {wanted_rank}"
    return ""


class _Base:
    """The model that an adapter is for, asked for one module after the other."""

    def __init__(self, architecture: Architecture, modules: Iterable[str], settings: Settings) -> None:
        self.settings = settings
        self.located: Located = located(wanted(architecture), (f"{module}.weight" for module in modules))[0]
        self.tied = tied(architecture, self.located.wanted)

    def shape(self, module: str, ending: str = "weight") -> Shape | None:
        """The shape of a module's weight or bias, as the model's checkpoint stores it."""
        name = f"{module}.{ending}"
        if found := self.located.find(name):
            return self.located.wanted.tensors[found[0]].shape
        return next((self.tied[one][1] for one in self.located.prefix.readings(name) if one in self.tied), None)

    def finding(self, module: str, shapes: Mapping[str, Shape]) -> str:
        """Whether the parts beside a module fit it, in words."""
        if wrong := _pairs(module, shapes, self.settings):
            return wrong
        shape = self.shape(module)
        if shape is None:
            return "counted" if not _is_lora(shapes) else "the model has no such module"
        if len(shape) != 2 and _is_lora(shapes):
            return "not beside a matrix"
        for part, has in shapes.items():
            fits = self._wanted(module, part, shape, shapes)
            if fits is not None and fits != has:
                return f"{part}: {_words(fits)} wanted"
        return "fits"

    def _wanted(self, module: str, part: str, shape: Shape, shapes: Mapping[str, Shape]) -> Shape | None:
        """The shape that a part must have; None where that is not known."""
        if part in ("weight", "bias"):
            return self.shape(module, part)
        if not _is_lora(shapes):
            return None
        out, goes_in = reversed(shape) if self.settings.conv1d else shape
        rank = shapes["A" if "A" in shapes else "embedding_A"][0] if {"A", "embedding_A"} & shapes.keys() else 0
        return {
            "A": (rank, goes_in),
            "B": (out, rank),
            "B.bias": (out,),
            "embedding_A": (rank, shape[0]),
            "embedding_B": (shape[-1], rank),
            "magnitude_vector": shapes.get("magnitude_vector") if "embedding_A" in shapes else (out,),
        }.get(part)


def _is_lora(shapes: Mapping[str, Shape]) -> bool:
    return not shapes.keys() <= {"weight", "bias"}


def _words(shape: Shape) -> str:
    return " × ".join(map(str, shape))
