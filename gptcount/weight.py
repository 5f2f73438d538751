"""Axis, Weight and Inventory: a model as a sum of named products of named sizes.

The only file that multiplies sizes. It knows nothing of attention, of files or of printing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from math import prod
from typing import Any, Literal, NamedTuple

from gptcount.errors import InputError

Role = Literal["matrix", "convolution", "bias", "norm", "position", "other", "buffer"]
"""What a weight is for: a matrix of the flow, a convolution's kernel, a bias, a norm's gain or bias, learned positions,
any other learned number (an attention sink, a scalar), or a buffer, which a checkpoint keeps and training does not
learn."""


class Axis(NamedTuple):
    """A named size. A name with a prime (``n_streams'``) is another axis of the same size.

    ``size`` is None until it is bound. ``chosen`` is the axis of those copies that one token visits, where it does
    not visit all (``n_experts_per_token`` of ``n_experts``). ``where`` lists the indices, where not all count (layers
    3 to 60 of ``n_layers``).
    """

    name: str
    size: int | None = None
    chosen: Axis | None = None
    where: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        """The size, which must be bound. Raises LookupError where it is not."""
        if self.size is None:
            raise LookupError(f"the size {self.name} is used and nowhere given: bind({{'{self.name}': ...}}) gives it")
        return self.size

    @property
    def visited(self) -> int:
        """How many of its indices one token visits, at most: all, but for copies that it chooses among."""
        return min(self.n, self.chosen.n) if self.chosen else self.n

    @property
    def label(self) -> str:
        """The name as a formula says it: ``n_layers``, or ``n_layers[3:61]`` for a part, and where that is shorter
        ``n_layers[0:63 except 3:60:4]``."""
        if not self.where:
            return self.name
        span = range(self.where[0], self.where[-1] + 1)
        but = f"{slices(span)} except {slices(sorted({*span}.difference(self.where)))}"
        return f"{self.name}[{min(slices(self.where), but, key=len)}]"


Dimension = tuple[Axis, ...]
"""One dimension of an array: the product of its axes (``n_heads*d_head``)."""


class Weight(NamedTuple):
    """A family of equal arrays: its dotted name, the axes of one copy, and those that say how many copies there are."""

    name: str
    shape: tuple[Dimension, ...]
    per: tuple[Axis, ...] = ()
    role: Role = "matrix"
    tied_to: str = ""
    stapled: str = ""
    """The axis whose matrices are stapled together in this one: those of the heads in an output matrix."""
    block: Any = None
    """What declares it."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Every axis, copies first: the factors of the formula."""
        return sum(self.shape, self.per)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The size of each dimension of one copy."""
        return tuple([product(dimension) for dimension in self.shape])

    @property
    def copies(self) -> int:
        """How many equal arrays there are."""
        return product(self.per)

    @property
    def parameters(self) -> int:
        """How many numbers all the copies hold together."""
        return product(self.axes)

    @property
    def active(self) -> int:
        """How many of them one token visits, at most."""
        return prod([axis.visited for axis in self.axes])

    @property
    def learned(self) -> bool:
        """Whether training learns it: it is no buffer, and not tied to another."""
        return self.role != "buffer" and not self.tied_to

    def rebind(self, change: Callable[[Axis], Axis]) -> Weight:
        """The same weight with every axis changed."""
        shape = tuple([tuple([change(axis) for axis in dimension]) for dimension in self.shape])
        return Weight(self.name, shape, tuple([change(axis) for axis in self.per]), *self[3:])


class Inventory(tuple[Weight, ...]):
    """A list of weights that is closed under adding, repeating and filing: one weight, one block and a model alike."""

    __slots__ = ()

    def __add__(self, other: Iterable[Weight]) -> Inventory:  # type: ignore[override]
        return Inventory((*self, *other))

    def per(self, axis: Axis) -> Inventory:
        """One such inventory for every index of ``axis``."""
        return Inventory([Weight(w.name, w.shape, (axis, *w.per), *w[3:]) for w in self])

    def of(self, block: Any) -> Inventory:
        """The same weights, declared by this block."""
        return Inventory([Weight(*w[:-1], block) for w in self])

    def under(self, path: str) -> Inventory:
        """The same weights, filed under a dotted path."""
        return Inventory([Weight(f"{path}.{w.name}" if w.name else path, *w[1:]) for w in self])

    def bind(self, sizes: Mapping[str, int]) -> Inventory:
        """Give each axis its size that has none yet and whose name is known: the innermost block binds first.

        Raises InputError for a size below 1.
        """

        def bound(axis: Axis) -> Axis:
            name = axis.name.rstrip("'")
            if axis.size is None and name in sizes:
                if sizes[name] < 1:
                    raise InputError(f"{name} = {sizes[name]}: a size is at least 1")
                chosen = axis.chosen and bound(axis.chosen)
                return Axis(axis.name, sizes[name], chosen, axis.where)
            return axis

        return Inventory([weight.rebind(bound) for weight in self])


NOTHING = Inventory()


@cache
def axes_of(words: str) -> tuple[tuple[str, ...], ...]:
    """The dimensions of a shape in words, each with its axes: ``n_heads*d_head d_model`` has two, the first of two."""
    return tuple(tuple(word.split("*")) for word in words.split())


@cache
def dimensions(words: str) -> tuple[Dimension, ...]:
    """The shape that words say."""
    return tuple(tuple(map(Axis, axes)) for axes in axes_of(words))


def weight(name: str, shape: str, role: Role = "matrix", tied_to: str = "") -> Inventory:
    """An inventory of one weight, its shape said in words."""
    return Inventory([Weight(name, dimensions(shape), role=role, tied_to=tied_to)])


def linear(name: str, shape: str, bias: bool = False, stapled: str = "") -> Inventory:
    """A matrix, ``what goes in`` by ``what comes out``, and its bias where it has one, which spans what comes out;
    ``stapled`` names the axis of the matrices that are stapled together in it."""
    matrix = Inventory([Weight(name, dimensions(shape), stapled=stapled)])
    return matrix + weight(f"{name}.bias", shape.split()[-1], "bias") if bias else matrix


def per(axis: str, inventory: Inventory, chosen: str = "") -> Inventory:
    """One such inventory for every index of the axis; ``chosen`` names the axis of those that one token visits."""
    return inventory.per(Axis(axis, chosen=Axis(chosen) if chosen else None))


def total(inventory: Iterable[Weight]) -> int:
    """How many numbers the weights hold together."""
    return sum(weight.parameters for weight in inventory)


def product(axes: Iterable[Axis]) -> int:
    """The product of bound sizes, an exact integer."""
    return prod([axis.n for axis in axes])


def slices(where: Sequence[int]) -> str:
    """Indices as Python slices say them: ``0:3``, ``5:48:6``, or several with commas."""
    return ",".join(map(_said, runs(where)))


def _said(run: range) -> str:
    step = f":{run.step}" if run.step > 1 else ""
    return str(run[0]) if len(run) == 1 else f"{run[0]}:{run[-1] + 1}{step}"


def runs(where: Sequence[int]) -> Iterator[range]:
    """Indices as runs: whole ones, and those of at least three with the same step between them."""
    at = 0
    while at < len(where):
        step = where[at + 1] - where[at] if at + 1 < len(where) else 1
        end = next((i for i in range(at + 1, len(where)) if where[i] - where[i - 1] != step), len(where))
        if step > 1 and end - at < 3:
            step, end = 1, at + 1
        yield range(where[at], where[end - 1] + 1, step)
        at = end
