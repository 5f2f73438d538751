"""LFM2 and LFM3: gated short convolutions in most layers, attention in some."""

from __future__ import annotations

from gptcount.families.common import (
    Part,
    biases,
    gated,
    heads,
    layer_types,
    mixed,
    renamed,
    rms,
    rotary,
    rotary_table,
    slotted,
    tied,
)
from gptcount.families.config import Config, Defaults
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

MOE = renamed(
    NAMES,
    """
mlp.router            model.layers.{}.feed_forward.gate                 |, d_model
mlp.router.correction  model.layers.{}.feed_forward.expert_bias[|]      |
mlp.experts.gate      model.layers.{}.feed_forward.experts.{}.w1        |, d_model
mlp.experts.up        model.layers.{}.feed_forward.experts.{}.w3        |, d_model
mlp.experts.down      model.layers.{}.feed_forward.experts.{}.w2        d_model, |
""",
)

LFM3 = renamed(
    NAMES,
    """
attention.query_norm  model.layers.{}.self_attn.q_norm                  |
attention.key_norm    model.layers.{}.self_attn.k_norm                  |
attention.gate        model.layers.{}.self_attn.gate_proj               |, d_model
attention.output      model.layers.{}.self_attn.o_proj                  d_model, |
attention_output_norm model.layers.{}.post_operator_norm                |
mixer_output_norm     model.layers.{}.post_operator_norm                |
mlp_output_norm       model.layers.{}.post_ffn_norm                     |
""",
)


def lfm2(c: Config) -> Part:
    """LFM2 (arXiv:2511.23404; modeling_lfm2.py): the width of an MLP is adjusted, unless the file says not."""
    n_layers = c.layers(absent=32)
    said = c.indices("full_attn_idxs", n_layers, absent=None, null=None)
    full = None if said is None else set(said)
    usual = ["full_attention" if full is None or index in full else "conv" for index in range(n_layers)]
    c.ignore("block_dim", "conv_dim", "conv_dim_out", "num_heads", "block_mlp_init_scale", "block_norm_eps")
    c.ignore("block_out_init_scale", "block_use_swiglu", "block_use_xavier_init", "conv_use_xavier_init", "use_pos_enc")
    kinds = ("full_attention", "conv")
    return _model(c, _d_ff(c), layer_types(c, n_layers, usual, kinds))


def lfm2_moe(c: Config) -> Part:
    """LFM2-MoE (arXiv:2511.23404; modeling_lfm2_moe.py): mixtures after the first layers; the file lists the layers."""
    n_layers = c.layers(absent=32)
    c.not_null("head_dim", "num_key_value_heads")
    model = _model(c, c.size("intermediate_size", absent=7168), _listed(c, n_layers))
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=32),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=4),
        "expert": gated(c.size("moe_intermediate_size", absent=1792), "silu"),
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=True),
        "scale": c.number("routed_scaling_factor", absent=1.0),
    }
    mixture |= {"router_correction": "buffer"} if c.flag("use_expert_bias", absent=True) else {}
    dense = c.size("num_dense_layers", absent=2, least=0)
    return mixed(model, mixture, [index >= dense for index in range(n_layers)])


def lfm3(c: Config) -> Part:
    """LFM3 (modeling_lfm3.py): LFM2 with windows in some layers of attention, a gate for each head, and norms after."""
    c.spelled(norm_eps="rms_norm_eps")
    n_layers, n_heads = c.layers(absent=24), c.size("num_attention_heads", absent=16)
    c.assume(vocab_size=128_000, num_attention_heads=n_heads, num_key_value_heads=4, head_dim=128, conv_L_cache=7)
    c.not_null("head_dim", "num_key_value_heads")
    usual = [("conv", "conv", FULL, "conv")[index % 4] for index in range(n_layers)]
    usual = [SLIDING if index and index % 4 == 0 else kind for index, kind in enumerate(usual)]
    kinds = layer_types(c, n_layers, usual, (FULL, SLIDING, "conv"))
    if c.data.get("rope_parameters") is None:
        c.data = {**c.data, "rope_parameters": ROTARY}
        c.ignore("rope_theta")
    biased = c.flag("attention_bias", absent=False)
    full = heads(c, c.size("hidden_size", absent=2048)) | {
        "biases": biases(biased, "query", "key", "value", "output"),
        "query_key_norm": rms(c, absent=1e-5, key="norm_eps"),
    }
    full |= {"gate": True, "gate_of": "heads"} if c.flag("use_attention_gate", absent=True) else {}
    window = c.size("sliding_window", absent=256, null=None)
    if window is None and SLIDING in kinds:
        raise c.refusal("sliding_window", "null, and some layers have a window")
    blocks = {
        FULL: full | {"rotary": _turned(c, full["d_head"], FULL)} if FULL in kinds else full,
        SLIDING: full | {"rotary": _turned(c, full["d_head"], SLIDING), "window": window} if SLIDING in kinds else full,
    }
    c.ignore("partial_rotary_factor")
    model = _model(c, c.size("intermediate_size", absent=7680), kinds, blocks)
    sandwich = c.flag("use_sandwich_norm", absent=True)
    return {**model, "unembedding": tied(c, absent=True)} | ({"residual": "sandwich"} if sandwich else {})


FULL, SLIDING = "full_attention", "sliding_attention"

ROTARY = {
    SLIDING: {"rope_type": "default", "rope_theta": 10_000.0},
    FULL: {"rope_type": "proportional", "rope_theta": 1_000_000.0, "partial_rotary_factor": 0.5},
}
"""The rotary positions of LFM3 where its file says none, whatever else it says."""


def _model(c: Config, d_ff: int, kinds: list[str], attention: Part | None = None) -> Part:
    """A model whose layers are of these kinds; ``attention`` has that of each kind, where it is not LFM2's."""
    d_model, norm, mlp = c.size("hidden_size", absent=2048), rms(c, absent=1e-5, key="norm_eps"), gated(d_ff, "silu")
    if attention is None:
        full = heads(c, d_model, n_heads=32, kv_absent=8)
        full |= {"rotary": rotary(c, base=1_000_000.0, d_head=full["d_head"]), "query_key_norm": norm}
        attention = {FULL: full}
    mixer = {
        "kind": "short-convolution",
        "n_taps": c.size("conv_L_cache", absent=3),
        "bias": c.flag("conv_bias", absent=False),
    }
    slots = {kind: {"attention": block, "mlp": mlp} for kind, block in attention.items()}
    return dict(
        n_vocab=c.size("vocab_size", absent=65536),
        n_ctx=c.size("max_position_embeddings", absent=128_000),
        d_model=d_model,
        n_layers=len(kinds),
        **slotted({**slots, "conv": {"mixer": mixer, "mlp": mlp}}, kinds),
        norm=norm,
        unembedding={"tied": c.flag("tie_embedding", "tie_word_embeddings", absent=True)},
    )


def _listed(c: Config, n_layers: int) -> list[str]:
    """The kind of each layer, which the file must list."""
    return c.words("layer_types", n_layers, (FULL, "conv"))


def _turned(c: Config, d_head: int, kind: str) -> Part:
    """The rotary positions of a kind of layer, which ``rope_parameters`` has a table for."""
    said = rotary_table(c)
    if not said or not isinstance(said.data.get(kind), dict):
        raise c.refusal("rope_parameters", f"expected a table for {kind}")
    table = rotary_table(c, kind)
    if table and table.data.get("rope_type", "default") == "default":
        table.ignore("partial_rotary_factor")
    return rotary(c, base=1_000_000.0, d_head=d_head, kind=kind)


def _d_ff(c: Config) -> int:
    """The width of an MLP: two thirds of what the file says, stretched and rounded up, where it is adjusted."""
    d_ff = c.size("block_ff_dim", "intermediate_size", absent=12288)
    times = c.number("block_ffn_dim_multiplier", absent=1.0, null=None)
    multiple = c.size("block_multiple_of", absent=256)
    if not c.flag("block_auto_adjust_ff_dim", absent=True):
        return d_ff
    d_ff = int(2 * d_ff / 3)
    return d_ff if times is None else -(-int(times * d_ff) // multiple) * multiple


READERS = {"lfm2": lfm2, "lfm2_moe": lfm2_moe, "lfm3": lfm3}
TABLES = {"lfm2": NAMES, "lfm2_moe": MOE, "lfm3": LFM3}


DEFAULTS: Defaults = {
    "lfm2": dict(hidden_size=2560),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
