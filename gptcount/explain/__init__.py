"""What each group of a model does and why it has its size, in plain sentences with the model's own numbers.

It finds the block of each row, and which sentences are its own; it knows no model by name, and not how text is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gptcount.explain.around import AROUND
from gptcount.explain.attention import ATTENTION
from gptcount.explain.convolutional_attention import CONVOLUTIONAL
from gptcount.explain.delta import DELTA
from gptcount.explain.facts import Facts
from gptcount.explain.lightning import LIGHTNING
from gptcount.explain.mamba import MAMBA
from gptcount.explain.mamba2 import MAMBA2
from gptcount.explain.mlp import MLP
from gptcount.explain.mlstm import MLSTM
from gptcount.explain.rg_lru import RG_LRU
from gptcount.explain.rwkv import RWKV
from gptcount.explain.shared_transformer import SHARED_TRANSFORMER
from gptcount.explain.short_convolution import SHORT_CONVOLUTION
from gptcount.ledger import Ledger, Row
from gptcount.numbers import count

MIXERS = DELTA | MAMBA | MAMBA2 | SHORT_CONVOLUTION | LIGHTNING | RG_LRU | MLSTM | RWKV
"""The sentences of mixers."""

SENTENCES = AROUND | ATTENTION | CONVOLUTIONAL | MIXERS | SHARED_TRANSFORMER | MLP
"""The sentences of every group, by the name of its weight."""


class Explanation(NamedTuple):
    """What a person should know of one group; ``part`` is the part of the model that it belongs to."""

    group: str
    part: str
    text: str


def explain(ledger: Ledger) -> list[Explanation]:
    """Two or three sentences for each group, in the order of the flow, and what is learned and what flows."""
    alike: dict[str, list[Facts]] = {}
    for key, facts in keyed(ledger):
        alike.setdefault(key, []).append(facts)
    groups = [
        Explanation(
            same[0].row.group, same[0].row.part, " ".join(filter(None, [*SENTENCES[key](same[0]), _vary(same)]))
        )
        for key, same in alike.items()
        if key in SENTENCES
    ]
    return [*groups, _closing(ledger)]


def keyed(ledger: Ledger) -> Iterator[tuple[str, Facts]]:
    """Each row with its block, and the key of its sentences."""
    for row in ledger.rows:
        yield key_of(row), Facts(row, ledger, row.of.block)


def key_of(row: Row) -> str:
    """What tells a row's sentences: its name under its block's kind, or else the name alone, or all of its path."""
    rest = row.weight.partition(".")[2]
    return next((key for key in (f"{getattr(row.of.block, 'kind', '')}.{rest}", rest) if key in SENTENCES), row.weight)


def _vary(same: list[Facts]) -> str:
    """Where layers differ in size under one name, what each has."""
    kinds = list(dict.fromkeys(_in_layers(facts.row) for facts in same))
    if len(kinds) < 2:
        return ""
    more = f", and {len(kinds) - 4} more kinds of layer" if len(kinds) > 4 else ""
    return f"Layers differ: there are {'; '.join(kinds[:4])}{more}."


def _in_layers(row: Row) -> str:
    layers, n = row.factors[0]
    sizes = " × ".join(map(count, row.sizes))
    each = row.matrices // n
    return f"{count(each)} of {sizes} in each of {layers}" if each > 1 else f"one of {sizes} in each of {layers}"


def _closing(ledger: Ledger) -> Explanation:
    totals, d_model = ledger.totals, ledger.architecture.d_model
    return Explanation(
        "weights and data",
        "",
        f"Weights are what is learned: these {count(totals['parameters'])} numbers stay the same for every text. "
        f"Data is what flows through them: for each token a vector of {count(d_model)} numbers, different for every "
        f"text.",
    )
