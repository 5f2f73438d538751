"""Norms: layer norm and RMS norm. A norm spans whatever its place says; it does not know where it stands."""

from typing import Literal

from gptcount.blocks.block import Block, NotNegative
from gptcount.weight import NOTHING, Inventory, per, weight


class Norm(Block):
    """A layer norm (Ba et al. 2016) or an RMS norm (Zhang & Sennrich 2019), with or without gain and bias."""

    kind: Literal["layer", "rms"]
    gain: bool = True
    bias: bool = False
    eps: NotNegative = 1e-5
    plus_one: bool = False
    """The gain is stored less one, and used as 1 + gain (Gemma)."""

    def across(self, words: str) -> Inventory:
        """The norm's weights where it spans the axes that ``words`` say (``d_model``)."""
        return (weight("", words, "norm") if self.gain else NOTHING) + (
            weight("bias", words, "norm") if self.bias else NOTHING
        )


class HeadNorm(Norm):
    """A norm of queries and keys: of each head with one gain for all, of each with its own, or of all heads at once."""

    over: Literal["head", "each-head", "all-heads"] = "head"
    after_rotary: bool = False

    def of(self, heads: str) -> Inventory:
        """Its weights for the heads that ``heads`` (``n_heads``, ``n_kv_heads``) counts."""
        if self.over == "head":
            return self.across("d_head")
        return per(heads, self.across("d_head")) if self.over == "each-head" else self.across(f"{heads}*d_head")
