"""Mamba: every channel keeps a state of all tokens before, which each token decays, writes into and reads."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Names, Size
from gptcount.blocks.mlp import Weightless
from gptcount.blocks.norm import Norm
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import Multiple, Tokens
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class Mamba(Block):
    """Mamba, a selective state space model (S6; Gu & Dao 2023, arXiv:2312.00752).

    Each of ``d_inner`` channels has a state of ``d_state`` numbers. Out of what is convolved a token makes a time step
    for each channel, by way of ``d_time_step`` numbers, and B and C, along which all channels are written and read.
    """

    kind: Literal["mamba"] = "mamba"
    d_inner: Annotated[Size, Multiple("n_heads", quotient="d_head")]
    n_heads: Size | None = None
    """Parts of the channels that make a time step, B and C of their own (Zamba); absent, all channels are one."""
    d_state: Size
    d_time_step: Size
    n_taps: Annotated[Size, Tokens()] = 4
    """How many tokens the convolution blends."""
    biases: Names[Literal["input", "convolution", "output"]] = ("convolution",)
    """``input``: that of input and gate."""
    activation: Weightless = "silu"
    """Of what is convolved."""
    norm: Norm | None = None
    """Of the numbers that make the time step, of B and of C, each by itself (Jamba)."""

    def weights(self) -> Inventory:
        inner, width = ("n_heads*d_head", "d_head") if self.n_heads else ("d_inner", "d_inner")
        into, norm = "input" in self.biases, self.norm
        of_head = (
            linear("time_step_down", f"{width} d_time_step")
            + linear("b", f"{width} d_state")
            + linear("c", f"{width} d_state")
            + linear("time_step", f"d_time_step {width}", bias=True)
        )
        return (
            linear("input", f"d_model {inner}", into)
            + linear("gate", f"d_model {inner}", into)
            + convolution("convolution", inner, "convolution" in self.biases)
            + (per("n_heads", of_head) if self.n_heads else of_head)
            + (norm.across("d_time_step").under("time_step_norm") if norm else NOTHING)
            + (norm.across("d_state").under("b_norm") + norm.across("d_state").under("c_norm") if norm else NOTHING)
            + weight("log_decay", f"{inner} d_state", "other")
            + weight("skip", inner, "other")
            + linear("output", f"{inner} d_model", "output" in self.biases)
        )
