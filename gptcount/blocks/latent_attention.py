"""Latent attention: queries, keys and values are made from short latent vectors (DeepSeek-V2, DeepSeek-V3)."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.attention import Rotary, Turned
from gptcount.blocks.block import Absent, Block, Names, Real, Size
from gptcount.blocks.indexer import Indexer
from gptcount.blocks.input_gate import input_gate
from gptcount.blocks.norm import Norm
from gptcount.blocks.reach import Reach
from gptcount.blocks.size import AtLeast, Even, Tokens
from gptcount.weight import NOTHING, Inventory, linear, per


class LatentAttention(Block):
    """Multi-head latent attention (DeepSeek-AI 2024, arXiv:2405.04434, section 2.1).

    A head's query and key have a part without position, ``d_nope`` wide, and a rotated part, ``d_rotary`` wide; the
    rotated part of the key is one for all heads.
    """

    kind: Literal["latent"] = "latent"
    n_heads: Size
    d_query_latent: Size | None = None
    """Absent, queries are made from the model's vector itself."""
    d_kv_latent: Size
    d_nope: Size
    d_rotary: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    d_value: Size
    norm: Norm
    biases: Names[Literal["query_down", "kv_down", "output"]] = ()
    rotary: Rotary | Absent = Rotary()
    """False where nothing is turned: the rotated parts are parts like the others (Kimi Linear)."""
    d_input_gate: Size | None = None
    """How narrow the MLP is that gates what attention reads, where there is one (A.X K2)."""
    gate: Literal["latents", "heads"] | None = None
    """What the heads bring is gated. ``latents``: number by number, by the query's latent vector after its norm and
    before it, side by side, of which queries are made too (A.X K2). ``heads``: each head by one number, of the model's
    vector (dots3-note)."""
    key_rotary_norm: bool = False
    """The rotated part of the key has a norm, before it is turned (dots3-note)."""
    window: Annotated[Size, Tokens()] | None = None
    """How many tokens a token sees, itself included; absent, all before it."""
    query_scale: Real = 1.0
    """What queries are multiplied by."""
    kv_scale: Real = 1.0
    """What the latent vector of keys and values is multiplied by, after its norm."""
    indexer: Indexer | Literal["shared"] | None = None
    """Chooses the tokens that a token looks at; shared, the choice is that of the last layer with one."""

    @model_validator(mode="after")
    def _queries_to_index(self) -> "LatentAttention":
        if self.indexer is not None and self.d_query_latent is None:
            raise ValueError("an indexer reads the query latent, and there is no d_query_latent")
        if isinstance(self.indexer, Indexer) and self.indexer.compressor:
            raise ValueError("indexer.compressor: keys of latent attention are not compressed")
        if self.gate == "latents" and self.d_query_latent is None:
            raise ValueError("gate: it is made of the query latent, and there is no d_query_latent")
        for rotary, width, _ in self.turned():
            rotary.fits(width)
        return self

    def reach(self) -> Reach:
        """Which tokens a token may look at, before an indexer chooses."""
        return Reach(self.window)

    def sizes(self) -> dict[str, int]:
        """The sizes, and that of the latent vector twice where queries are made of both."""
        both = {"d_query_latents": 2 * self.d_query_latent} if self.gate == "latents" and self.d_query_latent else {}
        return super().sizes() | both

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        own = [(self.rotary, self.d_rotary, "d_rotary")] if self.rotary else []
        return own + (self.indexer.turned() if isinstance(self.indexer, Indexer) else [])

    def weights(self) -> Inventory:
        bias = self.biases
        query_from = (
            "d_query_latents" if self.gate == "latents" else "d_query_latent" if self.d_query_latent else "d_model"
        )
        query_latent = (
            linear("query_down", "d_model d_query_latent", "query_down" in bias)
            + self.norm.across("d_query_latent").under("query_norm")
            if self.d_query_latent
            else NOTHING
        )
        return (
            (input_gate() if self.d_input_gate else NOTHING)
            + query_latent
            + per("n_heads", linear("query", f"{query_from} d_nope") + linear("query_rotary", f"{query_from} d_rotary"))
            + (per("n_heads", linear("gate", f"{query_from} d_value")) if self.gate == "latents" else NOTHING)
            + (linear("gate", "d_model n_heads") if self.gate == "heads" else NOTHING)
            + linear("kv_down", "d_model d_kv_latent", "kv_down" in bias)
            + linear("key_rotary", "d_model d_rotary", "kv_down" in bias)
            + (self.norm.across("d_rotary").under("key_rotary_norm") if self.key_rotary_norm else NOTHING)
            + self.norm.across("d_kv_latent").under("kv_norm")
            + per("n_heads", linear("key", "d_kv_latent d_nope") + linear("value", "d_kv_latent d_value"))
            + (self.indexer.inventory().under("indexer") if isinstance(self.indexer, Indexer) else NOTHING)
            + linear("output", "n_heads*d_value d_model", "output" in bias, stapled="n_heads")
        )
