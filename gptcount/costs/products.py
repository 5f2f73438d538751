"""The products of a forward pass, each with its sizes by name: read off the words that it says at small sizes.

It knows no kind of block. What two tokens multiply with each other is counted in pairs, and which pairs there are the
reach of the step says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from gptcount.architecture import Architecture
from gptcount.blocks.reach import Reach
from gptcount.errors import InputError, shown
from gptcount.ledger import label
from gptcount.reference.bench import Shelf
from gptcount.reference.model import forward, scored
from gptcount.reference.small import Real, small
from gptcount.reference.weights import Step, of_text
from gptcount.weight import Axis

Of = Literal["weights", "attention", "unembedding"]
"""What a product is made with: a weight of a layer; what other tokens keep; a weight that scores the next token."""

TOKENS = {"n_tokens", "n_routed"}
"""The words for tokens that are new; a token is routed to each of the experts that it chooses."""


class Product(NamedTuple):
    """One product of the forward pass, in every layer that does it."""

    does: str
    """What it is called, as the ledger calls its weight."""
    of: Of
    factors: tuple[tuple[str, int], ...]
    """The named sizes of one multiplication, for each token, key or pair; the layers come first."""
    by_token: bool
    """Whether it is done for each new token,"""
    by_key: bool
    """and for each key that is looked at; where both, for each pair of them."""
    reach: Reach

    @property
    def flops(self) -> int:
        """Operations for one token, one key or one pair: a multiplication and an addition each."""
        return 2 * prod(n for _, n in self.factors)

    @property
    def each(self) -> str:
        """What the product is done for: a token, a key, or a pair of them."""
        return "pair" if self.by_token and self.by_key else "key" if self.by_key else "token"

    @property
    def formula(self) -> str:
        """The working in words: ``2 × n_layers × n_heads × d_model × d_head``."""
        return " × ".join(["2", *(name for name, _ in self.factors)])

    def times(self, new: int, before: int = 0, every: bool = False) -> int:
        """How often it is done for ``new`` tokens after ``before``: of pairs those that see each other, or ``every``
        one that stands in a full table of scores."""
        if not self.by_key:
            return new
        keys = new + (before if self.reach.bidirectional else self.reach.kept(before))
        if not self.by_token:
            return keys
        return new * keys if every else self.reach.pairs(new, before)


def products(architecture: Architecture, absorbed: bool = False) -> tuple[Product, ...]:
    """Every product of a forward pass, those of equal layers once, in the order in which they are done.

    ``absorbed`` takes the other order of latent attention. Raises InputError where the words do not tell how often
    something is done.
    """
    likeness, real = small(architecture)
    steps: list[Step] = []
    n_tokens = likeness.n_ctx or 0
    w = of_text(likeness, Shelf(likeness.inventory()), n_tokens, steps.append, absorbed)
    tokens = np.arange(n_tokens) % likeness.n_vocab
    scored(likeness, forward(likeness, tokens, w), w)
    labels = {weight.name: label(weight) for weight in likeness.inventory()}
    return tuple(_products(architecture, likeness, real, steps, labels))


def _products(
    architecture: Architecture, likeness: Architecture, real: Real, steps: Iterable[Step], labels: dict[str, str]
) -> Iterator[Product]:
    layers = list(architecture.layers().values())
    kinds = {where[0]: kind for kind, where in enumerate(likeness.layers().values())}
    alike: dict[tuple[Product, int], list[int]] = {}
    seen: Counter[tuple[int | None, Product]] = Counter()
    for step in _each_copy_once(step for step in steps if step.done_in is None or step.done_in in kinds):
        words = dict.fromkeys(_words(step))
        if step.op != "contraction" or set(words) <= {word for group in step.gives for word in group}:
            continue
        if step.sizes["n_keys"] != step.sizes["n_tokens"] and "n_keys" in words:
            raise InputError(f"{shown(architecture.name)}: {step.does}: how many keys it has is not said in words yet")
        one = Product(
            labels.get(step.weight) or step.does.partition(".")[2],
            _of(step),
            tuple(_sizes(architecture, words, step, real)),
            not TOKENS.isdisjoint(words),
            "n_keys" in words,
            _reach(step.reach, real),
        )
        seen[step.done_in, one] += 1
        where = [] if step.done_in is None else layers[kinds[step.done_in]]
        alike.setdefault((one, seen[step.done_in, one]), []).extend(where)
    for (one, _), where in alike.items():
        yield one._replace(factors=(*_layers(architecture, where), *one.factors))


def _each_copy_once(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps; of those that copies of a weight do, the first."""
    before = set()
    for step in steps:
        key = (step.done_in, step.does, step.takes)
        if not step.copies or key not in before:
            yield step
        if step.copies:
            before.add(key)


def _words(step: Step) -> Iterator[str]:
    for dimensions in (step.takes, step.weight_words, step.gives):
        for dimension in dimensions:
            yield from dimension


def _reach(said: Reach, real: Real) -> Reach:
    window, chunk = said.window and real["window", said.window], said.chunk and real["chunk", said.chunk]
    return Reach(window, chunk, said.bidirectional)


def _of(step: Step) -> Of:
    if step.weight.startswith(("unembedding", "head")):
        return "unembedding"
    return "weights" if step.weight else "attention"


def _layers(architecture: Architecture, where: list[int]) -> tuple[tuple[str, int], ...]:
    axis = Axis("n_layers", len(where), where=() if len(where) == architecture.n_layers else tuple(sorted(where)))
    return ((axis.label, axis.n),) if where else ()


def _sizes(architecture: Architecture, words: Iterable[str], step: Step, real: Real) -> Iterator[tuple[str, int]]:
    if step.copies:
        axis = step.copies.chosen or step.copies
        yield axis.name, real[axis.name, step.sizes[axis.name]]
    for word in words:
        name = word.rstrip("'")
        if name not in TOKENS and name != "n_keys":
            size = real.get((name, step.sizes[name]))
            if size is None:
                raise InputError(f"{shown(architecture.name)}: {step.does}: {name} depends on more than the text")
            yield word, size
