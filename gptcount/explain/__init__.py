"""What each group of a model does and why it has its size, in plain sentences with the model's own numbers.

It finds the block of each row, and which sentences are its own; it knows no model by name, and not how text is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gptcount.architecture import Architecture
from gptcount.blocks.block import Block
from gptcount.explain.around import AROUND
from gptcount.explain.attention import ATTENTION
from gptcount.explain.convolutional_attention import CONVOLUTIONAL
from gptcount.explain.facts import Facts
from gptcount.explain.lightning import LIGHTNING
from gptcount.explain.mamba2 import MAMBA2
from gptcount.explain.mlp import MLP
from gptcount.explain.mlstm import MLSTM
from gptcount.explain.rg_lru import RG_LRU
from gptcount.explain.rwkv import RWKV
from gptcount.explain.short_convolution import SHORT_CONVOLUTION
from gptcount.layer import SLOTS
from gptcount.ledger import Ledger, Row
from gptcount.numbers import count

SENTENCES = AROUND | ATTENTION | CONVOLUTIONAL | MAMBA2 | SHORT_CONVOLUTION | LIGHTNING | RG_LRU | MLSTM | RWKV | MLP
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
    of_layers = _of_layers(ledger.architecture)
    for row in ledger.rows:
        block = _block(row, ledger.architecture, of_layers)
        yield _key_of(row, block), Facts(row, ledger, block)


Own = tuple[str, tuple[tuple[str, int | None], ...]]
"""A weight of a layer: its name, and its axes with their sizes."""


def _of_layers(architecture: Architecture) -> dict[Own, Block]:
    """The block of a layer that a weight belongs to: the first that has one of its name and sizes."""
    blocks = {id(block): (slot, block) for layer in architecture.layers() for slot, block in layer.slots()}
    return {
        (f"{part}.{weight.name}", tuple((axis.name, axis.size) for axis in weight.axes)): block
        for part, block in reversed(blocks.values())
        for weight in block.inventory().bind(architecture.sizes())
    }


def _block(row: Row, architecture: Architecture, of_layers: dict[Own, Block]) -> Block | None:
    """The block that a row belongs to."""
    part = row.weight.partition(".")[0]
    if part == "shortcut" and architecture.shortcut:
        return architecture.shortcut.mixture
    if part not in SLOTS:
        return getattr(architecture, part, None)
    return next((of_layers[key] for at in (1, 2) if (key := (row.weight, row.factors[at:])) in of_layers), None)


def _key_of(row: Row, block: Block | None) -> str:
    """What tells a row's sentences: its name under its block's kind, where that has its own; else its whole name."""
    part, _, rest = row.weight.partition(".")
    if rest.startswith("indexer."):
        return rest
    if part == "shortcut":
        return f"mlp.{rest}"
    own = f"{getattr(block, 'kind', '')}.{rest}"
    return own if own in SENTENCES else row.weight


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
