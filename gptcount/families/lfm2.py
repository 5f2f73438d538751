"""LFM2: gated short convolutions in most layers, attention in some."""

from __future__ import annotations

from gptcount.families.common import Part, gated, heads, layer_types, renamed, rms, rotary, slotted
from gptcount.families.config import Config
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA,
    """
attention_norm        model.layers.{}.operator_norm                     |
attention.query_norm  model.layers.{}.self_attn.q_layernorm             |
attention.key_norm    model.layers.{}.self_attn.k_layernorm             |
attention.output      model.layers.{}.self_attn.out_proj                d_model, |
mixer_norm            model.layers.{}.operator_norm                     |
mixer.input_gate+output_gate+input  model.layers.{}.conv.in_proj        |, d_model
mixer.convolution     model.layers.{}.conv.conv                         |, 1, n_taps
mixer.output          model.layers.{}.conv.out_proj                     |, d_model
mlp_norm              model.layers.{}.ffn_norm                          |
mlp.gate              model.layers.{}.feed_forward.w1                   |, d_model
mlp.up                model.layers.{}.feed_forward.w3                   |, d_model
mlp.down              model.layers.{}.feed_forward.w2                   d_model, |
final_norm            model.embedding_norm                              |
""",
)


def lfm2(c: Config) -> Part:
    """LFM2 (arXiv:2511.23404; modeling_lfm2.py): the width of an MLP is adjusted, unless the file says not."""
    d_model, n_layers = c.size("hidden_size", absent=2560), c.layers(absent=32)
    attention = heads(c, d_model, n_heads=32, kv_absent=8)
    attention |= {"rotary": rotary(c, base=1_000_000.0, d_head=attention["d_head"])}
    norm = rms(c, absent=1e-5, key="norm_eps")
    attention |= {"query_key_norm": norm}
    mixer = {
        "kind": "short-convolution",
        "n_taps": c.size("conv_L_cache", absent=3),
        "bias": c.flag("conv_bias", absent=False),
    }
    mlp = gated(_d_ff(c), "silu")
    said = c.indices("full_attn_idxs", n_layers, absent=None, null=None)
    full = None if said is None else set(said)
    usual = ["full_attention" if full is None or index in full else "conv" for index in range(n_layers)]
    kinds = {"full_attention": {"attention": attention, "mlp": mlp}, "conv": {"mixer": mixer, "mlp": mlp}}
    c.ignore("block_dim", "conv_dim", "conv_dim_out", "num_heads", "block_mlp_init_scale", "block_norm_eps")
    c.ignore("block_out_init_scale", "block_use_swiglu", "block_use_xavier_init", "conv_use_xavier_init", "use_pos_enc")
    return dict(
        n_vocab=c.size("vocab_size", absent=65536),
        n_ctx=c.size("max_position_embeddings", absent=128_000),
        d_model=d_model,
        n_layers=n_layers,
        **slotted(kinds, layer_types(c, n_layers, usual, tuple(kinds))),
        norm=norm,
        unembedding={"tied": c.flag("tie_embedding", "tie_word_embeddings", absent=True)},
    )


def _d_ff(c: Config) -> int:
    """The width of an MLP: two thirds of what the file says, stretched and rounded up, where it is adjusted."""
    d_ff = c.size("block_ff_dim", "intermediate_size", absent=12288)
    times = c.number("block_ffn_dim_multiplier", absent=1.0, null=None)
    multiple = c.size("block_multiple_of", absent=256)
    if not c.flag("block_auto_adjust_ff_dim", absent=True):
        return d_ff
    d_ff = int(2 * d_ff / 3)
    return d_ff if times is None else -(-int(times * d_ff) // multiple) * multiple


READERS = {"lfm2": lfm2}
TABLES = {"lfm2": NAMES}
