"""Qwen, the first: Qwen 2 in words of its own, whose MLP is half as wide as its file says."""

from __future__ import annotations

from gptcount.families.common import Part, biases, gated, paired, rms, tied, whole_heads
from gptcount.families.config import Config

NAMES = """
embedding.token              transformer.wte                    |, d_model
attention_norm               transformer.h.{}.ln_1              |
attention.query+key+value    transformer.h.{}.attn.c_attn       |, d_model
attention.output             transformer.h.{}.attn.c_proj       d_model, |
mlp_norm                     transformer.h.{}.ln_2              |
mlp.up                       transformer.h.{}.mlp.w1            |, d_model
mlp.gate                     transformer.h.{}.mlp.w2            |, d_model
mlp.down                     transformer.h.{}.mlp.c_proj        d_model, |
final_norm                   transformer.ln_f                   |
unembedding.token            lm_head                            |, d_model
"""

BEYOND = ("use_dynamic_ntk", "use_logn_attn", "max_position_embeddings", "n_positions")
"""What stretches positions beyond ``seq_length``, which is the context here."""


def qwen(c: Config) -> Part:
    """Qwen (arXiv:2309.16609; modeling_qwen.py). Files of the first weeks say it in OpenAI's words."""
    d_model = c.size("hidden_size", "n_embd", absent=4096)
    attention = whole_heads(c, d_model, "num_attention_heads", "n_head", absent=32)
    c.only(kv_channels=attention["d_head"], scale_attn_weights=True, activation="swiglu", pos_emb="rotary")
    c.only(apply_residual_connection_post_layernorm=False, use_cache_quantization=False)
    plain = c.flag("no_bias", absent=True)
    base, partial = c.number("rotary_emb_base", absent=10_000.0), c.number("rotary_pct", absent=1.0)
    c.only(rope_theta=base)
    turned = paired(c, "rotary_pct", int(attention["d_head"] * min(partial, 1.0)))
    both = c.size("intermediate_size", "ffn_hidden_size", absent=22016)
    if both % 2:
        raise c.refusal("intermediate_size", f"{both} is odd, and each of the two matrices has half of it")
    for part in ("visual", "audio"):
        if c.has(part):
            c.ignore(part)
            c.notes.append(f"the language model of a larger configuration: its {part} part is not counted")
    c.ignore("attn_dropout_prob", "emb_dropout_prob", "onnx_safe", "bf16", "fp16", "fp32", "softmax_in_fp32")
    c.ignore("params_dtype", "tokenizer_type", "use_cache_kernel", *BEYOND)
    longest = c.size("max_position_embeddings", "n_positions", absent=8192)
    return dict(
        n_vocab=c.size("vocab_size", "padded_vocab_size", absent=151_936),
        n_ctx=c.size("seq_length", absent=longest),
        d_model=d_model,
        n_layers=c.layers("num_hidden_layers", "n_layer", absent=32),
        attention=attention
        | {"biases": ["query", "key", "value", *biases(not plain, "output")]}
        | {"rotary": {"base": base} | ({} if partial == 1.0 else {"d_rotary": turned})},
        mlp=gated(both // 2, "silu", not plain),
        norm=rms(c, key="layer_norm_epsilon"),
        unembedding=tied(c, absent=False),
    )


READERS = {"qwen": qwen}
TABLES = {"qwen": NAMES}
