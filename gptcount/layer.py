"""A layer: three slots, for what mixes tokens and what works on each, and the branches that they make; and which layers
differ from the others. It does not know the model around a layer, nor how branches are added."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, field_validator

from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.blocks.block import Absent, Block
from gptcount.blocks.compressed_attention import CompressedAttention
from gptcount.blocks.convolutional_attention import ConvolutionalAttention
from gptcount.blocks.cross_attention import CrossAttention
from gptcount.blocks.delta import Delta
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.lightning import Lightning
from gptcount.blocks.mamba import Mamba
from gptcount.blocks.mamba2 import Mamba2
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.mlp import GatedMLP, PlainMLP
from gptcount.blocks.mlstm import MLSTM
from gptcount.blocks.rg_lru import RGLRU
from gptcount.blocks.rwkv import RWKV, ChannelMixing
from gptcount.blocks.short_convolution import ShortConvolution

Attention = Annotated[
    MultiHeadAttention
    | LatentAttention
    | CompressedAttention
    | AttentionMixture
    | CrossAttention
    | ConvolutionalAttention,
    Field(discriminator="kind"),
]
Mixer = Annotated[
    Delta | Mamba | Mamba2 | ShortConvolution | Lightning | RGLRU | MLSTM | RWKV, Field(discriminator="kind")
]
"""What mixes tokens without attention."""
MLP = Annotated[PlainMLP | GatedMLP | Mixture | ChannelMixing, Field(discriminator="kind")]

Residual = Literal[
    "pre-norm",
    "post-norm",
    "output-norm",
    "sandwich",
    "parallel",
    "parallel-shared",
    "normed-residual",
    "gained",
    "averaged",
]
"""Where the norms of a layer stand, for a branch f (attention or a mixer, then the MLP) and its norm:

- ``pre-norm``: x + f(norm(x))
- ``post-norm``: norm(x + f(x))
- ``output-norm``: x + norm(f(x))
- ``sandwich``: x + norm'(f(norm(x)))
- ``parallel``: x + f(norm(x)) + g(norm'(x)), all branches side by side
- ``parallel-shared``: x + f(norm(x)) + g(norm(x)), one norm for all
- ``normed-residual``: n + f(n) with n = norm(x)
- ``gained``: g x + f(norm(x)), each number of x with a learned gain
- ``averaged``: x sqrt(1 - 1/k) + norm'(f(norm(x))) / sqrt(k), where k counts what was added, the embedding included
"""

MOST_SLICES = 5_000
"""Characters that say which layers vary."""

_ONE = r"(\d{1,6}|(-?\d{1,6})?:(-?\d{1,6})?(:[1-9]\d{0,5})?)"
SLICES = rf"{_ONE}(,{_ONE})*"


class Branch(NamedTuple):
    """Blocks that read the same vector of a token, side by side; what they bring is added to it."""

    name: str
    """What its norms are called after: the slot of its first block."""
    blocks: tuple[tuple[str, Block], ...]
    """Each with its slot, which is the path of its weights."""


class Layer(NamedTuple):
    """One layer: what is in each slot, whether it uses the block that layers share, and where its norms stand."""

    attention: Block | Absent = False
    mixer: Block | Absent = False
    mlp: Block | Absent = False
    uses_shared: bool = False
    residual: Residual = "pre-norm"

    def slots(self) -> tuple[tuple[str, Block], ...]:
        """The blocks that there are, each with its slot."""
        return tuple((slot, block) for slot, block in zip(SLOTS, self[:3], strict=True) if block)

    def branches(self) -> tuple[Branch, ...]:
        """What mixes tokens, then what works on each of them; attention and a mixer stand side by side."""
        mixing = tuple((slot, block) for slot, block in self.slots() if slot != "mlp")
        thinking = self.slots()[len(mixing) :]
        return tuple(Branch(blocks[0][0], blocks) for blocks in (mixing, thinking) if blocks)


SLOTS = ("attention", "mixer", "mlp")
"""The slots of a layer, in the order of the flow."""


class Variation(Block):
    """Layers that differ from the others: which, as Python slices (``0:3``, ``5::6``, ``3,7,9:12``), and in what. A
    slot that is absent is as in the others; ``false`` leaves it empty."""

    layers: str
    attention: Attention | Absent | None = None
    mixer: Mixer | Absent | None = None
    mlp: MLP | Absent | None = None
    uses_shared: bool | None = None
    residual: Residual | None = None

    @field_validator("layers")
    @classmethod
    def _slices(cls, value: str) -> str:
        if len(value) > MOST_SLICES or not re.fullmatch(SLICES, value, re.ASCII):
            raise ValueError("expected slices, such as 0:3, 5::6 or 3,7,9:12")
        return value

    def of(self, n_layers: int) -> set[int]:
        """The indices of the layers that vary, among ``n_layers``. Raises ValueError for one that there is not."""
        return {index for part in self.ranges(n_layers) for index in part}

    def ranges(self, n_layers: int) -> list[range]:
        """The layers that each of the slices selects. Raises ValueError for a layer that there is not."""
        found = []
        for part in self.layers.split(","):
            bounds = [int(bound) if bound else None for bound in part.split(":")]
            if len(bounds) == 1 and int(part) >= n_layers:
                raise ValueError(f"variations: layers = {self.layers!r}, and the layers are 0 to {n_layers - 1}")
            found.append(range(n_layers)[slice(*bounds)] if len(bounds) > 1 else range(int(part), int(part) + 1))
        return found
