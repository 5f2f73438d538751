"""The gated delta rule: heads keep a state that maps keys to values; each token decays and corrects it."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Real, Size
from gptcount.blocks.mlp import Weightless
from gptcount.blocks.norm import Norm
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import Multiple, Tokens
from gptcount.weight import Inventory, linear, per, weight


class Delta(Block):
    """Gated DeltaNet (Yang et al. 2024, arXiv:2412.06464); with a decay for each channel of a key, Kimi Delta Attention
    (arXiv:2510.26692).

    The state of a value head is ``d_key`` x ``d_value``. A token lets it decay, reads what the state says of its key,
    and writes, as strongly as it likes, the difference to its own value. Then its query reads the state.
    """

    kind: Literal["delta"] = "delta"
    n_key_heads: Size
    """Of queries and keys, each for a group of value heads."""
    n_value_heads: Annotated[Size, Multiple("n_key_heads", quotient="n_group_heads")]
    d_key: Size
    d_value: Size
    n_taps: Annotated[Size, Tokens()] = 4
    """How many tokens the convolution of queries, keys and values blends."""
    decay: Literal["head", "channel"] = "head"
    """A token's decay is a number for each head, or for each of the d_key numbers of its key."""
    d_decay: Size | None = None
    """The rank of the projection that makes the decay; absent, it is one matrix."""
    d_gate: Size | None = None
    """The rank of the projection that makes the gate; absent, it is one matrix."""
    write_scale: Real = 1.0
    """What the strength of writing, between 0 and 1, is multiplied by (2 lets the state change its sign)."""
    activation: Weightless = "silu"
    """Of what is convolved."""
    norm: Norm
    """Of what each head reads, before it is gated."""
    gate_activation: Literal["silu", "sigmoid"] = "silu"

    def weights(self) -> Inventory:
        keys, values = "n_key_heads*d_key", "n_value_heads*d_value"
        decayed = "n_value_heads*d_key" if self.decay == "channel" else "n_value_heads"
        decay = self._low("decay", self.d_decay, decayed)
        return (
            per("n_key_heads", linear("query", "d_model d_key") + linear("key", "d_model d_key"))
            + per("n_value_heads", linear("value", "d_model d_value"))
            + convolution("convolution.query", keys, False)
            + convolution("convolution.key", keys, False)
            + convolution("convolution.value", values, False)
            + linear("write", "d_model n_value_heads")
            + decay
            + weight("decay_bias", decayed, "bias")
            + weight("log_decay", "n_value_heads", "other")
            + self._low("gate", self.d_gate, values)
            + self.norm.across("d_value").under("norm")
            + linear("output", f"{values} d_model")
        )

    @staticmethod
    def _low(name: str, rank: int | None, out: str) -> Inventory:
        """One matrix, or two by way of fewer numbers."""
        if rank is None:
            return linear(name, f"d_model {out}")
        return linear(f"{name}_down", f"d_model d_{name}") + linear(name, f"d_{name} {out}")
