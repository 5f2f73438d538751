"""Attention whose queries and keys are convolved, and whose values are half those of the token before."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.attention import Rotary, Turned
from gptcount.blocks.block import Block, Size
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import AtLeast, Even, Multiple, Tokens
from gptcount.weight import Inventory, linear, per, weight


class ConvolutionalAttention(Block):
    """Compressed convolutional attention (arXiv:2510.04476; ``modeling_zaya.py``): queries and keys are convolved
    channel by channel, then head by head, and have the mean of both added; they are made of one length, keys times a
    learned number."""

    kind: Literal["convolutional"] = "convolutional"
    n_heads: Annotated[Size, Multiple("n_kv_heads")]
    n_kv_heads: Size
    d_head: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    n_taps: Annotated[Size, Tokens()] = 2
    """Of the convolution of each channel."""
    n_mixed: Annotated[Size, Tokens()] = 2
    """Of the convolution that mixes the channels of a head."""
    bias: bool = False
    """Of all matrices; convolutions always have one."""
    rotary: Rotary | None = None
    window: Annotated[Size | None, Tokens()] = None

    @model_validator(mode="after")
    def _heads_have_halves(self) -> "ConvolutionalAttention":
        if self.d_head % 2:
            raise ValueError(f"d_head = {self.d_head} is not even, and values have halves")
        for rotary, width, _ in self.turned():
            rotary.fits(width)
        return self

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        return [(self.rotary, self.d_head, "d_head")] if self.rotary else []

    def sizes(self) -> dict[str, int]:
        """Its sizes, and half of a head: what a token's own value is, and that of the token before."""
        return super().sizes() | {"d_half": self.d_head // 2}

    def weights(self) -> Inventory:
        return (
            per("n_heads", linear("query", "d_model d_head", self.bias))
            + per("n_kv_heads", linear("key", "d_model d_head", self.bias))
            + convolution("query_convolution", "n_heads*d_head", True)
            + convolution("key_convolution", "n_kv_heads*d_head", True)
            + per("n_heads", _mixing("query_mixing"))
            + per("n_kv_heads", _mixing("key_mixing"))
            + linear("value", "d_model n_kv_heads*d_half", self.bias)
            + linear("value_before", "d_model n_kv_heads*d_half", self.bias)
            + weight("key_length", "n_kv_heads", "other")
            + linear("output", "n_heads*d_head d_model", self.bias, stapled="n_heads")
        )


def _mixing(name: str) -> Inventory:
    return weight(name, "d_head d_head' n_mixed", "convolution") + weight(f"{name}.bias", "d_head", "bias")
