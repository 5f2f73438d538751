"""Stored: what a checkpoint calls each tensor, and how the weights of an inventory lie in it.

A family's table of lines (see ``gptcount.lines``) says it; one
table serves the stored reading, the audit and the forward pass. It does not know who reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families import table_of
from gptcount.lines import Line, parsed
from gptcount.weight import Axis, Weight, product


@dataclass(frozen=True, slots=True)
class Tensor:
    """Equal tensors of a checkpoint: their name, ``{}`` for each number in it, the shape of one, and what they hold."""

    name: str
    shape: tuple[int, ...]
    indices: tuple[Axis, ...]
    """The axes that ``{}`` stands for."""
    weights: tuple[Weight, ...]
    line: Line

    @property
    def copies(self) -> int:
        """How many there are."""
        return product(self.indices)

    @property
    def parameters(self) -> int:
        """How many numbers they hold together."""
        return sum(weight.parameters for weight in self.weights)

    def named(self, numbers: Sequence[int]) -> str:
        """The name of one of them: of a layer and a copy in it, both counted from 0."""
        return self.name.format(*(number + (0 if place else self.line.first) for place, number in enumerate(numbers)))


def tensors(architecture: Architecture, table: str | None = None) -> list[Tensor]:
    """Every tensor that a checkpoint of this architecture stores, in the order of the family's table, or of another.

    Raises InputError where the architecture names no family, or the table has no line for one of its weights.
    """
    named: dict[str, list[Weight]] = {}
    for weight in architecture.inventory():
        if not weight.tied_to:
            named.setdefault(weight.name, []).append(weight)
    found = [tensor for line in parsed(table or table_of(architecture)) for tensor in _of_line(line, named)]
    if twice := _named_twice(found):
        raise InputError(f"{shown(architecture.name)}: a checkpoint would have two tensors of the name {twice}")
    held: dict[str, int] = {}
    for tensor in found:
        for weight in tensor.weights:
            held[weight.name] = held.get(weight.name, 0) + weight.parameters
    left = {name for name, weights in named.items() if held.get(name, 0) != sum(one.parameters for one in weights)}
    if left:
        family = architecture.checkpoint
        raise InputError(
            f"{shown(architecture.name)}: a checkpoint of the family {family!r} has no name for {min(left)}"
        )
    return found


def _named_twice(found: Sequence[Tensor]) -> str:
    """The name that two tensors would have in one layer; empty where there is none."""
    layers: dict[str, set[int]] = {}
    for tensor in found:
        first = tensor.indices[0] if tensor.indices else Axis("", 1)
        here = set(first.where or range(first.n))
        if not here.isdisjoint(layers.setdefault(tensor.name, set())):
            return tensor.name
        layers[tensor.name] |= here
    return ""


def _of_line(line: Line, named: dict[str, list[Weight]]) -> Iterator[Tensor]:
    for suffix, ending in zip(("", ".bias"), line.endings, strict=True):
        families = [_narrowed(named.get(name + suffix, []), line.layers) for name in line.weights]
        if any(families):
            for weights in side_by_side(families):
                yield laid(line, line.tensor + ending, weights)
            if len({sum(map(_layers, family)) for family in families}) > 1:
                raise InputError(f"{line.tensor}{ending}: {', '.join(line.weights)} are not stored together everywhere")


def _narrowed(weights: list[Weight], layers: frozenset[int]) -> list[Weight]:
    """The weights in these layers alone, or all where none are named."""
    if not layers:
        return weights
    found = []
    for weight in weights:
        axis = weight.per[0]
        if where := tuple(index for index in axis.where or range(axis.n) if index in layers):
            found.append(weight._replace(per=(axis._replace(size=len(where), where=where), *weight.per[1:])))
    return found


def _layers(weight: Weight) -> int:
    return weight.per[0].n if weight.per and weight.per[0].name == "n_layers" else 1


def side_by_side(families: list[list[Weight]]) -> list[tuple[Weight, ...]]:
    """The weights that lie in one tensor. Layers of which one weight differs and the others do not (in d_kv_latent, and
    not in d_rotary) are told apart."""
    plain = list(zip(*families, strict=False))
    layered = all(weight.per and weight.per[0].name == "n_layers" for family in families for weight in family)
    if not layered or all(weight.per[0] == weights[0].per[0] for weights in plain for weight in weights):
        return plain
    at: list[dict[int, Weight]] = [
        {layer: weight for weight in family for layer in weight.per[0].where or range(weight.per[0].n)}
        for family in families
    ]
    alike: dict[tuple[Weight, ...], list[int]] = {}
    for layer in sorted(set.intersection(*(set(found) for found in at))):
        alike.setdefault(tuple(found[layer] for found in at), []).append(layer)
    return [
        tuple(
            weight._replace(per=(Axis("n_layers", len(where), where=tuple(where)), *weight.per[1:])) for weight in same
        )
        for same, where in alike.items()
    ]


def laid(line: Line, name: str, weights: tuple[Weight, ...]) -> Tensor:
    """Weights as one tensor: its shape, and the copies that its name counts."""
    n_indices = name.count("{}")
    indices = weights[0].per[:n_indices]
    if any(weight.per[:n_indices] != indices for weight in weights):
        raise InputError(f"{name}: {', '.join(weight.name for weight in weights)} are not in the same layers")
    if line.first:
        layers = indices[0]
        numbers = tuple(index + line.first for index in layers.where or range(layers.n))
        indices = (layers._replace(where=numbers), *indices[1:])
    sizes = (_size(dimension, line, weights, n_indices) for dimension in line.dimensions)
    tensor = Tensor(name, tuple(size for size in sizes if size), indices, weights, line)
    if prod(tensor.shape) * tensor.copies != tensor.parameters:
        raise InputError(
            f"{name}: tensors of this family's checkpoints do not hold {', '.join(weight.name for weight in weights)}"
        )
    return tensor


def _size(dimension: tuple[str, ...], line: Line, weights: tuple[Weight, ...], n_indices: int) -> int:
    """The size of a dimension; 0 where these weights do not have it (a bias lacks what goes in)."""
    if dimension[0].isdigit() and len(dimension) == 1:
        return 0 if weights[0].role == "bias" else int(dimension[0])
    if "|" in dimension:
        axes = [own(dimension, weight) + rest(line, weight, n_indices) for weight in weights]
        return 0 if weights[0].role == "bias" and not any(axes) else sum(map(product, axes))
    named = next((own(dimension, weight) for weight in weights if own(dimension, weight)), None)
    return product(named) if named else 0


def own(dimension: tuple[str, ...], weight: Weight) -> list[Axis]:
    """The axes of a weight that a dimension names."""
    return [axis for word in dimension for axis in weight.axes if axis.name == word]


def rest(line: Line, weight: Weight, n_indices: int) -> list[Axis]:
    """The axes of a weight that neither the tensor's name counts nor a word of its dimensions names."""
    said = {word for dimension in line.dimensions for word in dimension}
    return [axis for axis in weight.axes[n_indices:] if axis.name not in said]
