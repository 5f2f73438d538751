"""What a sentence about a row may mention, and the words that are the same in all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gptcount.blocks.block import Block
from gptcount.ledger import Ledger, Row
from gptcount.numbers import count


class Facts(NamedTuple):
    """One row, the block that it belongs to, and whatever a sentence about it may mention."""

    row: Row
    ledger: Ledger
    block: Block | None

    @property
    def n(self) -> dict[str, int]:
        """The named sizes: those of the model, of the block, and of the row, which come first."""
        return self.ledger.architecture.sizes() | (self.block.sizes() if self.block else {}) | dict(self.row.factors)

    def has(self, field: str) -> bool:
        """Whether the block has this field, and it says something."""
        return bool(getattr(self.block, field, None))


Sentences = Callable[[Facts], list[str]]
"""What is said of a group, by the facts of its first row."""


def said(text: str) -> Sentences:
    """Sentences that say, after what a matrix does, how large one is."""
    return lambda facts: [text.format_map({name: count(n) for name, n in facts.n.items()}), each(facts)]


def each(facts: Facts) -> str:
    """How large one such matrix is, and how many there are."""
    row = facts.row
    sizes = " × ".join(map(count, row.sizes))
    sizes += f" = {count(row.parameters // row.matrices)}" if len(row.sizes) > 1 else ""
    return (
        f"One such matrix is {sizes} parameters, and there {'are' if row.matrices > 1 else 'is'} {count(row.matrices)}."
    )


def ratio(a: int, b: int) -> str:
    """How many times ``b`` is in ``a``, to two decimals."""
    return count(a // b) if a % b == 0 else f"{a / b:.2f}".rstrip("0").rstrip(".")
