"""TeleChat (China Telecom 2024): Llama in BLOOM's words, key and value stored as one matrix, head by head."""

from __future__ import annotations

from math import ceil, log2

from gptcount.families.common import Part, gated, paired, rms, tied, whole_heads
from gptcount.families.config import Config

NAMES = """
embedding.token        transformer.word_embeddings                     |, d_model
embedding.norm         transformer.word_embeddings_layernorm           |
attention_norm         transformer.h.{}.input_layernorm                |
attention.query        transformer.h.{}.self_attention.query           |, d_model
attention.key+value    transformer.h.{}.self_attention.key_value       n_heads*|, d_model
attention.output       transformer.h.{}.self_attention.dense           d_model, |
mlp_norm               transformer.h.{}.post_attention_layernorm       |
mlp.gate               transformer.h.{}.mlp.gate_proj                  |, d_model
mlp.up                 transformer.h.{}.mlp.up_proj                    |, d_model
mlp.down               transformer.h.{}.mlp.down_proj                  d_model, |
final_norm             transformer.ln_f                                |
unembedding.token      lm_head                                         |, d_model
"""

OF_BLOOM = "skip_bias_add skip_bias_add_qkv slow_but_exact unk_token_id hidden_act intermediate_size flash_attn logn"
"""What its files say and its code does not read."""


def telechat(c: Config) -> Part:
    """TeleChat (arXiv:2401.03804; modeling_telechat.py): of biases it has two, where a branch ends."""
    d_model = c.size("hidden_size", "n_embed", absent=4096)
    heads = whole_heads(c, d_model, "n_head", "num_attention_heads", absent=32)
    c.only(num_key_value_heads=heads["n_heads"], n_inner=None, apply_residual_connection_post_layernorm=False)
    c.ignore(*OF_BLOOM.split(), "seq_length", "max_position_embeddings")
    norm = rms(c, 1e-5, "layer_norm_epsilon")
    n_ctx, d_head = c.size("training_seqlen", absent=8192), paired(c, "n_head", heads["d_head"])
    stretch = max(2 ** ceil(log2(n_ctx / c.size("base_seqlen", absent=4096)) + 1) - 1, 1)
    rotary = {"base": 10_000.0 * stretch ** (d_head / (d_head - 2))} if d_head > 2 else {}
    return dict(
        n_vocab=c.size("vocab_size", absent=160_256),
        n_ctx=n_ctx,
        d_model=d_model,
        n_layers=c.layers("n_layer", "num_hidden_layers", absent=30),
        embedding={"norm": norm} if c.flag("embed_layernorm", absent=False) else {},
        attention=heads | {"biases": ["output"], "rotary": rotary},
        mlp=gated(c.size("ffn_hidden_size", absent=12_288), "silu") | {"biases": ["down"]},
        norm=norm,
        unembedding=tied(c, absent=True),
    )


READERS = {"telechat": telechat}
TABLES = {"telechat": NAMES}
