"""Mamba-2: heads that keep a state of all tokens before, which each token decays, writes into and reads."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.block import Block, Names, NotNegative, Positive, Real, Size, allowed
from gptcount.blocks.mlp import Weightless
from gptcount.blocks.norm import Norm
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import Multiple, Tokens
from gptcount.weight import NOTHING, Inventory, linear, weight


class PartScales(Block):
    """What each part of the input projection is multiplied by (Falcon-H1)."""

    gate: Real = 1.0
    input: Real = 1.0
    b: Real = 1.0
    c: Real = 1.0
    time_step: Real = 1.0


class Mamba2(Block):
    """Mamba-2, a state space model whose state decays by one number per head (Dao & Gu 2024, arXiv:2405.21060).

    The state of a head is ``d_head`` x ``d_state``. A token writes its input along B into it and reads it along C;
    both are shared by the heads of a group. How far the state decays, and how much is written, its time step says.
    """

    kind: Literal["mamba2"] = "mamba2"
    n_heads: Annotated[Size, Multiple("n_groups", quotient="n_group_heads")]
    d_head: Size
    d_state: Size
    n_groups: Size = 1
    """How many B and C there are, each for a group of heads."""
    n_taps: Annotated[Size, Tokens()] = 4
    """How many tokens the convolution of input, B and C blends."""
    biases: Names[Literal["input", "convolution", "output"]] = ("convolution",)
    """``input``: that of the whole projection into gate, input, B, C and time step."""
    activation: Weightless = "silu"
    """Of what is convolved."""
    norm: Norm | None = None
    """Of what the heads of a group bring, before the output matrix."""
    norm_before_gate: bool = False
    """The gate multiplies what is normed; otherwise what is gated is normed."""
    time_step_least: NotNegative = 0.0
    time_step_most: Positive | None = None
    """Between these a time step is held."""
    input_scale: Real = 1.0
    """What goes in is multiplied by it."""
    output_scale: Real = 1.0
    """What comes out is multiplied by it."""
    part_scales: PartScales | None = None

    @model_validator(mode="after")
    def _parts_agree(self) -> "Mamba2":
        allowed(
            (self.norm_before_gate and not self.norm, "norm_before_gate: there is no norm"),
            (
                self.time_step_most is not None and self.time_step_most < self.time_step_least,
                "time_step_most: less than time_step_least",
            ),
        )
        return self

    def weights(self) -> Inventory:
        inner, state, into = "n_heads*d_head", "n_groups*d_state", "input" in self.biases
        convolved = "convolution" in self.biases
        return (
            linear("gate", f"d_model {inner}", into)
            + linear("input", f"d_model {inner}", into)
            + linear("b", f"d_model {state}", into)
            + linear("c", f"d_model {state}", into)
            + linear("time_step", "d_model n_heads", into)
            + convolution("convolution.input", inner, convolved)
            + convolution("convolution.b", state, convolved)
            + convolution("convolution.c", state, convolved)
            + weight("time_step_bias", "n_heads", "bias")
            + weight("log_decay", "n_heads", "other")
            + weight("skip", "n_heads", "other")
            + (self.norm.across(inner).under("norm") if self.norm else NOTHING)
            + linear("output", f"{inner} d_model", "output" in self.biases)
        )
