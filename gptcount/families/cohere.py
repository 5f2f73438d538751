"""Cohere: attention and MLP side by side behind one layer norm without bias; rotary positions turn neighbours."""

from __future__ import annotations

from gptcount.families.common import Part, every, layer_norm, renamed, windowed
from gptcount.families.config import Config
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.llama import decoder

NAMES = renamed(
    LLAMA,
    """
attention.query_norm  model.layers.{}.self_attn.q_norm  n_heads, d_head
attention.key_norm    model.layers.{}.self_attn.k_norm  n_kv_heads, d_head
""",
)


def cohere(c: Config) -> Part:
    """Command R and Aya (modeling_cohere.py)."""
    c.assume(vocab_size=256_000, hidden_size=8192, intermediate_size=22_528, num_hidden_layers=40)
    c.assume(num_attention_heads=64, max_position_embeddings=8192, rope_theta=500_000.0, tie_word_embeddings=True)
    c.only(mlp_bias=False)
    norm = layer_norm(c, "layer_norm_eps", bias=False)
    model = decoder(c, norm)
    attention = model["attention"]
    attention["rotary"]["interleaved"] = True
    if c.flag("use_qk_norm", absent=False, null=False):
        attention["query_key_norm"] = {**norm, "over": "each-head"}
    unembedding = model["unembedding"] | {"scale": c.number("logit_scale", absent=0.0625)}
    return {**model, "residual": "parallel-shared", "unembedding": unembedding}


def cohere2(c: Config) -> Part:
    """Command R7B and Command A (arXiv:2504.00698; modeling_cohere2.py): three of four layers have a window, and they
    alone have rotary positions."""
    c.assume(rope_theta=10_000.0)
    c.only(use_qk_norm=False, use_gated_activation=True, use_parallel_block=True, rotary_pct=1.0)
    c.only(position_embedding_type="rope_gptj", order_of_interleaved_layers="local_attn_first")
    model = cohere(c)
    c.only(use_embedding_sharing=model["unembedding"]["tied"])
    c.ignore("use_parallel_embedding")
    usual = every(
        model["n_layers"], c.size("sliding_window_pattern", "_sliding_window_pattern", "layer_switch", absent=4)
    )
    window = c.size("sliding_window", absent=4096, null=None)
    full = {key: part for key, part in model["attention"].items() if key != "rotary"}
    return windowed(c, model if window else {**model, "attention": full}, window, usual, full)


READERS = {"cohere": cohere, "cohere2": cohere2}
TABLES = {"cohere": NAMES, "cohere2": NAMES}
