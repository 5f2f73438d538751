"""Qwen4-Exp: gated delta rules and, in every few layers, attention to blocks that an indexer chooses; each block reads
a blend of several streams, and in every layer there is a mixture."""

from __future__ import annotations

from gptcount.families.common import Part, layer_types, renamed, slotted
from gptcount.families.config import Config, Defaults
from gptcount.families.delta import APART, QWEN, delta_of, hybrid
from gptcount.families.qwen import mixture_of

STREAMS = """
streams.{0}.norm          model.layers.{}.{1}_hyper_connection.hc_norm                |
streams.{0}.down          model.layers.{}.{1}_hyper_connection.input_mix_weight_down  |, n_streams*d_model
streams.{0}.gate          model.layers.{}.{1}_hyper_connection.input_mix_weight_up    |, d_rank
streams.{0}.write         model.layers.{}.{1}_hyper_connection.block_inject_weight    |, n_streams*d_model
"""

OWN = """
attention.pooled_indexer.query+key     model.layers.{}.self_attn.indexer.index_qk_proj  |, d_model
attention.pooled_indexer.query_norm    model.layers.{}.self_attn.indexer.q_layernorm    |
attention.pooled_indexer.key_norm      model.layers.{}.self_attn.indexer.k_layernorm    |
streams.last.norm         model.hyper_connection_mixer.hc_norm                |
streams.last.down         model.hyper_connection_mixer.input_mix_weight_down  |, n_streams*d_model
streams.last.gate         model.hyper_connection_mixer.input_mix_weight_up    |, d_rank
"""

QSA = ("indexer_n_heads", "indexer_kv_heads", "indexer_head_dim", "indexer_budget", "indexer_compress_ratio")


def qwen4_exp_text(c: Config) -> Part:
    """Qwen4-Exp (modeling_qwen4_exp.py), where no layer has tables of hashed n-grams."""
    c.ignore("intermediate_size", "decoder_sparse_step", "mlp_only_layers", "number_of_conv_states")
    _without_tables(c)
    model = hybrid(c)
    n_layers, norm = model["n_layers"], model["norm"]
    interval = c.size("full_attention_interval", absent=4) if c.data.get("layer_types") is None else 4
    usual = ["linear_attention" if (index + 1) % interval else "indexed_attention" for index in range(n_layers)]
    among = ("linear_attention", "indexed_attention", "full_attention")
    which = [kind.replace("full", "indexed") for kind in layer_types(c, n_layers, usual, among)]
    mixture = mixture_of(c, model, d_expert=512, n_experts=512, n_chosen=10, d_shared=512, normalize=True)
    if not mixture["n_experts"]:
        raise c.refusal("num_experts", "0; expected at least 1")
    act = model["mlp"]["activation"]
    gate = c.word("output_gate_type", among=("silu", "sigmoid"), absent=None, null=None) or act
    if gate not in ("silu", "sigmoid"):
        raise c.refusal("hidden_act", f"{gate!r}, and the gate of linear attention is silu or sigmoid")
    n_streams = c.size("hc_count", absent=4)
    if n_streams < 2:
        raise c.refusal("hc_count", "1; expected at least 2")
    mixer = delta_of(c, model, 16, 32) | {"gate_activation": gate}
    kinds = {
        "linear_attention": {"mixer": mixer, "mlp": mixture},
        "indexed_attention": {"attention": _indexed(c, model, "indexed_attention" in which), "mlp": mixture},
    }
    streams = {"kind": "gated-streams", "n_streams": n_streams, "d_rank": c.size("hc_lowrank", absent=320)}
    return model | slotted(kinds, which) | {"streams": streams | {"norm": norm}, "final_norm": False}


def _indexed(c: Config, model: Part, needed: bool) -> Part:
    """The attention of a layer that has an indexer."""
    said: dict[str, int | None] = {key: c.size(key, absent=None, null=None) for key in QSA}
    missing = [key for key, value in said.items() if value is None]
    if missing and (needed or len(missing) < len(QSA)):
        raise c.refusal(missing[0], "absent, and layers with attention have an indexer")
    attention: Part = model["attention"]
    if missing:
        return attention
    n_heads, n_keys, d_head, budget, n_block = (value or 0 for value in said.values())
    if n_keys != 1:
        raise c.refusal("indexer_kv_heads", f"{n_keys}; expected 1")
    if budget % n_block:
        raise c.refusal("indexer_budget", f"{budget} is not a multiple of indexer_compress_ratio = {n_block}")
    rotary = {"d_rotary": attention["d_head"]} | attention["rotary"]
    if rotary["d_rotary"] > d_head:
        raise c.refusal("indexer_head_dim", f"{d_head} is less than the {rotary['d_rotary']} numbers that are turned")
    indexer = {"n_index_heads": n_heads, "d_index_head": d_head, "n_block": n_block, "n_chosen": budget // n_block}
    return attention | {"rotary": rotary, "pooled_indexer": indexer | {"norm": model["norm"]}}


def _without_tables(c: Config) -> None:
    """Reads what is said of tables of hashed n-grams. Raises InputError where layers have them."""
    ids = c.raw("ple_layer_ids", absent=None, null=None)
    if ids not in (None, []):
        raise c.refusal("ple_layer_ids", "layers with tables of hashed n-grams, which are not counted yet")
    c.size("ple_embed_dim", absent=None, null=None)
    for key in ("ple_conv_kernel_size", "ngram_size", "heads_per_ngram", "ngram_vocab_size_base", "split_ngram_parts"):
        c.size(key, absent=1)
    c.size("make_ngram_vocab_size_divisible_by", absent=128)
    c.ignore("seed")


READERS = {"qwen4_exp_text": qwen4_exp_text}
_OF = "".join(
    STREAMS.replace("{0}", place).replace("{1}", name) for place, name in (("attention", "attn"), ("mlp", "mlp"))
)
TABLES = {"qwen4_exp_text": renamed(QWEN + APART, OWN + _OF)}


DEFAULTS: Defaults = {
    "qwen4_exp_text": dict(
        vocab_size=248320,
        hidden_size=2048,
        num_hidden_layers=40,
        num_attention_heads=16,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        partial_rotary_factor=1.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
