"""Ledger: an inventory read as an account, with rows, subtotals, totals and the bridge between the totals people quote.

It reads an inventory and does not know how it was made, nor how it will be printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.numbers import count
from gptcount.showing import as_html, as_rich, drawn
from gptcount.weight import Inventory, Role, Weight, total

if TYPE_CHECKING:
    from gptcount.disk import Held
    from gptcount.stored import Tensor

Reading = Literal["heads", "value-up", "stored"]
READINGS: tuple[Reading, ...] = ("heads", "value-up", "stored")

GROUPS = ("embedding", "attention", "mixer", "mlp", "unembedding")
"""The parts of a model in the order of the flow: the first word of a weight's name, but for those below."""

WITHIN = {"shortcut": "mlp", "per_layer_embedding": "embedding", "head": "unembedding"}
WITHIN |= {"shared.mlp": "mlp", "shared.mlp_adapter": "mlp", "shared": "attention"}
"""What stands beside a part and is counted with it, by the first word or two of its weights' names."""

LABELS = {
    "embedding.token": "embedding",
    "unembedding.token": "unembedding",
    "head": "score head",
    "value": "value-down",
    "up": "up-projection",
    "down": "down-projection",
    "gate": "gate-projection",
    "attention.gate": "gate",
    "mixer.gate": "gate",
    "mixer.gate_down": "gate, down",
    "mixer.value": "value",
    "mixer.write": "write strength",
    "mixer.decay_down": "decay, down",
    "shared.linear": "shared projection",
    "b": "B: into the state",
    "c": "C: out of the state",
    "time_step": "time step",
    "time_step_down": "time step, down",
    "input_gate": "input gate",
    "output_gate": "output gate",
    "forget_gate": "forget gate",
    "decay_gate": "decay gate",
}
"""What people call a weight whose name in the inventory says less."""

ITEMS: tuple[tuple[Role, str], ...] = (
    ("convolution", "kernels of convolutions"),
    ("bias", "biases"),
    ("norm", "norm gains and biases"),
    ("position", "learned positions"),
    ("other", "other learned numbers"),
)


class Row(NamedTuple):
    """One group of equal matrices: a weight of the inventory, as the reading has it. Text is made of it at the end."""

    of: Weight

    @property
    def weight(self) -> str:
        """The name of the weight in the inventory."""
        return self.of.name

    @property
    def group(self) -> str:
        """What people call it."""
        return label(self.of)

    @property
    def part(self) -> str:
        """The part of the model that this belongs to: one of GROUPS, or what stands beside attention and MLP."""
        first, *more = self.weight.split(".")
        return WITHIN.get(".".join([first, *more[:1]]), WITHIN.get(first, first))

    @property
    def shape(self) -> tuple[str, ...]:
        """The dimensions of one matrix, in words."""
        return tuple("*".join(axis.name for axis in dimension) for dimension in self.of.shape)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The dimensions of one matrix, as numbers."""
        return self.of.sizes

    @property
    def matrices(self) -> int:
        """How many there are."""
        return self.of.copies

    @property
    def parameters(self) -> int:
        """How many numbers they hold together."""
        return self.of.parameters

    @property
    def active(self) -> int:
        """How many of them one token visits, at most."""
        return self.of.active

    @property
    def factors(self) -> tuple[tuple[str, int], ...]:
        """Every named size whose product the parameters are, copies first."""
        return tuple((axis.label, axis.n) for axis in self.of.axes)

    @property
    def formula(self) -> str:
        """The product in words: ``n_layers × n_heads × d_model × d_head``."""
        return " × ".join(label for label, _ in self.factors)


class StoredRow(NamedTuple):
    """Equal tensors of a checkpoint, under the name that it has for them; ``{}`` stands for each number in it."""

    tensor: str
    sizes: tuple[int, ...]
    copies: int
    parameters: int
    """How many numbers they hold together."""
    weights: tuple[str, ...]
    """The names of what they hold."""
    role: Role

    @property
    def part(self) -> str:
        """The part of the model that they belong to, one of GROUPS or another."""
        return self.weights[0].partition(".")[0]


class Item(NamedTuple):
    """One signed line of the reconciliation; a line that ends in a total names it."""

    label: str
    parameters: int
    total: str = ""


@dataclass(frozen=True, repr=False)
class Ledger:
    """The account of one model under one reading. Every total is the sum of what stands above it."""

    architecture: Architecture
    reading: Reading
    rows: tuple[Row, ...]
    reconciliation: tuple[Item, ...]
    totals: dict[str, int]
    stored: tuple[StoredRow, ...] = ()
    """The tensors of the model, under the reading ``stored``; they add up to the total ``stored``."""
    files: tuple[Held, ...] = ()
    """The tensors that the files hold in their place, where the model is quantized; none where that is not known."""
    unknown: str = ""
    """Why it is not known which tensors the files of a quantized model hold."""

    @property
    def model(self) -> str:
        """The model's name, text from outside."""
        return self.architecture.name

    def __repr__(self) -> str:
        totals = f"{count(self.totals['parameters'])} parameters, {count(self.totals['matrices'])} matrices"
        return f"<Ledger of {shown(self.model)}: {totals}>"

    def share(self, parameters: int) -> float:
        """A count as a part of all matrix parameters, 0 to 1."""
        return parameters / self.totals["matrix_parameters"]

    def part(self, part: str) -> int:
        """The matrix parameters of one part, one of GROUPS."""
        return sum(row.parameters for row in self.rows if row.part == part)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain records, for ``pandas.DataFrame(...)`` or a JSON file."""
        if self.reading == "stored":
            return [self._record(row) for row in self.stored]
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

    def _record(self, row: StoredRow) -> dict[str, Any]:
        return {
            "tensor": row.tensor,
            "shape": list(row.sizes),
            "copies": row.copies,
            "parameters": row.parameters,
            "share": row.parameters / self.totals["stored"],
            "weights": list(row.weights),
        }

    def plot(self) -> Any:
        """The treemap as a plotly figure. Raises GptCountError where plotly is not installed."""
        return drawn(self, "plot")

    _repr_html_ = as_html
    __rich__ = as_rich


def breakdown(architecture: Architecture, reading: Reading = "heads") -> Ledger:
    """The ledger of an architecture.

    ``reading`` says what is called one matrix: ``heads`` staples the value-up matrices of a layer's heads into one
    output matrix, ``value-up`` counts them one by one, ``stored`` counts the tensors of a checkpoint, as it names them.
    Raises InputError for a reading that there is not, and where the checkpoint's names are not known.
    """
    if reading not in READINGS:
        raise InputError(f"reading {shown(reading)!r} is none of {', '.join(READINGS)}")
    if not isinstance(architecture, Architecture):
        raise InputError(f"{shown(architecture)}: expected an Architecture, such as gptcount.load gives")
    inventory = architecture.inventory()
    matrices = (weight for weight in inventory if weight.role == "matrix")
    rows = tuple(sorted((Row(unstapled(one) if reading == "value-up" else one) for one in matrices), key=_place))
    said = architecture.quantization
    items = reconcile(inventory, stored=said is None or said.stands_for_all)
    totals = {"matrices": sum(row.matrices for row in rows)}
    totals |= {item.total: item.parameters for item in items if item.total}
    chosen = [weight for weight in inventory if any(axis.chosen for axis in weight.per)]
    idle = sum(weight.parameters - weight.active for weight in chosen)
    tables = sum(weight.parameters for weight in inventory if is_table(weight))
    totals["active"] = totals["parameters"] - idle
    totals["non_embedding"] = totals["parameters"] - tables
    if reading == "stored" and "stored" not in totals:
        raise InputError(f"{shown(architecture.name)}: {no_stored_total(architecture)}")
    files, unknown = files_of(architecture)
    totals |= {} if unknown or not files else bytes_of(files)
    stored = stored_rows(architecture) if reading == "stored" else ()
    if stored:
        totals["matrices"] = sum(row.copies for row in stored if row.role == "matrix")
    return Ledger(architecture, reading, rows, items, totals, stored, files, unknown)


def _place(row: Row) -> int:
    """Rows stand part by part, in the order of GROUPS; what is of none follows the embedding."""
    return GROUPS.index(row.part) if row.part in GROUPS else 0


def no_stored_total(architecture: Architecture) -> str:
    """Why there is no total ``stored``, in words."""
    method = architecture.quantization.method if architecture.quantization else ""
    return f"what a checkpoint stores is not known for the quantization method {shown(method)!r}"


def files_of(architecture: Architecture) -> tuple[tuple[Held, ...], str]:
    """The tensors in the files of a quantized model, or why they are not known; neither for one that is not."""
    if architecture.quantization is None:
        return (), ""
    from gptcount.disk import held

    try:
        return held(architecture), ""
    except InputError as reason:
        return (), str(reason)


def bytes_of(files: Iterable[Held]) -> dict[str, int]:
    """The bytes of all tensors as a total; where they are a range, the least and the most."""
    least, most = (sum(sizes) for sizes in zip(*((one.least, one.most) for one in files), strict=True))
    return {"bytes": least} if least == most else {"bytes_least": least, "bytes_most": most}


def stored_rows(architecture: Architecture) -> tuple[StoredRow, ...]:
    """The tensors of a checkpoint: those of one name and shape are one row, whichever layers they are in."""
    from gptcount.stored import tensors

    alike: dict[tuple[str, tuple[int, ...]], list[Tensor]] = {}
    for tensor in tensors(architecture):
        name = re.sub(r"(?<=\.)\d+(?=\.|$)", "{}", tensor.name)
        alike.setdefault((name, tensor.shape), []).append(tensor)
    return tuple(
        StoredRow(
            name,
            shape,
            copies=sum(tensor.copies for tensor in found),
            parameters=sum(tensor.parameters for tensor in found),
            weights=tuple(weight.name for weight in found[-1].weights),
            role=found[-1].weights[0].role,
        )
        for (name, shape), found in alike.items()
    )


def reconcile(inventory: Inventory, stored: bool = True) -> tuple[Item, ...]:
    """From the matrices of the flow to what training learns and, where that is known, to what a checkpoint stores."""
    counts: dict[str, int] = {}
    for weight in inventory:
        counts[weight.role] = counts.get(weight.role, 0) + weight.parameters
    tied = total(weight for weight in inventory if weight.tied_to)
    learned = total(weight for weight in inventory if weight.learned)
    buffers = counts.get("buffer", 0)
    return (
        Item("weight matrices of the flow", counts.get("matrix", 0), "matrix_parameters"),
        *(Item(label, counts[role]) for role, label in ITEMS if role in counts),
        *((Item("unembedding, stored once with the embedding (tied)", -tied),) if tied else ()),
        Item("parameters: what training learns, tied ones once", learned, "parameters"),
        *((Item("buffers that a checkpoint keeps beside them", buffers),) if stored else ()),
        *((Item("stored: what a checkpoint holds", learned + buffers, "stored"),) if stored else ()),
    )


def is_table(weight: Weight) -> bool:
    """Whether a weight is no part of ``non-embedding`` (Kaplan et al. 2020): it has a row or a column for every token,
    or a row for every position; one that is tied counts with what it is tied to."""
    by_token = any(axis.name in ("n_vocab", "n_embedded", "n_more", "n_vocab_per_layer") for axis in weight.axes)
    return weight.learned and (weight.role == "position" or by_token)


def unstapled(weight: Weight) -> Weight:
    """A matrix as those that it is stapled from, which its block declares: the axis that it names counts copies."""
    if not weight.stapled:
        return weight
    apart = next(axis for dimension in weight.shape for axis in dimension if axis.name == weight.stapled)
    shape = tuple(tuple(axis for axis in dimension if axis is not apart) for dimension in weight.shape)
    return weight._replace(shape=shape, per=(*weight.per, apart))


def label(weight: Weight) -> str:
    """What people call a weight: ``attention.value`` is value-down, ``mlp.experts.up`` is expert up-projection."""
    if weight.name in LABELS:
        return LABELS[weight.name]
    first, *rest = weight.name.split(".")
    *path, last = rest or [first]
    if last == "output" and any(axis.name == weight.stapled for axis in weight.per):
        return "value-up"
    words = [word.removesuffix("s").replace("mlp", "MLP").replace("_", " ") for word in path]
    words = ["shared", *words] if first == "shared" else words
    if path and path[-1].endswith("_adapter"):
        return f"{' '.join(words)}, {last}"
    return " ".join([*words, LABELS.get(last, last.replace("_", "-"))])
