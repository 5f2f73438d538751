"""The weights of a checkpoint as the forward pass takes them: the stored tensors, cut apart and turned by the family's
table (see ``gptcount.stored``). It knows how tensors lie; what is done with them is the model's affair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families.namings import IN_META, META, tied, wanted
from gptcount.names import Wanted, located, unwrapped
from gptcount.reference.words import Array
from gptcount.stored import Tensor, own, rest
from gptcount.weight import Axis, Weight


class Checkpoint:
    """Hands out the weights of a model by name, layer and copy, from a mapping of tensor names to arrays."""

    def __init__(self, architecture: Architecture, arrays: Mapping[str, Array]) -> None:
        self.arrays = arrays
        self.drawn: set[str] = set()
        self.ready: dict[str, Array] = {}
        self.found: dict[tuple[str, int | None], tuple[Tensor, int]] = {}
        self.tied = {weight.name: weight.tied_to for weight in architecture.inventory() if weight.tied_to}
        by, self.called = named(architecture, arrays)
        for tensor in by.tensors:
            for place, weight in enumerate(tensor.weights):
                for layer in _layers(weight):
                    self.found[weight.name, layer] = (tensor, place)

    def __call__(self, name: str, layer: int | None, copy: int | None) -> Array:
        """The array of a weight. Raises InputError where the checkpoint lacks it or it is not what it should be."""
        if name in self.tied:
            return self(self.tied[name], layer, copy).T
        if (name, layer) not in self.found:
            raise InputError(f"{name}: the forward pass needs it and the checkpoint's family has no name for it")
        tensor, place = self.found[name, layer]
        numbers = [number for number in (layer, copy) if number is not None]
        n_indices = len(tensor.indices)
        array = self._stacked(tensor, place, numbers[:n_indices])
        for number, axis in zip(numbers[n_indices:], tensor.weights[place].per[n_indices:], strict=False):
            array = array[axis.where.index(number) if axis.where else number]
        return array

    def _stacked(self, tensor: Tensor, place: int, numbers: list[int]) -> Array:
        """A weight out of the tensor with these numbers in its name, or out of all that have more than these."""
        if len(numbers) == len(tensor.indices):
            return part(tensor, place, self.tensor(tensor.named(numbers), tensor))
        more = _indices(tensor.indices[len(numbers)])
        return np.stack([self._stacked(tensor, place, [*numbers, number]) for number in more])

    def unused(self) -> set[str]:
        """The names of tensors that nothing has drawn; experts that no token chose are not among them."""
        idle = {
            self.called.get(name := tensor.name.format(layer, copy), name)
            for tensor, _ in self.found.values()
            if len(tensor.indices) > 1 and tensor.indices[1].chosen
            for layer in _indices(tensor.indices[0])
            for copy in range(tensor.indices[1].n)
        }
        return self.arrays.keys() - self.drawn - idle

    def tensor(self, name: str, like: Tensor) -> Array:
        """A tensor of the checkpoint, as float32. Raises InputError where it is missing, misshapen or no number."""
        called = self.called.get(name, name)
        if name not in self.ready:
            if called not in self.arrays:
                raise InputError(f"{name}: missing from the checkpoint")
            array = _array(name, self.arrays[called])
            whole = like.weights[0].role == "buffer" and array.dtype.kind == "i"
            if not whole and array.dtype not in (np.float32, np.float16, np.float64):
                raise InputError(f"{name}: of type {array.dtype}; expected float32, float16 or bfloat16")
            if array.shape != like.shape and prod(array.shape) * prod(like.shape) != 1:
                shapes = (" × ".join(map(str, shape)) or "a number" for shape in (array.shape, like.shape))
                raise InputError("{}: {}, and the model has {}".format(name, *shapes))
            with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
                array = np.ascontiguousarray(array, np.float32).reshape(like.shape)
            if array.size and not np.isfinite((array.min(), array.max())).all():
                raise InputError(f"{name}: holds a NaN or a number beyond float32, so nothing can be computed with it")
            self.ready[name] = array
        self.drawn.add(called)
        return self.ready[name]


def _array(name: str, said: Any) -> Array:
    try:
        return np.asarray(said)
    except (TypeError, ValueError, RuntimeError):  # PyTorch's bfloat16, tensors of other devices, ragged lists
        what = f"of type {shown(str(getattr(said, 'dtype', type(said).__name__)))}"
        raise InputError(f"{name}: {what}, which NumPy cannot read; expected float32, float16 or float64") from None


def named(architecture: Architecture, names: Iterable[str]) -> tuple[Wanted, dict[str, str]]:
    """The model's tensors by the table of names that a checkpoint follows, and what it calls each of those that it has.

    Raises InputError where the numbers lie in another order under these names.
    """
    names = list(names)
    if not all(isinstance(name, str) for name in names):
        raise InputError("the names of tensors are texts")
    inside = {unwrapped(name): name for name in names}
    best = located(wanted(architecture), inside)[0]
    rotary = getattr(architecture.attention, "rotary", None)
    in_pairs = rotary is not None and rotary.interleaved
    if best.votes and architecture.checkpoint in IN_META and (best.wanted.naming == META) != in_pairs:
        raise InputError(
            f"{shown(architecture.name)}: queries and keys lie otherwise under {META} names than under those of "
            "transformers, and names and configuration are not of the same kind"
        )
    instead = best.instead(inside, tied(architecture, best.wanted))
    called: dict[str, str] = {}
    for plain, name in inside.items():
        for reading in best.prefix.readings(plain):
            called.setdefault(instead.get(reading, reading), name)
    return best.wanted, called


def part(tensor: Tensor, place: int, array: Array) -> Array:
    """The ``place``-th weight that lies in a tensor, with an axis for each copy and each dimension of one: a view,
    wherever the numbers lie as they are used."""
    weight, n_indices = tensor.weights[place], len(tensor.indices)
    axes: list[Axis] = []
    sizes = iter(tensor.shape)
    shape: list[int] = []
    cuts: list[slice] = []
    for dimension in tensor.line.dimensions:
        named, left = own(dimension, weight), rest(tensor.line, weight, n_indices)
        if "|" not in dimension:
            if named or (dimension[0].isdigit() and weight.role != "bias"):
                shape.append(next(sizes))
                cuts.append(slice(None))
                axes += named
            continue
        if weight.role == "bias" and not named and not left:
            continue
        outer = _outer(dimension, tensor)
        widths = [_width(dimension, tensor, other) // outer for other in tensor.weights]
        first = sum(widths[:place])
        shape += [outer, next(sizes) // outer]
        cuts += [slice(None), slice(first, first + widths[place])]
        axes += named + left
    array = array.reshape(shape)[tuple(cuts)].reshape([axis.n for axis in axes])
    order = [axes.index(axis) for axis in weight.axes[n_indices:]]
    used = [axis.n for axis in weight.per[n_indices:]] + list(weight.sizes)
    return array.transpose(order).reshape(used)


def _outer(dimension: tuple[str, ...], tensor: Tensor) -> int:
    """How many equal pieces a dimension is cut into before the weights are laid side by side in each."""
    sizes = {axis.name: axis.n for weight in tensor.weights for axis in weight.axes}
    return prod(int(word) if word.isdigit() else sizes.get(word, 1) for word in dimension if word != "|")


def _width(dimension: tuple[str, ...], tensor: Tensor, weight: Weight) -> int:
    return prod(axis.n for axis in own(dimension, weight) + rest(tensor.line, weight, len(tensor.indices)))


def _layers(weight: Weight) -> list[int | None]:
    if not weight.per or weight.per[0].name != "n_layers":
        return [None]
    return list(_indices(weight.per[0]))


def _indices(axis: Axis) -> Sequence[int]:
    return axis.where or range(axis.n)
