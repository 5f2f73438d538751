"""Audit: the tensors that a checkpoint has, held against those that an architecture's checkpoint stores.

It knows which tensors often lie beside a model's own (masks, scales, a second unembedding). It reads names, dtypes
and shapes, never a weight, and does not know how the result is printed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.ledger import GROUPS, Item
from gptcount.names import Numbers, Wanted, parts, prefix, spelled
from gptcount.packed import Shape, fits, read
from gptcount.sources.checkpoint import Checkpoint, Entry
from gptcount.stored import Tensor, laid, parsed, tensors

Finding = Literal["right", "missing", "shape", "surplus", "counted"]
"""What is found of some tensors; ``counted`` where there is no model to hold them against."""

MASK = "attention masks, stored as tensors"
ROTARY = "rotary tables, stored as tensors"
POSITIONS = "indices of positions, stored as tensors"
SCALE = "scales of 8-bit weights"
TABLES = "scales and tables of packed weights"
CACHE = "scales of cached keys and values"
BIASES = "biases of packed weights that the model has without"
EMPTY = "tensors without elements"
UNREAD = "packed in a way that headers do not tell"
TIED = "unembedding, stored although tied"
PREDICTION = "multi-token-prediction layers"
OTHER_PARTS = "other parts of a larger model"
LAYER = "surplus, in layers beyond the last"
UNKNOWN = "surplus, of no known kind"

KNOWN = (MASK, ROTARY, POSITIONS, SCALE, TABLES, CACHE, BIASES, EMPTY, TIED, PREDICTION, OTHER_PARTS)
"""The kinds of surplus that are no disagreement."""

BY_NAME = (
    (MASK, re.compile(r"\.(attn|attention|self_attention)(\.attention)?\.(bias|masked_bias|causal_mask)$")),
    (ROTARY, re.compile(r"\.(\w*inv_freq|\w*cos_cached|\w*sin_cached|attn\.embed_positions)$")),
    (POSITIONS, re.compile(r"(^|\.)position_ids$")),
    (CACHE, re.compile(r"\.([qkv]|kv|prob)_scale$")),
    (PREDICTION, re.compile(r"(^|\.)mtp[._]")),
)
"""The kinds of surplus that a name tells, whatever the model."""

PREDICTING = re.compile(r"\.(eh_proj|enorm|hnorm)\.")
"""What a layer has that predicts a further token, and no other layer."""

ELSEWHERE = re.compile(r"(^|\.)(\w*(vision|visual|image|audio|speech|multi_?modal)\w*|vit|mm_\w+|talker|code2wav)\.")
"""Where a larger model keeps what is not its language model."""

GUESSES = (
    ("unembedding", re.compile(r"lm_head|embed_out|unembed|^output\.")),
    ("norm", re.compile(r"norm|(^|[._])ln(_|\.|$)")),
    ("attention", re.compile(r"attn|attention")),
    ("mlp", re.compile(r"mlp|ffn|feed_forward|expert|moe|(^|\.)fc\d|dense_")),
    ("embedding", re.compile(r"embed|wte|wpe")),
)
"""The group that a name suggests."""


@dataclass(frozen=True, slots=True)
class Row:
    """Tensors of which the same is found: of one name but for the numbers in it, of one dtype and one shape."""

    tensor: str
    """The name; ``{0:32}`` where the numbers in it differ."""
    group: str
    """The part of the model: one of GROUPS, ``norm`` or ``other``."""
    finding: Finding
    kind: str
    """What a surplus is; ``packed`` where an element holds several numbers, UNREAD where it is open how many."""
    dtype: str
    shape: Shape
    """Of one of them, as the file has it; of one that is missing, as it is wanted."""
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
        return self.finding in ("right", "counted") or (self.finding == "surplus" and self.kind in KNOWN)


class Dtype(NamedTuple):
    """The tensors of one dtype."""

    dtype: str
    tensors: int
    elements: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Audit:
    """What is found. Every total of the reconciliation is the sum of the lines above it."""

    checkpoint: str
    model: str
    """The name of the model, text from outside; empty where there is none."""
    rows: tuple[Row, ...]
    reconciliation: tuple[Item, ...]
    dtypes: tuple[Dtype, ...]
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing, nothing of another shape, and nothing surplus but what is known."""
        return all(row.agrees for row in self.rows)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain records, for ``pandas.DataFrame(...)``, a sheet or a JSON file."""
        return [
            {
                "tensor": row.tensor,
                "group": row.group,
                "finding": row.finding,
                "kind": row.kind or None,
                "dtype": row.dtype or None,
                "shape": list(row.shape),
                "wanted": None if row.wanted is None else list(row.wanted),
                "copies": row.copies,
                "elements": row.elements,
                "parameters": row.parameters,
            }
            for row in self.rows
        ]

    def _repr_html_(self) -> str:
        from gptcount.output import audit, html

        return html.render(audit.parts(self))

    def __rich__(self) -> Any:
        from gptcount.output import audit, terminal

        return terminal.Drawing(audit.parts(self))


def audit(
    checkpoint: Checkpoint,
    architecture: Architecture | None = None,
    notes: Sequence[str] = (),
    bits: Collection[int] = (),
) -> Audit:
    """A checkpoint held against an architecture, or counted by itself where there is none.

    ``bits`` are those of a quantized number, where they are known and the headers leave them open.
    Raises InputError where it is not known what a checkpoint of the architecture calls its tensors.
    """
    auditor = _Auditor(checkpoint.entries, architecture, bits)
    rows = tuple(auditor.rows())
    return Audit(
        checkpoint.origin,
        architecture.name if architecture else "",
        rows,
        tuple(_reconciliation(rows, architecture)),
        _dtypes(checkpoint.entries),
        (*auditor.prefix.said(), *_unread(rows, architecture), *notes),
    )


def load(source: str, against: str | None = None, settings: Sequence[str] = ()) -> Audit:
    """The audit of a checkpoint that a person names: a path, or ``hub:OWNER/NAME[@REVISION]``.

    It is held against the model ``against``, else against the config.json beside it. Without either, or where that
    config.json is refused, its tensors are counted by name and a note says so. Raises InputError where a source
    cannot be used.
    """
    from gptcount.sources import checkpoint, config_json, hub, loading, specification

    found = hub.checkpoint(source) if hub.is_named(source) else checkpoint.read(Path(source))
    if against is not None and not hub.is_named(against):
        return audit(found, loading.load(against, settings))
    text, origin = (found.config, "config.json") if against is None else (hub.config(against), shown(against, 200))
    if text is None:
        return audit(found, None, ["No config.json beside it, and no model to hold it against: nothing is checked."])
    try:
        architecture = config_json.parse(text, origin)
    except InputError as refusal:
        if against is not None:
            raise
        why = [*str(refusal).splitlines(), "So nothing is checked; the tensors are counted."]
        return audit(found, None, why, config_json.bits(text))
    return audit(found, specification.changed(architecture, settings))


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


class _Auditor:
    """Judges each tensor of a file once."""

    def __init__(self, entries: Iterable[Entry], architecture: Architecture | None, bits: Collection[int] = ()) -> None:
        self.architecture = architecture
        self.wanted = Wanted(tensors(architecture) if architecture else [])
        self.tied = dict(_tied(architecture)) if architecture else {}
        self.found: list[set[Numbers]] = [set() for _ in self.wanted.tensors]
        self.entries = {entry.name: entry for entry in entries}
        said = architecture.quantization if architecture else None
        self.bits = said.bits if said else bits
        self.stands, self.helpers = read(self.entries, self.bits)
        self.packed = {stands.name: stands.packed for stands in self.stands.values()}
        self.prefix = prefix(self.wanted.templates(), dict.fromkeys(parts(name)[0] for name in self.packed))
        self.predicting = {self._layer(name) for name in self.packed if PREDICTING.search(name)}

    def rows(self) -> Iterator[Row]:
        """What the model has, in the order of its family's table, then what is surplus."""
        families: dict[_Family, _Copies] = {}
        for entry in self.entries.values():
            family, parameters = self._judged(entry)
            copies = families.setdefault(family, _Copies())
            copies.parameters += parameters or 0
            copies.read &= parameters is not None
            copies.numbers.append(parts(entry.name)[1])
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
        stands, (template, _) = self.stands[entry.name], parts(entry.name)
        packed = "packed" if stands.packed else ""
        for reading in self._readings(stands.name):
            place, numbers = self.wanted.find(reading) or (-1, ())
            if place >= 0 and numbers not in self.found[place]:
                self.found[place].add(numbers)
                shape = self.wanted.tensors[place].shape
                fit = fits(stands, shape, self.bits)
                family = _Family(place, template, "right" if fit else "shape", packed, entry.dtype, entry.shape)
                return family, prod(shape) if fit else stands.numbers
        kind = self._surplus(entry)
        finding: Finding = "surplus" if kind else "counted"
        packed = packed if stands.numbers is not None else UNREAD
        count = entry.elements if kind and stands.numbers is None else stands.numbers
        return _Family(-1, template, finding, kind or packed, entry.dtype, entry.shape), count

    def _surplus(self, entry: Entry) -> str:
        """The kind of a tensor that the model has not; empty where there is no model, and no name tells otherwise."""
        if entry.name in self.helpers:
            return TABLES if self.helpers[entry.name] else SCALE
        for kind, pattern in BY_NAME:
            if pattern.search(entry.name) and (kind != MASK or _is_mask(entry.shape)):
                return kind
        if not entry.elements:
            return EMPTY
        if self.architecture is None:
            return ""
        if self.packed.get(f"{entry.name.removesuffix('.bias')}.weight") and len(entry.shape) == 1:
            return BIASES
        if any(self.tied.get(reading) == entry.shape for reading in self._readings(entry.name)):
            return TIED
        if ELSEWHERE.search(entry.name):
            return OTHER_PARTS
        layer = self._layer(entry.name)
        if layer is None or layer < self.architecture.n_layers:
            return UNKNOWN
        return PREDICTION if layer in self.predicting else LAYER

    def _layer(self, name: str) -> int | None:
        layers = map(self.wanted.layer, self._readings(name))
        return next((layer for layer in layers if layer is not None), None)

    def _readings(self, name: str) -> list[str]:
        return self.prefix.readings(name)

    def _row(self, family: _Family, copies: _Copies) -> Row:
        tensor = self.wanted.tensors[family.place] if family.place >= 0 else None
        return Row(
            tensor=spelled(family.template, copies.numbers),
            group=_group(tensor) if tensor else guessed(family.template),
            finding=family.finding,
            kind=family.kind,
            dtype=family.dtype,
            shape=family.shape,
            wanted=tensor.shape if tensor else None,
            copies=len(copies.numbers),
            elements=len(copies.numbers) * prod(family.shape),
            parameters=copies.parameters if copies.read else None,
        )


def _tied(architecture: Architecture) -> Iterator[tuple[str, Shape]]:
    """The tensors that a checkpoint leaves out because they are tied, each with its shape."""
    from gptcount.families import table_of

    tied = {weight.name: weight for weight in architecture.inventory() if weight.tied_to}
    for line in parsed(table_of(architecture)):
        if len(line.weights) == 1 and line.weights[0] in tied:
            name = line.tensor + line.endings[0]
            yield name, laid(line, name, (tied[line.weights[0]],)).shape


def _is_mask(shape: Shape) -> bool:
    """A mask is square, or one number; a bias is neither."""
    return prod(shape) == 1 or (len(shape) > 1 and shape[-1] == shape[-2])


def _group(tensor: Tensor) -> str:
    part = tensor.weights[0].name.partition(".")[0]
    return part if part in GROUPS else "norm"


def guessed(name: str) -> str:
    """The group that a name suggests, where no model says it."""
    return next((group for group, pattern in GUESSES if pattern.search(name)), "other")


def _reconciliation(rows: Sequence[Row], architecture: Architecture | None) -> Iterator[Item]:
    """From the elements in the file to the parameters of the model, line by line."""
    changes = {"numbers packed into fewer elements": 0} | dict.fromkeys((*KNOWN, LAYER, UNKNOWN), 0)
    for row in rows:
        if row.finding == "missing":
            label, change = "missing tensors", row.parameters or 0
        else:
            parameters = row.elements if row.parameters is None else row.parameters
            changes["numbers packed into fewer elements"] += parameters - row.elements
            if row.finding == "shape":
                label = "tensors of another shape, in the model's"
                change = row.copies * prod(row.wanted or ()) - parameters
            else:
                label, change = row.kind, -parameters if row.finding == "surplus" else 0
        if change:
            changes[label] = changes.get(label, 0) + change
    elements = sum(row.elements for row in rows)
    yield Item("elements in the file", elements, "elements")
    if architecture is None and any(row.parameters is None for row in rows):
        return
    yield from (Item(label, change) for label, change in changes.items() if change)
    stored = elements + sum(changes.values())
    if architecture is None:
        yield Item("numbers that the tensors stand for", stored, "stored")
        return
    yield Item("stored: what a checkpoint of the model holds", stored, "stored")
    buffers = sum(weight.parameters for weight in architecture.inventory() if weight.role == "buffer")
    if buffers:
        yield Item("buffers, which training does not learn", -buffers)
    yield Item("parameters of the model", stored - buffers, "parameters")


def _unread(rows: Sequence[Row], architecture: Architecture | None) -> Iterator[str]:
    """Why there is no total, where there is none: the tensors whose numbers headers do not tell."""
    names = [f"{row.tensor} ({row.dtype})" for row in rows if row.parameters is None]
    if names and architecture is None:
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield (
            f"How many numbers these stand for cannot be read from headers alone: {some}. So no total is given; a "
            "config.json beside them, or --against MODEL, decides it."
        )


def _dtypes(entries: Iterable[Entry]) -> tuple[Dtype, ...]:
    """The split by dtype, the most bytes first."""
    found: dict[str, Dtype] = {}
    for entry in entries:
        _, n, elements, size = found.get(entry.dtype, Dtype(entry.dtype, 0, 0, 0))
        found[entry.dtype] = Dtype(entry.dtype, n + 1, elements + entry.elements, size + entry.bytes)
    return tuple(sorted(found.values(), key=lambda one: (-one.bytes, one.dtype)))
