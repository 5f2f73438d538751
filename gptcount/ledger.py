"""Ledger: an inventory read as an account, with rows, subtotals, totals and the bridge between the totals people quote.

It reads an inventory and does not know how it was made, nor how it will be printed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from gptcount.architecture import Architecture
from gptcount.weight import Inventory, Role, Weight, total

Reading = Literal["heads", "value-up"]
READINGS: tuple[Reading, ...] = ("heads", "value-up")

GROUPS = ("embedding", "attention", "mlp", "unembedding")
"""The parts of a model in the order of the flow: the first word of a weight's name."""

LABELS = {
    "embedding.token": "embedding",
    "unembedding.token": "unembedding",
    "value": "value-down",
    "up": "up-projection",
    "down": "down-projection",
    "gate": "gate-projection",
}
"""What people call a weight whose name in the inventory says less."""

ITEMS: tuple[tuple[Role, str], ...] = (
    ("bias", "biases"),
    ("norm", "norm gains and biases"),
    ("position", "learned positions"),
    ("other", "other learned numbers"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One group of equal matrices."""

    weight: str
    group: str
    shape: tuple[str, ...]
    """The dimensions of one matrix, in words."""
    sizes: tuple[int, ...]
    """The dimensions of one matrix, as numbers."""
    matrices: int
    parameters: int
    active: int
    factors: tuple[tuple[str, int], ...]
    """Every named size whose product the parameters are, copies first."""

    @property
    def part(self) -> str:
        """The part of the model that this belongs to, one of GROUPS."""
        return self.weight.partition(".")[0]

    @property
    def formula(self) -> str:
        """The product in words: ``n_layers × n_heads × d_model × d_head``."""
        return " × ".join(label for label, _ in self.factors)


@dataclass(frozen=True, slots=True)
class Item:
    """One signed line of the reconciliation; a line that ends in a total names it."""

    label: str
    parameters: int
    total: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of one model under one reading. Every total is the sum of what stands above it."""

    architecture: Architecture
    reading: Reading
    rows: tuple[Row, ...]
    reconciliation: tuple[Item, ...]
    totals: dict[str, int]

    @property
    def model(self) -> str:
        """The model's name, text from outside."""
        return self.architecture.name

    def share(self, parameters: int) -> float:
        """A count as a part of all matrix parameters, 0 to 1."""
        return parameters / self.totals["matrix_parameters"]

    def part(self, part: str) -> int:
        """The matrix parameters of one part, one of GROUPS."""
        return sum(row.parameters for row in self.rows if row.part == part)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain records, for ``pandas.DataFrame(...)`` or a JSON file."""
        return [
            {
                "group": row.group,
                "weight": row.weight,
                "shape": " ".join(row.shape),
                "sizes": list(row.sizes),
                "matrices": row.matrices,
                "parameters": row.parameters,
                "share": self.share(row.parameters),
                "formula": f"{row.formula} = {' × '.join(str(n) for _, n in row.factors)}",
            }
            for row in self.rows
        ]

    def _repr_html_(self) -> str:
        from gptcount.output import html, tables

        return html.render(tables.breakdown(self))

    def __rich__(self) -> Any:
        from gptcount.output import tables, terminal

        return terminal.Drawing(tables.breakdown(self))


def breakdown(architecture: Architecture, reading: Reading = "heads") -> Ledger:
    """The ledger of an architecture.

    ``reading`` says what is called one matrix: ``heads`` staples the value-up matrices of a layer's heads into one
    output matrix, ``value-up`` counts them one by one. Raises ValueError for a reading that there is not.
    """
    if reading not in READINGS:
        raise ValueError(f"reading {reading!r} is none of {', '.join(READINGS)}")
    inventory = architecture.inventory()
    rows = tuple(
        _row(unstapled(weight) if reading == "value-up" else weight) for weight in inventory if weight.role == "matrix"
    )
    items = reconcile(inventory)
    totals = {"matrices": sum(row.matrices for row in rows)}
    totals |= {item.total: item.parameters for item in items if item.total}
    idle = sum(weight.parameters - weight.active for weight in inventory)
    tables = sum(weight.parameters for weight in inventory if is_table(weight))
    totals["active"] = totals["parameters"] - idle
    totals["non_embedding"] = totals["parameters"] - tables
    return Ledger(architecture, reading, rows, items, totals)


def reconcile(inventory: Inventory) -> tuple[Item, ...]:
    """From the matrices of the flow to what training learns and to what a checkpoint stores, line by line."""
    counts: dict[str, int] = {}
    for weight in inventory:
        counts[weight.role] = counts.get(weight.role, 0) + weight.parameters
    tied = total(weight for weight in inventory if weight.tied_to)
    learned = sum(counts.values()) - counts.get("buffer", 0) - tied
    stored = learned + counts.get("buffer", 0)
    return (
        Item("weight matrices of the flow", counts.get("matrix", 0), "matrix_parameters"),
        *(Item(label, counts[role]) for role, label in ITEMS if role in counts),
        *((Item("unembedding, stored once with the embedding (tied)", -tied),) if tied else ()),
        Item("parameters: what training learns, tied ones once", learned, "parameters"),
        Item("buffers that a checkpoint keeps beside them", counts.get("buffer", 0)),
        Item("stored: what a checkpoint holds", stored, "stored"),
    )


def is_table(weight: Weight) -> bool:
    """Whether a weight is no part of ``non-embedding`` (Kaplan et al. 2020): it has a row or a column for every token,
    or a row for every position; one that is tied counts with what it is tied to."""
    return not weight.tied_to and (weight.role == "position" or any(axis.name == "n_vocab" for axis in weight.axes))


def unstapled(weight: Weight) -> Weight:
    """An output matrix as the value-up matrices that it is stapled from: its axis of heads counts copies."""
    shape = list(weight.shape)
    for place, dimension in enumerate(shape):
        if len(dimension) > 1 and dimension[0].name == "n_heads":
            shape[place] = dimension[1:]
            return replace(weight, shape=tuple(shape), per=(*weight.per, dimension[0]))
    return weight


def _row(weight: Weight) -> Row:
    return Row(
        weight=weight.name,
        group=label(weight),
        shape=tuple("*".join(axis.name for axis in dimension) for dimension in weight.shape),
        sizes=weight.sizes,
        matrices=weight.copies,
        parameters=weight.parameters,
        active=weight.active,
        factors=tuple((axis.label, axis.n) for axis in weight.axes),
    )


def label(weight: Weight) -> str:
    """What people call a weight: ``attention.value`` is value-down, ``mlp.experts.up`` is expert up-projection."""
    if weight.name in LABELS:
        return LABELS[weight.name]
    *path, last = weight.name.split(".")[1:]
    if last == "output" and any(axis.name == "n_heads" for axis in weight.per):
        return "value-up"
    return " ".join([*(word.removesuffix("s") for word in path), LABELS.get(last, last.replace("_", "-"))])
