"""Attention with a query for every head and a key and a value for every head or group of heads, and its positions."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.block import Block, Names, NotNegative, Positive, Real, Size, allowed
from gptcount.blocks.block_indexer import BlockIndexer
from gptcount.blocks.norm import HeadNorm, Norm
from gptcount.blocks.pooled_indexer import PooledIndexer
from gptcount.blocks.reach import Reach
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import AtLeast, Even, Multiple, Tokens
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class RotaryScaling(Block):
    """How rotary frequencies are stretched beyond the context that a model was trained on."""

    kind: Literal["linear", "dynamic", "yarn", "llama3", "longrope"]
    factor: Positive | None = None
    n_ctx_original: Annotated[Size | None, Tokens()] = None
    low_frequency: Real | None = None
    high_frequency: Real | None = None
    beta_fast: Positive = 32.0
    beta_slow: Positive = 1.0
    attention_factor: Real | None = None
    mscale: Real | None = None
    mscale_all: Real | None = None
    truncate: bool = True
    short_factors: Names[Real] = ()
    long_factors: Names[Real] = ()
    short_mscale: Real | None = None
    long_mscale: Real | None = None

    @model_validator(mode="after")
    def _a_factor_for_each_pair(self) -> "RotaryScaling":
        without = self.kind == "longrope" and not (self.short_factors and self.long_factors)
        allowed((without, "longrope has short_factors and long_factors, a number for each pair that is turned"))
        return self


class Rotary(Block):
    """Rotary positions (Su et al. 2021): pairs of a head's numbers are turned, further from position to position."""

    base: Positive = 10_000.0
    d_rotary: Annotated[Size | None, Even()] = None
    """How many of a head's numbers are turned; absent, all of them."""
    interleaved: bool = False
    """Pairs are neighbours, not the two halves."""
    whole_head: bool = False
    """Pairs are those of the whole head, of which only the first ``d_rotary`` / 2 are turned (Gemma 4)."""
    backwards: bool = False
    """Turned the other way (nanochat)."""
    from_end: bool = False
    """The last ``d_rotary`` numbers of a head are turned, not the first (DeepSeek-V4)."""
    scaling: RotaryScaling | None = None

    def fits(self, width: int) -> None:
        """Raises ValueError where it cannot turn vectors of this width."""
        turned = self.d_rotary or width
        scaling = self.scaling
        lists = (scaling.short_factors, scaling.long_factors) if scaling and scaling.kind == "longrope" else ()
        allowed(
            (self.whole_head and scaling and scaling.kind != "linear", "rotary.whole_head is stretched linearly alone"),
            (
                scaling and scaling.kind == "yarn" and self.base <= 1,
                f"rotary.base = {self.base}: YaRN wants more than 1",
            ),
            (
                any(len(factors) != turned // 2 for factors in lists),
                f"rotary.scaling: short_factors and long_factors have a number for each of {turned // 2} pairs",
            ),
        )


Turned = tuple[Rotary, int, str]
"""Rotary positions, the width of the vectors that they turn, and its name."""


class Temperature(Block):
    """Queries of later positions are made longer: by 1 + scale * ln(1 + floor((position + offset) / n_positions))."""

    scale: Real
    n_positions: Annotated[Size, Tokens()]
    offset: Literal[0, 1] = 0
    smooth: bool = False
    """By 1 + scale * ln((position + 1) / n_positions) instead, from there on (Inkling)."""
    power: bool = False
    """By (1 + (position + offset) / n_positions) to the power of the scale, and not in steps (Beam)."""

    @model_validator(mode="after")
    def _one_way(self) -> "Temperature":
        allowed((self.smooth and self.power, "power: queries grow in one way (smooth)"))
        return self


class Worth(Block):
    """Every value says what it is worth to each group of heads, which is added to the scores of its key; a token looks
    at those that are worth most (Shi et al. 2024, arXiv:2412.11834)."""

    n_kept: Annotated[Size, Tokens()]
    """At how many it looks, at most."""
    bias: bool = False


class Relative(Block):
    """Relative positions: each head of a token blends learned profiles of how much a distance counts (Inkling)."""

    d_relative: Size
    n_distances: Annotated[Size, Tokens()]
    """How many tokens back a profile reaches, the token's own place included."""

    def weights(self) -> Inventory:
        return per("n_heads", linear("query", "d_model d_relative")) + linear("profiles", "d_relative n_distances")


class MultiHeadAttention(Block):
    """Multi-head attention (Vaswani et al. 2017); with fewer key/value heads it is grouped-query attention (Ainslie et
    al. 2023), with one, multi-query attention (Shazeer 2019)."""

    kind: Literal["multi-head"] = "multi-head"
    n_heads: Annotated[Size, Multiple("n_kv_heads"), Multiple("indexer.n_index_heads"), Even("differential")]
    n_kv_heads: Annotated[Size | None, Even("differential")] = None
    """Absent, every head has a key and a value of its own."""
    d_head: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    d_value: Size | None = None
    """The width of a value, where it is not d_head."""
    biases: Names[Literal["query", "key", "value", "gate", "output"]] = ()
    shares_kv: bool = False
    """Keys and values are those of an earlier layer of its kind (Gemma 3n)."""
    value_is_key: bool = False
    """Values are the keys before their norm (Gemma 4); there is no value matrix."""
    query_key_norm: HeadNorm | None = None
    value_norm: Norm | None = None
    sinks: bool = False
    """A learned score for each head, of looking at nothing (gpt-oss)."""
    gate: bool = False
    """What comes out of the heads is gated by a matrix of the input (afmoe)."""
    gate_of: Literal["numbers", "heads"] = "numbers"
    """Each number that a head brings has a gate, or each head one for all of them (LFM3, Step 3.5)."""
    gate_activation: Literal["sigmoid", "softplus"] = "sigmoid"
    """What the gate's numbers go through (Laguna)."""
    gate_bias: bool = False
    """One bias for all gates of a head (Beam)."""
    output_norm: Norm | None = None
    """A norm of what the heads bring, before the output matrix (BitNet)."""
    differential: Norm | None = None
    """Half of the heads is subtracted from the other, by a learned amount, and this norm follows (Ye et al. 2024)."""
    rotary: Rotary | None = None
    relative: Relative | None = None
    n_taps: Annotated[Size | None, Tokens()] = None
    """Keys and values have a blend of their own last few added to them, channel by channel (Inkling)."""
    alibi: Literal["exact", "bfloat16", "mpt"] | None = None
    """A penalty that grows with the distance (Press et al. 2021), in the rounding or the slopes of a family."""
    window: Annotated[Size | None, Tokens()] = None
    """How many tokens a token sees, itself included; absent, all before it."""
    chunk: Annotated[Size | None, Tokens()] = None
    """A token sees only its own chunk of so many tokens (Llama 4)."""
    bidirectional: bool = False
    """A token sees those after it too, as an encoder's (EmbeddingGemma)."""
    scale: Real | None = None
    """What scores are multiplied by; absent, one over the root of d_head."""
    scale_by_layer: bool = False
    """Scores are divided by the layer's number, from 1 (an option of GPT-2)."""
    softcap: Positive | None = None
    clip: NotNegative | None = None
    """Queries, keys and values are held between minus and plus this."""
    value_scale: Real = 1.0
    input_scale: Real = 1.0
    """What goes in is multiplied by it."""
    output_scale: Real = 1.0
    """What comes out is multiplied by it (Falcon-H1)."""
    temperature: Temperature | None = None
    indexer: BlockIndexer | None = None
    """Chooses the blocks of tokens that a token looks at (MiniMax-M3)."""
    pooled_indexer: PooledIndexer | None = None
    """Chooses blocks by the means of their keys (Qwen4-Exp)."""
    worth: Worth | None = None
    """Values say how much they are worth, and the worthiest are looked at (Doge)."""

    @model_validator(mode="after")
    def _parts_agree(self) -> "MultiHeadAttention":
        difference = self.differential
        allowed(
            (self.value_is_key and self.d_value, "d_value: values are the keys (value_is_key), so they have no width"),
            ("gate" in self.biases and not self.gate, "biases: there is no gate"),
            (self.value_is_key and "value" in self.biases, "biases: values are the keys (value_is_key), and no matrix"),
            (difference and (difference.gain or difference.bias), "differential: its norm has no gain and no bias"),
            (self.n_taps and (self.shares_kv or self.value_is_key), "n_taps: keys and values are this layer's own"),
            (self.gate_of == "heads" and not self.gate, "gate_of: there is no gate"),
            (self.gate_activation != "sigmoid" and not self.gate, "gate_activation: there is no gate"),
            (difference and self.d_value, "d_value: values of differential attention are as wide as d_head"),
            (
                difference and (self.n_heads % 2 or (self.n_kv_heads or 2) % 2),
                "differential: n_heads and n_kv_heads are even, as heads are paired",
            ),
        )
        if self.indexer or self.pooled_indexer:
            self._indexed()
        allowed(
            (self.gate_bias and not self.gate, "gate_bias: there is no gate"),
            (self.gate_bias and "gate" in self.biases, "gate_bias: the gates have a bias each (biases)"),
            (
                self.worth and not self.n_kv_heads,
                "worth: values are worth as much to a group of heads (n_kv_heads)",
            ),
            (self.worth and self.d_value, "worth: such values are as wide as d_head"),
            (self.worth and (self.shares_kv or self.bidirectional), "worth: values of earlier tokens, its layer's"),
        )
        for rotary, width, _ in self.turned():
            rotary.fits(width)
        return self

    def _indexed(self) -> None:
        """Raises ValueError where the indexer does not go with the rest."""
        apart = self.rotary and (self.rotary.whole_head or self.rotary.from_end or not self.rotary.d_rotary)
        allowed(
            (apart, "rotary: the indexer turns the first d_rotary numbers of its heads too, so d_rotary is said"),
            (self.indexer and self.pooled_indexer, "pooled_indexer: there is one indexer, not two"),
            (self.bidirectional, "bidirectional: an indexer chooses among earlier tokens alone"),
        )

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        own = [(self.rotary, self.d_head, "d_head")] if self.rotary else []
        indexer = self.indexer or self.pooled_indexer
        return own + ([(self.rotary, indexer.d_index_head, "d_index_head")] if self.rotary and indexer else [])

    def reach(self) -> Reach:
        """Which tokens a token looks at."""
        return Reach(self.window, self.chunk, self.bidirectional)

    def weights(self) -> Inventory:
        bias, norm = self.biases, self.query_key_norm
        kv_heads = "n_kv_heads" if self.n_kv_heads else "n_heads"
        d_value = "d_value" if self.d_value else "d_head"
        key = per(kv_heads, linear("key", "d_model d_head", "key" in bias))
        value = per(kv_heads, linear("value", f"d_model {d_value}", "value" in bias))
        key_norm = norm.of(kv_heads).under("key_norm") if norm else NOTHING
        return (
            per("n_heads", linear("query", "d_model d_head", "query" in bias))
            + (norm.of("n_heads").under("query_norm") if norm else NOTHING)
            + (NOTHING if self.shares_kv else key + key_norm)
            + (NOTHING if self.shares_kv or self.value_is_key else value)
            + (
                self.value_norm.across(d_value).under("value_norm")
                if self.value_norm and not self.shares_kv
                else NOTHING
            )
            + (self._convolutions(kv_heads, d_value) if self.n_taps else NOTHING)
            + (self.relative.inventory().under("relative") if self.relative else NOTHING)
            + (self._worth(self.worth) if self.worth else NOTHING)
            + (self.indexer.inventory().under("indexer") if self.indexer else NOTHING)
            + (self.pooled_indexer.inventory().under("pooled_indexer") if self.pooled_indexer else NOTHING)
            + (weight("sinks", "n_heads", "other") if self.sinks else NOTHING)
            + (self._lambdas() if self.differential else NOTHING)
            + (self._gate(d_value) if self.gate else NOTHING)
            + (self.output_norm.across(f"n_heads*{d_value}").under("output_norm") if self.output_norm else NOTHING)
            + linear("output", f"n_heads*{d_value} d_model", "output" in bias, stapled="n_heads")
        )

    def _worth(self, worth: Worth) -> Inventory:
        matrix = linear("worth", "n_kv_heads*d_head n_kv_heads'", worth.bias)
        return matrix + weight("worth.rate", "n_kv_heads", "other")

    def _convolutions(self, kv_heads: str, d_value: str) -> Inventory:
        key, value = f"{kv_heads}*d_head", f"{kv_heads}*{d_value}"
        return convolution("key_convolution", key, False) + convolution("value_convolution", value, False)

    def _gate(self, d_value: str) -> Inventory:
        bias = "gate" in self.biases
        if self.gate_of == "heads":
            gates = linear("gate", "d_model n_heads", bias)
        else:
            gates = per("n_heads", linear("gate", f"d_model {d_value}", bias))
        return gates + (weight("gate.bias", "n_heads", "bias") if self.gate_bias else NOTHING)

    def _lambdas(self) -> Inventory:
        names = ("lambda_query_1", "lambda_key_1", "lambda_query_2", "lambda_key_2")
        return sum((weight(name, "d_head", "other") for name in names), NOTHING)
