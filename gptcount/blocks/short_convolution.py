"""A gated short convolution: each channel of a token is blended with its own last few values."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Size
from gptcount.blocks.size import Tokens
from gptcount.weight import Inventory, linear, weight


class ShortConvolution(Block):
    """A gated short convolution (LFM2, arXiv:2511.23404; ``modeling_lfm2.py``): what goes in is gated, convolved over
    ``n_taps`` tokens channel by channel, and gated again."""

    kind: Literal["short-convolution"] = "short-convolution"
    n_taps: Annotated[Size, Tokens()]
    """How many tokens a channel blends, its own included."""
    bias: bool = False
    """All four have one."""

    def weights(self) -> Inventory:
        return (
            linear("input_gate", "d_model d_model'", self.bias)
            + linear("output_gate", "d_model d_model'", self.bias)
            + linear("input", "d_model d_model'", self.bias)
            + convolution("convolution", "d_model", self.bias)
            + linear("output", "d_model d_model'", self.bias)
        )


def convolution(name: str, channels: str, bias: bool) -> Inventory:
    """A causal convolution of ``n_taps`` tokens, channel by channel: ``channels`` says their axes."""
    kernel = weight(name, f"{channels} n_taps", "convolution")
    return kernel + weight(f"{name}.bias", channels, "bias") if bias else kernel
