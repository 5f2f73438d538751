"""BLOOM, Falcon and MPT: in the words of Megatron; a penalty that grows with distance stands for positions."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.families.common import (
    Part,
    activation,
    biases,
    layer_norm,
    plain,
    renamed,
    rotary,
    tied,
    whole_heads,
)
from gptcount.families.config import Config

BLOOM = """
embedding.token              transformer.word_embeddings                         |, d_model
embedding.norm               transformer.word_embeddings_layernorm               |
attention_norm               transformer.h.{}.input_layernorm                    |
attention.query+key+value    transformer.h.{}.self_attention.query_key_value     n_heads*|, d_model
attention.output             transformer.h.{}.self_attention.dense               d_model, |
mlp_norm                     transformer.h.{}.post_attention_layernorm           |
mlp.up                       transformer.h.{}.mlp.dense_h_to_4h                  |, d_model
mlp.down                     transformer.h.{}.mlp.dense_4h_to_h                  d_model, |
final_norm                   transformer.ln_f                                    |
unembedding.token            lm_head                                             |, d_model
"""

FALCON = BLOOM.replace("n_heads*|", "n_kv_heads*|")

TWO_NORMS = """
attention_norm               transformer.h.{}.ln_attn    |
mlp_norm                     transformer.h.{}.ln_mlp     |
"""

MPT = """
embedding.token              transformer.wte                          |, d_model
attention_norm               transformer.blocks.{}.norm_1             |
attention.query+key+value    transformer.blocks.{}.attn.Wqkv          |, d_model
attention.output             transformer.blocks.{}.attn.out_proj      d_model, |
mlp_norm                     transformer.blocks.{}.norm_2             |
mlp.up                       transformer.blocks.{}.ffn.up_proj        |, d_model
mlp.down                     transformer.blocks.{}.ffn.down_proj      d_model, |
final_norm                   transformer.norm_f                       |
unembedding.token            lm_head                                  |, d_model
"""

QKVO = ("query", "key", "value", "output")


def bloom(c: Config) -> Part:
    """BLOOM (arXiv:2211.05100; modeling_bloom.py): a norm after the embedding, ALiBi, biases everywhere."""
    d_model = c.size("hidden_size", "n_embed", absent=64)
    norm = layer_norm(c, "layer_norm_epsilon")
    normed = c.flag("apply_residual_connection_post_layernorm", absent=False)
    c.only(n_inner=4 * d_model)
    c.not_null("pretraining_tp", "slow_but_exact")
    c.ignore("offset_alibi", "pretraining_tp", "skip_bias_add", "skip_bias_add_qkv", "slow_but_exact")
    return dict(
        n_vocab=c.size("vocab_size", absent=250880),
        n_ctx=c.size("seq_length", absent=2048),
        d_model=d_model,
        n_layers=c.layers("n_layer", "num_hidden_layers", absent=2),
        embedding={"norm": norm},
        attention=whole_heads(c, d_model, "n_head", "num_attention_heads", absent=8)
        | {"biases": QKVO, "alibi": "exact"},
        mlp=plain(4 * d_model, "gelu_tanh"),
        norm=norm,
        residual="normed-residual" if normed else "pre-norm",
        unembedding=tied(c, absent=True),
    )


def falcon(c: Config) -> Part:
    """Falcon (arXiv:2311.16867; modeling_falcon.py): side by side on one norm or two, or in turn; rotary or ALiBi."""
    d_model = c.size("hidden_size", "n_embed", absent=4544)
    n_layers, n_ctx = c.layers(absent=32), c.size("max_position_embeddings", absent=2048)
    heads = whole_heads(c, d_model, absent=71)
    n_heads = heads["n_heads"]
    new = c.flag("new_decoder_architecture", absent=False, null=False)
    said = c.size("num_kv_heads", absent=n_heads, null=n_heads)
    older = 1 if c.flag("multi_query", absent=True, null=False) else n_heads
    on = c.flag("bias", absent=False, null=False)
    heads |= {"n_kv_heads": said if new else older, "biases": biases(on, *QKVO)}
    if c.flag("alibi", absent=False, null=False):
        heads["alibi"] = "bfloat16"
        c.ignore("rope_parameters", "rope_scaling", "rope_theta")
    else:
        heads["rotary"] = rotary(c, d_head=heads["d_head"])
    usual = 2 if new else 1
    n_norms = c.size("num_ln_in_parallel_attn", absent=usual, null=usual)
    if n_norms > 2:
        raise c.refusal("num_ln_in_parallel_attn", f"{n_norms} norms: there are 1, shared, or 2")
    side_by_side = "parallel" if n_norms == 2 else "parallel-shared"
    d_ff = c.size("ffn_hidden_size", absent=4 * d_model, null=4 * d_model)
    c.only(n_head=n_heads, n_layer=n_layers, ff_factor=d_ff / d_model, apply_residual_connection_post_layernorm=False)
    return dict(
        n_vocab=c.size("vocab_size", absent=65024),
        n_ctx=n_ctx,
        d_model=d_model,
        n_layers=n_layers,
        attention=heads,
        mlp=plain(d_ff, activation(c, "activation", absent="gelu"), on),
        norm=layer_norm(c, "layer_norm_epsilon"),
        residual=side_by_side if c.flag("parallel_attn", absent=True, null=False) else "pre-norm",
        unembedding=tied(c, absent=True),
    )


def refined_web(c: Config) -> Part:
    """Falcon 40B as its own code spelled it (modelling_RW.py): two norms side by side, keys for groups of heads."""
    c.spelled(num_kv_heads="n_head_kv")
    c.size("num_kv_heads")
    c.assume(new_decoder_architecture=True)
    return _refined(c)


def refined_web_model(c: Config) -> Part:
    """Falcon 7B and its kin as their own code spelled them (modelling_RW.py)."""
    c.only(new_decoder_architecture=False)
    return _refined(c)


def _refined(c: Config) -> Part:
    c.spelled(num_hidden_layers="n_layer", num_attention_heads="n_head")
    c.assume(vocab_size=250_880, hidden_size=64, num_hidden_layers=2, num_attention_heads=8)
    c.assume(multi_query=False, parallel_attn=False)
    return {**falcon(c), "checkpoint": "falcon"}


def falcon_names(architecture: Architecture) -> str:
    """Falcon's names: those of the norms depend on how many there are side by side."""
    return renamed(FALCON, TWO_NORMS) if architecture.residual == "parallel" else FALCON


def mpt(c: Config) -> Part:
    """MPT (MosaicML 2023; modeling_mpt.py): ALiBi, and no bias anywhere, not even of the norms."""
    d_model = c.size("d_model", "hidden_size", absent=2048)
    heads = whole_heads(c, d_model, "n_heads", "num_attention_heads", absent=16) | {"alibi": "mpt"}
    if said := c.table("attn_config", absent=None, null=None):
        said.only(alibi=True, attn_type="multihead_attention", prefix_lm=False, qk_ln=False, qk_gn=False, rope=False)
        said.ignore("attn_impl", "attn_uses_sequence_id", "tie_word_embeddings", "add_cross_attention")
        said.only(alibi_bias_max=8)
        for field, key in (("clip", "clip_qkv"), ("scale", "softmax_scale")):
            value = said.number(key, absent=None, null=None)
            heads |= {} if value is None else {field: value}
    c.word("norm_type", among=("layernorm", "low_precision_layernorm"), absent="low_precision_layernorm")
    c.not_null("expansion_ratio", "learned_pos_emb", "no_bias")
    c.only(expansion_ratio=4, no_bias=True, logit_scale=None, is_causal=True)
    c.only(fc_type="torch", ffn_config={"fc_type": "torch", "ffn_type": "mptmlp"})
    c.ignore("embedding_fraction", "learned_pos_emb", "use_pad_tok_in_ffn")
    return dict(
        n_vocab=c.size("vocab_size", absent=50368),
        n_ctx=c.size("max_seq_len", absent=2048),
        d_model=d_model,
        n_layers=c.layers("n_layers", "num_hidden_layers", absent=24),
        attention=heads,
        mlp=plain(4 * d_model, "gelu", False),
        norm=layer_norm(c, "layer_norm_epsilon", bias=False),
        unembedding=tied(c, absent=True),
    )


READERS = {"bloom": bloom, "falcon": falcon, "mpt": mpt}
READERS |= {"RefinedWeb": refined_web, "RefinedWebModel": refined_web_model}
TABLES = {"bloom": BLOOM, "falcon": falcon_names, "mpt": MPT}
