"""A transformer block that several layers share: stored once, with the first layer that uses it, and used by all."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.attention import Rotary, Turned
from gptcount.blocks.block import Block, Size, allowed
from gptcount.blocks.mlp import GatedMLP
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import AtLeast, Even, Few, Multiple
from gptcount.weight import NOTHING, Inventory, linear, per


class SharedTransformer(Block):
    """A shared transformer block (Zamba, arXiv:2405.16712; Zamba2, arXiv:2411.15242).

    It reads a token's vector and, beside it, its embedding. What its attention and then its MLP make of them goes
    through a matrix of the layer's own, and is added to what the layer's mixer reads. Of several blocks the layers use
    one after the other, in turn.
    """

    kind: Literal["shared-transformer"] = "shared-transformer"
    n_blocks: Annotated[Size, Few()] = 1
    n_heads: Annotated[Size, Multiple("n_kv_heads")]
    n_kv_heads: Size
    d_head: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    rotary: Rotary | None = None
    norm: Norm
    mlp: GatedMLP
    d_adapter: Size | None = None
    """The rank of adapters that each layer has of its own for gate and up (Zamba2)."""
    attention_adapters: bool = False
    """Queries, keys and values have such adapters too."""

    @model_validator(mode="after")
    def _adapters_fit(self) -> "SharedTransformer":
        allowed(
            (self.attention_adapters and not self.d_adapter, "attention_adapters: there is no d_adapter"),
            (self.mlp.activation in ("xielu", "swiglu_clipped"), "mlp.activation: a shared block has a plain one"),
        )
        for rotary, width, _ in self.turned():
            rotary.fits(width)
        return self

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        return [(self.rotary, self.d_head, "d_head")] if self.rotary else []

    def sizes(self) -> dict[str, int]:
        """The sizes that this block gives a name: it reads two vectors."""
        return super().sizes() | {"n_read": 2}

    def weights(self) -> Inventory:
        """Those that are stored once."""
        return (
            self.norm.across("n_read*d_model").under("norm")
            + per("n_heads", linear("query", "n_read*d_model d_head"))
            + per("n_kv_heads", linear("key", "n_read*d_model d_head") + linear("value", "n_read*d_model d_head"))
            + linear("output", "n_heads*d_head d_model", stapled="n_heads")
            + self.norm.across("d_model").under("mlp_norm")
            + self.mlp.inventory().under("mlp")
        )

    def of_use(self) -> Inventory:
        """Those of each layer that uses it."""
        heads = {"query": "n_heads", "key": "n_kv_heads", "value": "n_kv_heads"}
        of_attention = sum(
            (
                (linear("down", "n_read*d_model d_adapter") + per(count, linear("up", "d_adapter d_head"))).under(
                    f"{name}_adapter"
                )
                for name, count in heads.items()
            ),
            NOTHING,
        )
        of_mlp = linear("down", "d_model d_adapter") + linear("gate", "d_adapter d_ff") + linear("up", "d_adapter d_ff")
        return (
            (of_attention if self.attention_adapters else NOTHING)
            + (of_mlp.under("mlp_adapter") if self.d_adapter else NOTHING)
            + linear("linear", "d_model d_model'")
        ).bind(self.sizes() | self.mlp.sizes())
