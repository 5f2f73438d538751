"""A small likeness of an architecture: the same blocks and kinds of layer, every size small and no two alike.

At real sizes equal axes hide a transposition (GPT-3 has as many layers as heads); here each size tells its word. It
knows no block: what a size depends on, its field declares (see ``gptcount.blocks.size``).
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm, prod
from typing import Any

from gptcount.architecture import Architecture
from gptcount.blocks.block import Block
from gptcount.blocks.size import AtLeast, Declaration, Even, Few, Multiple, Spare, Tokens, Wide, at, declared
from gptcount.layer import SLOTS, Layer, Variation
from gptcount.weight import slices

FEW, MANY = 100, 300
"""After so many sizes, widths that are wide leave the smaller numbers to other words."""

Real = dict[tuple[str, int], int]
"""The real size of each word, by the word and its small size."""


@lru_cache(maxsize=16)
def small(architecture: Architecture) -> tuple[Architecture, Real]:
    """The likeness, and the way back to the real sizes. Each kind of layer stands in it at least once."""
    sizes = Sizes()
    if shared := architecture.shared:  # a size that no field says is what it is
        sizes.used |= {n for word, n in shared.sizes().items() if word not in type(shared).model_fields}
    top: dict[str, Any] = {"d_model": sizes.take("d_model", architecture.d_model, at_least=8, multiple_of=2)}
    top |= {"n_vocab": sizes.take("n_vocab", architecture.n_vocab, at_least=9)}
    beside = (name for name, value in architecture if isinstance(value, Block) and name not in (*SLOTS, "embedding"))
    top |= {name: sizes.of(getattr(architecture, name)) for name in beside}
    layers = list(architecture.layers())
    n_layers = sizes.unused(at_least=max(len(layers), 2))
    stack = layers + [layers[-1]] * (n_layers - len(layers))
    common, variations = _stacked([Layer(*map(sizes.of, layer)) for layer in stack])
    top |= common._asdict() | {"n_layers": n_layers, "variations": variations}
    top |= {"n_ctx": sizes.take("n_ctx", architecture.n_ctx or 0, at_least=max(sizes.tokens, default=1) + 1)}
    if not architecture.n_ctx:
        del sizes.real["n_ctx", top["n_ctx"]]
    top |= {"embedding": sizes.of(architecture.embedding)}
    sizes.real[("n_layers", n_layers)] = architecture.n_layers
    return architecture.model_copy(update=top), sizes.real


class Sizes:
    """Hands out small sizes, each once; equal sizes under the same name stay equal."""

    def __init__(self) -> None:
        self.real: Real = {}
        self.taken: dict[tuple[str, int], int] = {}
        self.used: set[int] = set()
        self.tokens: set[int] = set()
        self.made: dict[int, tuple[Block, Block]] = {}

    def unused(self, at_least: int = 2, multiple_of: int = 1) -> int:
        """The smallest size not yet used."""
        size = max(at_least, multiple_of)
        while size in self.used or size % multiple_of:
            size += 1
        self.used.add(size)
        return size

    def take(self, name: str, real: int, at_least: int = 2, multiple_of: int = 1) -> int:
        """The small size for a real one; a further one, where that has to be a multiple of another size than before."""
        known = self.taken.get((name, real))
        if known is None or known % multiple_of or known < at_least:
            size = self.unused(at_least, multiple_of)
            self.taken[(name, real)] = size
            self.real[(name, size)] = real
        return self.taken[(name, real)]

    def of(self, block: Any) -> Any:
        """The block with small sizes; what depends on another size comes after it."""
        if not isinstance(block, Block):
            return block
        if id(block) not in self.made:
            self.made[id(block)] = block, self._smaller(block)
        return self.made[id(block)][1]

    def _smaller(self, block: Block) -> Block:
        change: dict[str, Any] = {name: self.of(value) for name, value in block if isinstance(value, Block)}
        change |= {name: None for name, value in block if getattr(value, "short_factors", ())}  # a number a pair
        for name, declarations in declared(type(block)).items():
            if type(real := getattr(block, name)) is int:
                change[name] = self._fitting(name, real, declarations, change)
                self.tokens |= {change[name] for one in declarations if isinstance(one, Tokens)}
        likeness = block.model_copy(update=change)
        self.real |= {(name, size): block.sizes()[name] for name, size in likeness.sizes().items()}
        return likeness

    def _fitting(self, name: str, real: int, declarations: tuple[Declaration, ...], change: dict[str, Any]) -> int:
        at_least, multiple_of, quotient = 2, 1, False
        for one in declarations:
            match one:
                case Few():
                    return min(real, 2)
                case Multiple(of=of) if found := at(change, of):
                    multiple_of, quotient = lcm(multiple_of, found), bool(one.quotient)
                case Even(where=where) if not where or at(change, where):
                    multiple_of = lcm(multiple_of, 2)
                case AtLeast(of=of):
                    at_least = max(at_least, at(change, of) or self._of_model(of))
                case Spare(of=others):
                    at_least = max(at_least, prod(at(change, other) or 1 for other in others) + 1)
                case Wide() if len(self.taken) > FEW and (name, real) not in self.taken:
                    at_least = MANY
        if quotient and (name, real) not in self.taken:
            times = self.unused()
            while multiple_of * times in self.used:
                times = self.unused()
            multiple_of *= times
        return self.take(name, real, at_least, multiple_of)

    def _of_model(self, name: str) -> int:
        return max((n for (word, _), n in self.taken.items() if word == name), default=0)


def _stacked(stack: list[Layer]) -> tuple[Layer, tuple[Variation, ...]]:
    """Layers as an architecture says them: the first, and those that differ from it."""
    common = stack[0]
    return common, tuple(
        Variation(layers=slices([index]), **layer._asdict()) for index, layer in enumerate(stack) if layer != common
    )
