"""Attention with a query for every head and a key and a value for every head or group of heads, and its positions."""

from typing import Literal

from pydantic import model_validator

from gptcount.blocks.block import Block, Names, Real, Size
from gptcount.blocks.norm import HeadNorm, Norm
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class RotaryScaling(Block):
    """How rotary frequencies are stretched beyond the context that a model was trained on."""

    kind: Literal["linear", "dynamic", "yarn", "llama3", "longrope"]
    factor: Real | None = None
    n_ctx_original: Size | None = None
    low_frequency: Real | None = None
    high_frequency: Real | None = None
    beta_fast: Real = 32.0
    beta_slow: Real = 1.0
    attention_factor: Real | None = None
    mscale: Real | None = None
    mscale_all: Real | None = None
    truncate: bool = True
    short_factors: Names[Real] = ()
    long_factors: Names[Real] = ()
    short_mscale: Real | None = None
    long_mscale: Real | None = None


class Rotary(Block):
    """Rotary positions (Su et al. 2021): pairs of a head's numbers are turned, further from position to position."""

    base: Real = 10_000.0
    d_rotary: Size | None = None
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


class Temperature(Block):
    """Queries of later positions are made longer: by 1 + scale * ln(1 + floor((position + offset) / n_positions))."""

    scale: Real
    n_positions: Size
    offset: Literal[0, 1] = 0


class MultiHeadAttention(Block):
    """Multi-head attention (Vaswani et al. 2017); with fewer key/value heads it is grouped-query attention (Ainslie et
    al. 2023), with one, multi-query attention (Shazeer 2019)."""

    kind: Literal["multi-head"] = "multi-head"
    n_heads: Size
    n_kv_heads: Size | None = None
    """Absent, every head has a key and a value of its own."""
    d_head: Size
    d_value: Size | None = None
    """The width of a value, where it is not d_head."""
    biases: Names[Literal["query", "key", "value", "output"]] = ()
    shares_kv: bool = False
    """Keys and values are those of an earlier layer of its kind (Gemma 3n)."""
    value_is_key: bool = False
    """Values are the keys before their norm (Gemma 4); there is no value matrix."""
    query_key_norm: HeadNorm | None = None
    value_norm: Norm | None = None
    sinks: bool = False
    """A learned score for each head, of looking at nothing (gpt-oss)."""
    gate: bool = False
    """What comes out of the heads is gated by the sigmoid of a matrix of the input (afmoe)."""
    output_norm: Norm | None = None
    """A norm of what the heads bring, before the output matrix (BitNet)."""
    differential: Norm | None = None
    """Half of the heads is subtracted from the other, by a learned amount, and this norm follows (Ye et al. 2024)."""
    rotary: Rotary | None = None
    alibi: Literal["exact", "bfloat16", "mpt"] | None = None
    """A penalty that grows with the distance (Press et al. 2021), in the rounding or the slopes of a family."""
    alibi_most: Real = 8.0
    window: Size | None = None
    """How many tokens a token sees, itself included; absent, all before it."""
    chunk: Size | None = None
    """A token sees only its own chunk of so many tokens (Llama 4)."""
    bidirectional: bool = False
    """A token sees those after it too, as an encoder's (EmbeddingGemma)."""
    scale: Real | None = None
    """What scores are multiplied by; absent, one over the root of d_head."""
    scale_by_layer: bool = False
    """Scores are divided by the layer's number, from 1 (an option of GPT-2)."""
    softcap: Real | None = None
    clip: Real | None = None
    """Queries, keys and values are held between minus and plus this."""
    value_scale: Real = 1.0
    temperature: Temperature | None = None

    @model_validator(mode="after")
    def _whole_groups(self) -> "MultiHeadAttention":
        if self.n_heads % (self.n_kv_heads or 1):
            raise ValueError(f"n_heads = {self.n_heads} is not a multiple of n_kv_heads = {self.n_kv_heads}")
        return self

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
            + (self.value_norm.across(d_value).under("value_norm") if self.value_norm else NOTHING)
            + (weight("sinks", "n_heads", "other") if self.sinks else NOTHING)
            + (self._lambdas() if self.differential else NOTHING)
            + (per("n_heads", linear("gate", f"d_model {d_value}")) if self.gate else NOTHING)
            + (self.output_norm.across(f"n_heads*{d_value}").under("output_norm") if self.output_norm else NOTHING)
            + linear("output", f"n_heads*{d_value} d_model", "output" in bias)
        )

    def _lambdas(self) -> Inventory:
        names = ("lambda_query_1", "lambda_key_1", "lambda_query_2", "lambda_key_2")
        return sum((weight(name, "d_head", "other") for name in names), NOTHING)
