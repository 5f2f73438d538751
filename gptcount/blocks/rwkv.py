"""RWKV-4: time mixing, a running mean of values weighed by their keys; channel mixing, its MLP, which sees one token
back."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Size
from gptcount.blocks.size import Wide
from gptcount.weight import Inventory, linear, weight


class RWKV(Block):
    """Time mixing (Peng et al. 2023, arXiv:2305.13048, section 3; ``modeling_rwkv.py``).

    Each of ``d_value`` channels keeps the sum of its values, weighed by the exponential of their keys, and the sum of
    the weights; both decay by a learned rate. Key, value and receptance read a blend of a token and the one before it.
    """

    kind: Literal["rwkv"] = "rwkv"
    d_value: Size

    def weights(self) -> Inventory:
        return (
            weight("blend.key", "d_model", "other")
            + weight("blend.value", "d_model", "other")
            + weight("blend.receptance", "d_model", "other")
            + linear("key", "d_model d_value")
            + linear("value", "d_model d_value")
            + linear("receptance", "d_model d_value")
            + weight("log_decay", "d_value", "other")
            + weight("bonus", "d_value", "other")
            + linear("output", "d_value d_model")
        )


class ChannelMixing(Block):
    """The MLP of RWKV-4 (arXiv:2305.13048, section 3): a plain one with squared relu, whose answer a gate multiplies;
    both read a blend of a token and the one before it. Up and down are the key and value of the paper."""

    kind: Literal["channel-mixing"] = "channel-mixing"
    d_ff: Annotated[Size, Wide()]

    def weights(self) -> Inventory:
        return (
            weight("blend.up", "d_model", "other")
            + weight("blend.receptance", "d_model", "other")
            + linear("up", "d_model d_ff")
            + linear("receptance", "d_model d_model'")
            + linear("down", "d_ff d_model")
        )
