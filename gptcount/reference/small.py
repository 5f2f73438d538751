"""A small likeness of an architecture: the same blocks and kinds of layer, every size small and no two alike.

At real sizes equal axes hide a transposition (GPT-3 has as many layers as heads); here each size tells its word.
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm
from typing import Any

from gptcount.architecture import Architecture, Layer, Variation
from gptcount.blocks.block import Block
from gptcount.weight import slices

FEW, MANY = 100, 300
"""After so many sizes, widths of MLPs leave the smaller numbers to other words: little is multiplied by them."""

Real = dict[tuple[str, int], int]
"""The real size of each word, by the word and its small size."""


@lru_cache(maxsize=16)
def small(architecture: Architecture) -> tuple[Architecture, Real]:
    """The likeness, and the way back to the real sizes. Each kind of layer stands in it at least once."""
    sizes = Sizes()
    top = {"d_model": sizes.take("d_model", architecture.d_model, at_least=8, multiple_of=2)}
    top |= {"n_vocab": sizes.take("n_vocab", architecture.n_vocab, at_least=9)}
    top |= {name: sizes.of(getattr(architecture, name)) for name in ("shortcut", "head", *architecture.beside())}
    layers = list(architecture.layers())
    n_layers = sizes.unused(at_least=max(len(layers), 2))
    stack = layers + [layers[-1]] * (n_layers - len(layers))
    common, variations = _stacked([Layer(*(sizes.of(block) for block in layer)) for layer in stack])
    likeness = architecture.model_copy(
        update=top
        | {"n_layers": n_layers, "attention": common.attention, "mlp": common.mlp, "variations": variations}
        | {"n_ctx": sizes.take("n_ctx", architecture.n_ctx, at_least=sizes.most_but_widths() + 1)}
        | {"embedding": sizes.of(architecture.embedding)}
    )
    sizes.real[("n_layers", n_layers)] = architecture.n_layers
    return likeness, sizes.real


class Sizes:
    """Hands out small sizes, each once; equal sizes under the same name stay equal."""

    def __init__(self) -> None:
        self.real: Real = {}
        self.taken: dict[tuple[str, int], int] = {}
        self.used: set[int] = set()
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
        if name == "d_ff" and known is None and len(self.taken) > FEW:
            at_least = MANY
        if known is None or known % multiple_of or known < at_least:
            size = self.unused(at_least, multiple_of)
            self.taken[(name, real)] = size
            self.real[(name, size)] = real
        return self.taken[(name, real)]

    def most_but_widths(self) -> int:
        """The largest size that is no width of a vector: a text of more tokens reaches beyond windows and blocks."""
        return max(
            size for (name, _), size in self.taken.items() if not name.startswith(("d_", "n_heads", "n_kv_heads"))
        )

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
        for name, real in sorted(
            block.sizes().items(), key=lambda item: ORDER.index(item[0]) if item[0] in ORDER else -1
        ):
            if name in type(block).model_fields:
                change[name] = self._fitting(name, real, change)
        likeness = block.model_copy(update=change)
        self.real |= {(name, size): block.sizes()[name] for name, size in likeness.sizes().items()}
        return likeness

    def _fitting(self, name: str, real: int, change: dict[str, Any]) -> int:
        if name == "n_heads" and change.get("n_output_groups"):
            return self._product(name, real, change["n_output_groups"])
        if name == "n_heads" and change.get("n_kv_heads"):
            indexer = change.get("indexer")
            return self.take(name, real, multiple_of=lcm(change["n_kv_heads"], indexer.n_index_heads if indexer else 1))
        if name == "n_local":
            return min(real, 1)
        if name == "n_streams":
            return self.take(name, real, at_least=min(real, 9))
        if name == "n_blocks":
            return 1 if real == 1 else self.take(name, real)
        if name == "n_embedded":
            return self.take(name, real, at_least=max(n for (word, _), n in self.taken.items() if word == "n_vocab"))
        if name == "n_positions":
            return self.take(
                name, real, at_least=max([2, *(n for (word, _), n in self.taken.items() if word == "n_ctx")])
            )
        if name in ("n_heads", "n_kv_heads") and change.get("differential"):
            return self.take(name, real, multiple_of=change.get("n_kv_heads", 2))
        if name in ("d_head", "d_index_head"):
            rotary = change.get("rotary")
            turned = rotary.d_rotary if rotary and rotary.d_rotary else self._turned() if name == "d_index_head" else 0
            return self.take(name, real, at_least=turned + 2, multiple_of=2)
        if name == "d_rotary":
            rotary = change.get("rotary")
            return self.take(name, real, at_least=(rotary.d_rotary or 2) if rotary else 2, multiple_of=2)
        if name == "n_experts":
            chosen, groups, open_to = (change.get(key, 1) for key in ("n_experts_per_token", *GROUPS))
            return self.take(name, real, at_least=chosen * groups // open_to + 1, multiple_of=groups)
        if name in GROUPS:
            return min(real, 2)
        if name == "offset":
            return real
        return self.take(name, real)

    def _turned(self) -> int:
        return max([0, *(size for (word, _), size in self.taken.items() if word == "d_rotary")])

    def _product(self, name: str, real: int, of: int) -> int:
        """A small size that is a multiple of another, by a size that is not used either."""
        if (name, real) in self.taken:
            return self.take(name, real, multiple_of=of)
        times = self.unused()
        while of * times in self.used:
            times = self.unused()
        return self.take(name, real, multiple_of=of * times)


GROUPS = ("n_groups", "n_groups_per_token")
ORDER = ("n_kv_heads", "n_heads", "d_head", *GROUPS, "n_experts_per_token", "n_experts")


def _stacked(stack: list[Layer]) -> tuple[Layer, tuple[Variation, ...]]:
    """Layers as an architecture says them: the first, and those that differ from it."""
    common = stack[0]
    return common, tuple(
        Variation(layers=slices([index]), attention=layer.attention, mlp=layer.mlp)
        for index, layer in enumerate(stack)
        if layer != common
    )
