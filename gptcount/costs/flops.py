"""FLOPs: how many operations a text costs, read off the products that the forward pass says.

A multiplication and an addition are two operations. Elementwise work is not counted: norms, softmax, activations,
rotations, biases, look-ups, and what a scan does number by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from gptcount.architecture import Architecture
from gptcount.costs.products import Of, Product, products
from gptcount.errors import InputError, shown
from gptcount.numbers import count
from gptcount.showing import as_html, as_rich

TRAINING = 3
"""A backward pass does each product twice more: once for the weights, once for what went in."""

LONGEST = 10**15
"""Tokens of a context; what is longer is refused."""

PARTS: tuple[Of, ...] = ("weights", "attention", "unembedding")


class Work(NamedTuple):
    """Operations by what the products are made with."""

    weights: int
    attention: int
    unembedding: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)

    def __mul__(self, times: int) -> Work:  # type: ignore[override]
        return Work(*(times * one for one in self))


@dataclass(frozen=True)
class Flops:
    """What a text of ``context`` tokens costs, ``batch`` of them at once.

    ``terms`` are the products in the usual order. Of latent attention there is a second order, ``absorbed``, which
    costs less where one token looks at many; for other models it is the same.
    """

    architecture: Architecture
    context: int | None
    batch: int
    terms: tuple[Product, ...]
    absorbed: tuple[Product, ...]

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.architecture.name

    @property
    def has_orders(self) -> bool:
        """Whether there are two orders of multiplication that cost differently."""
        return self.terms != self.absorbed

    @property
    def goes_on(self) -> bool:
        """Whether one more token leaves those before it as they are: not where tokens see later ones."""
        return not any(term.by_key and term.reach.bidirectional for term in self.terms)

    def prefill(self, every: bool = False) -> Work:
        """All tokens at once, with the scores of all positions; ``every`` pair of them, or those seen."""
        return self._work(self.terms, self._context, 0, every)

    def decode(self, absorbed: bool = False) -> Work:
        """One more token after ``context`` others, of which what is remembered is looked at. Raises InputError where
        tokens see later ones."""
        if not self.goes_on:
            raise InputError(f"{shown(self.model)}: {self.notes()[0]}")
        return self._work(self.absorbed if absorbed else self.terms, 1, self._context, False)

    def training(self, every: bool = False) -> Work:
        """Forward and backward, nothing computed twice."""
        return self.prefill(every) * TRAINING

    def notes(self) -> list[str]:
        """What a reader should know beside the numbers."""
        n_ctx = self.architecture.n_ctx
        found = [] if self.goes_on else ["tokens see later ones: one more token costs the whole text again"]
        if self.context and n_ctx and self.context > n_ctx:
            found.append(f"{count(self.context)} tokens are more than the model's own context of {count(n_ctx)}")
        return found

    def per_token(self) -> int:
        """What each token costs, whatever the length: the first coefficient of the law."""
        return sum(term.flops for term in self.terms if term.each != "pair")

    def per_pair(self) -> int:
        """What each pair of tokens costs where all tokens are looked at: the second coefficient."""
        return sum(term.flops for term in self.terms if term.each == "pair")

    def to_records(self) -> list[dict[str, Any]]:
        """The products as plain records, for ``pandas.DataFrame(...)`` or a JSON file."""
        return [
            {
                "product": term.does,
                "of": term.of,
                "formula": term.formula,
                "working": " × ".join(["2", *(str(n) for _, n in term.factors)]),
                "flops": term.flops,
                "per": term.each,
                **({} if self.context is None else {"prefill": self.batch * term.flops * term.times(self.context)}),
            }
            for term in self.terms
        ]

    @property
    def _context(self) -> int:
        if self.context is None:
            raise InputError(f"{shown(self.model)}: expected context=N, the tokens of the text")
        return self.context

    def _work(self, terms: tuple[Product, ...], new: int, before: int, every: bool) -> Work:
        found = dict.fromkeys(PARTS, 0)
        for term in terms:
            found[term.of] += self.batch * term.flops * term.times(new, before, every)
        return Work(**found)

    _repr_html_ = as_html
    __rich__ = as_rich


def flops(architecture: Architecture, context: int | None = None, batch: int = 1) -> Flops:
    """The FLOPs of a model: for a ``context`` of so many tokens, or without one as a law of any length.

    Raises InputError for sizes that are no whole numbers of at least 1, and for a model that cannot be run at small
    sizes or whose words do not tell how often something is done.
    """
    if not isinstance(architecture, Architecture):
        raise InputError(f"{shown(architecture)}: expected an Architecture, such as gptcount.load gives")
    for name, size in (("context", context), ("batch", batch)):
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= LONGEST):
            raise InputError(f"{name} = {shown(size)}: expected a whole number from 1 to {count(LONGEST)}")
    return Flops(architecture, context, batch, products(architecture), products(architecture, absorbed=True))
