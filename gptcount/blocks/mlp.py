"""The MLP of a layer: plain (up, down) or gated (gate, up, down). An expert of a mixture is one of these too."""

from typing import Annotated, Literal

from pydantic import Field

from gptcount.blocks.block import Block, Names, Positive, Real, Size
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import Wide
from gptcount.weight import NOTHING, Inventory, linear, weight

Weightless = Literal["gelu", "gelu_tanh", "gelu_quick", "silu", "relu", "relu_squared"]
"""Activations without numbers of their own."""

Activation = Weightless | Literal["xielu"]
"""xielu has two learned numbers a layer and two fixed ones that a checkpoint keeps (Apertus)."""


class PlainMLP(Block):
    """Up, activation, down (Vaswani et al. 2017, section 3.3)."""

    kind: Literal["plain"] = "plain"
    d_ff: Annotated[Size, Wide()]
    biases: Names[Literal["up", "down"]] = ()
    activation: Activation = "gelu"

    def weights(self) -> Inventory:
        return self.matrices() + activation(self.activation)

    def matrices(self, width: str = "d_model") -> Inventory:
        """All but the numbers of the activation; ``width`` names the axis of the vectors that it reads."""
        up = linear("up", f"{width} d_ff", "up" in self.biases)
        return up + linear("down", f"d_ff {width}", "down" in self.biases)


class GatedMLP(Block):
    """Down of (activated gate times up) (Shazeer 2020); the clipped swiglu adds 1 to up (gpt-oss)."""

    kind: Literal["gated"] = "gated"
    d_ff: Annotated[Size, Wide()]
    biases: Names[Literal["gate", "up", "down"]] = ()
    activation: Activation | Literal["swiglu_clipped"] = "silu"
    limit: Positive | None = None
    """Gate and up are held to at most this, up to at least minus this."""
    limits: Literal["gate", "activated"] = "gate"
    """Whether the gate is held before its activation or after it (Step 3.7)."""
    alpha: Real = 1.702
    """The steepness of the clipped swiglu."""
    sparsity: Annotated[float, Field(ge=0, lt=1)] | None = None
    """The part of the gates that is set to zero: those that are least (Gemma 3n)."""
    norm: Norm | None = None
    """A norm of what is gated, before the down matrix (BitNet)."""
    learned_scale: bool = False
    """What it brings is multiplied by a learned number (Inkling)."""
    gate_scale: Real = 1.0
    """What the gate is multiplied by, before its activation."""
    output_scale: Real = 1.0
    """What comes out is multiplied by it (Falcon-H1)."""

    def weights(self) -> Inventory:
        scale = weight("scale", "", "other") if self.learned_scale else NOTHING
        return self.matrices() + activation(self.activation) + scale

    def matrices(self, width: str = "d_model") -> Inventory:
        """All but the numbers of the activation; ``width`` names the axis of the vectors that it reads."""
        return (
            linear("gate", f"{width} d_ff", "gate" in self.biases)
            + linear("up", f"{width} d_ff", "up" in self.biases)
            + (self.norm.across("d_ff").under("norm") if self.norm else NOTHING)
            + linear("down", f"d_ff {width}", "down" in self.biases)
        )


def activation(kind: str) -> Inventory:
    """The numbers that an activation has of its own."""
    if kind != "xielu":
        return NOTHING
    return (
        weight("activation.alpha_positive", "", "other")
        + weight("activation.alpha_negative", "", "other")
        + weight("activation.beta", "", "buffer")
        + weight("activation.eps", "", "buffer")
    )
