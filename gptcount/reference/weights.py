"""Weights as the forward pass takes them: by name, in words, one layer and one copy at a time; and the log of it.

It knows where names are filed and which sizes words have. What the arrays are is the source's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from gptcount.architecture import Architecture
from gptcount.blocks.block import Block
from gptcount.blocks.reach import Reach
from gptcount.errors import ShapeError
from gptcount.reference import words as said
from gptcount.reference.words import Array
from gptcount.weight import Axis, axes_of

Source = Callable[[str, int | None, int | None], Array]
"""Gives the array of a weight: its dotted name, the layer's index, the copy's index (an expert), where there are such.
Raises ShapeError where it has none."""


Op = Literal["look-up", "contraction", "addition", "gain", "pattern"]
"""What a step does: rows of a table are looked up; two arrays are multiplied, and perhaps summed over; a weight is
added, or multiplies number by number; an array is made of another without a weight."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done: where, what goes in and what comes out, in words, and the weight that it takes, if it does."""

    layer: int | None
    op: Op
    does: str
    """What it is called, under the path of its block."""
    takes: said.Dimensions
    weight: str
    weight_words: said.Dimensions
    gives: said.Dimensions
    sizes: dict[str, int]
    copies: Axis | None
    """The axis of copies of which this is one, if it is, with those that one token visits."""
    reach: Reach
    """Which keys a token looks at, where keys are looked at."""
    done_in: int | None
    """The layer that does it; another than ``layer`` where a weight is shared, which is drawn as the first one's."""


Log = Callable[[Step], None]


def of_text(
    architecture: Architecture, source: Source, n_tokens: int, log: Log | None = None, absorbed: bool = False
) -> Weights:
    """The weights of a model, for a text of so many tokens."""
    sizes = architecture.sizes() | {"n_tokens": n_tokens, "n_keys": n_tokens}
    return Weights(source, sizes, log, absorbed=absorbed)


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in reach of one block, and the sizes of the words that it may say."""

    source: Source
    sizes: dict[str, int]
    log: Log | None = None
    path: str = ""
    layer: int | None = None
    done_in: int | None = None
    """The layer that draws; another than ``layer``, where what is drawn is stored with another."""
    copy: int | None = None
    copies: Axis | None = None
    begin: int = 0
    """The position of the first token."""
    reach: Reach = field(default_factory=Reach)
    """Which keys a token looks at."""
    absorbed: bool = False
    """Whether latent attention looks at latent vectors themselves, as one does who goes on token by token."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What one layer leaves for a later one."""

    def at(self, layer: int | None) -> Weights:
        """The weights of one layer; of None, those that stand beside the layers."""
        return replace(self, layer=layer, done_in=layer)

    def stored_with(self, layer: int | None) -> Weights:
        """The weights of another layer, which this one uses too."""
        return replace(self, layer=layer)

    def under(self, path: str, block: Block) -> Weights:
        """The weights filed under a path, and the words for the sizes of the block there."""
        return replace(self, path=self.name(path), sizes=self.sizes | block.sizes())

    def one_of(self, copies: str, copy: int, chosen: str = "") -> Weights:
        """Of weights that there are many of, one: the ``copy``-th of the axis that ``copies`` names; ``chosen`` names
        the axis of those that one token visits, where it does not visit all."""
        visited = Axis(chosen, self.sizes[chosen]) if chosen else None
        return replace(self, copies=Axis(copies, self.sizes.get(copies), visited), copy=copy)

    def where(self, **sizes: int) -> Weights:
        """The same weights, and words for sizes that only the data know."""
        return replace(self, sizes=self.sizes | sizes)

    def looking(self, reach: Reach) -> Weights:
        """The same weights, where tokens look at other keys."""
        return replace(self, reach=reach)

    @property
    def here(self) -> Array:
        """The positions of the tokens."""
        return np.arange(self.begin, self.begin + self.sizes["n_tokens"])

    @property
    def there(self) -> Array:
        """The positions of the keys that tokens may look at."""
        return np.arange(self.begin + self.sizes["n_tokens"])

    def name(self, name: str) -> str:
        """The full name of a weight here."""
        return f"{self.path}.{name}" if self.path else name

    def draw(self, name: str, words: str) -> Array:
        """A weight, of the shape that ``words`` say. Raises ShapeError, naming the weight and the words."""
        full = self.name(name)
        array = self.source(full, self.layer, self.copy)
        try:
            said.split(array, axes_of(words), self.sizes)
        except ShapeError as fault:
            raise ShapeError(f"{full}: {fault}") from None
        return array

    def look_up(self, words: str, which: Array, name: str) -> Array:
        """The rows of a table, both of whose axes ``words`` say: ``n_tokens, n_vocab d_model -> n_tokens d_model``."""
        (takes, table), gives = said.sides(words)
        found = self.draw(name, said.text(table))
        self._note("look-up", name, self.name(name), table, takes, gives)
        rows: Array = found[which]
        return rows

    def einsum(self, words: str, x: Array, other: Array | str, does: str = "") -> Array:
        """Contract as ``words`` say; ``other`` is an array, or the name of a weight, which is drawn."""
        (takes, second), gives = said.sides(words)
        name = self.name(other) if isinstance(other, str) else ""
        array = self.source(name, self.layer, self.copy) if isinstance(other, str) else other
        try:
            result = said.einsum(words, self.sizes, x, array)
        except ShapeError as fault:
            raise ShapeError(f"{name or does}: {fault}") from None
        self._note("contraction", self.name(does) if does else name, name, second, takes, gives)
        return result

    def arrange(self, words: str, x: Array) -> Array:
        """The same numbers in another order of axes, or with axes in one dimension: no weight, nothing summed."""
        return said.einsum(words, self.sizes, x)

    def linear(self, words: str, x: Array, name: str, bias: bool = False) -> Array:
        """Contract with a weight and add its bias, which spans what the weight brings out."""
        result = self.einsum(words, x, name)
        if not bias:
            return result
        (_, weight), gives = said.sides(words)
        out = said.axes(gives)
        bias_words = said.text(tuple(dimension for dimension in weight if set(dimension) <= set(out)))
        return self.add(said.text(gives), result, f"{name}.bias", bias_words)

    def add(self, words: str, x: Array, name: str, of: str) -> Array:
        """Add a weight, its words among those of ``x``."""
        return x + said.aligned(self.drawn(name, of, "addition"), axes_of(of), axes_of(words))

    def scale(self, words: str, x: Array, name: str, of: str, plus: float = 0.0) -> Array:
        """Multiply by a weight, its words among those of ``x``; ``plus`` is added to it first."""
        gain = self.drawn(name, of)
        return x * said.aligned(gain + plus if plus else gain, axes_of(of), axes_of(words))

    def drawn(self, name: str, words: str, op: Op = "gain") -> Array:
        """A weight drawn and logged by itself, as adding and scaling do."""
        array = self.draw(name, words)
        self._note(op, self.name(name), self.name(name), axes_of(words))
        return array

    def keep(self, name: str, value: Any) -> Any:
        """Leave something for later layers, and give it back."""
        self.memory[name] = value
        return value

    def recall(self, name: str) -> Any:
        """What an earlier layer left. Raises ShapeError where none did."""
        if name not in self.memory:
            raise ShapeError(f"{self.path}: no earlier layer left its {name}")
        return self.memory[name]

    def step(self, does: str, words: str, array: Array) -> Array:
        """An array that needs no weight (a pattern), checked in words and put into the log."""
        said.split(array, axes_of(words), self.sizes)
        self._note("pattern", self.name(does), "", (), gives=axes_of(words))
        return array

    def _note(
        self,
        op: Op,
        does: str,
        weight: str,
        words: said.Dimensions,
        takes: said.Dimensions = (),
        gives: said.Dimensions = (),
    ) -> None:
        if self.log:
            self.log(
                Step(
                    self.layer, op, does, takes, weight, words, gives, self.sizes, self.copies, self.reach, self.done_in
                )
            )
