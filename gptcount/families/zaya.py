"""ZAYA1: attention whose queries and keys are convolved, and routers that are MLPs and see each other."""

from __future__ import annotations

from gptcount.families.common import Part, activation, gated, grouped, layer_types, renamed, rms, rotary, slotted
from gptcount.families.config import Config
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA,
    """
embedding.gain                 model.input_hidden_states[_scale|_bias]                |
attention.query                model.layers.{}.self_attn.qkv_proj.q_proj              |, d_model
attention.key                  model.layers.{}.self_attn.qkv_proj.k_proj              |, d_model
attention.value                model.layers.{}.self_attn.qkv_proj.v_proj_current      |, d_model
attention.value_before         model.layers.{}.self_attn.qkv_proj.v_proj_delayed      |, d_model
attention.query_convolution+key_convolution  model.layers.{}.self_attn.qkv_proj.conv_qk_depthwise  |, 1, n_taps
attention.query_mixing+key_mixing  model.layers.{}.self_attn.qkv_proj.conv_qk_grouped  |, d_head', n_mixed
attention.key_length           model.layers.{}.self_attn.qk_norm.temp[|]              |
attention_kept       model.layers.{}.post_attention_residual_scale.residual[_scale|_bias]       |
attention_brought    model.layers.{}.post_attention_residual_scale.hidden_states[_scale|_bias]  |
mlp_kept             model.layers.{}.post_mlp_residual_scale.residual[_scale|_bias]             |
mlp_brought          model.layers.{}.post_mlp_residual_scale.hidden_states[_scale|_bias]        |
mlp.router.hidden.narrow       model.layers.{}.mlp.gate.down_proj                     |, d_model
mlp.router.hidden.carried      model.layers.{}.mlp.gate.router_states_scale[|]        |
mlp.router.hidden.norm         model.layers.{}.mlp.gate.router_mlp.norm               |
mlp.router.hidden.first        model.layers.{}.mlp.gate.router_mlp.fc1                |, d_router
mlp.router.hidden.second       model.layers.{}.mlp.gate.router_mlp.fc2                |, d_router
mlp.router+router_zero         model.layers.{}.mlp.gate.router_mlp.out_proj           |, d_router
mlp.router.correction+router_zero.correction  model.layers.{}.mlp.gate.balancing_biases[|]  |
mlp.experts.gate+up            model.layers.{}.mlp.experts.gate_up_proj[|]            n_experts, |, d_model
mlp.experts.down               model.layers.{}.mlp.experts.down_proj[|]               n_experts, d_model, |
""",
)

FULL, SLIDING = "hybrid", "hybrid_sliding"

ROTARY = {
    FULL: {"rope_type": "default", "rope_theta": 5_000_000.0, "partial_rotary_factor": 0.5},
    SLIDING: {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5},
}
"""The rotary positions where a file says none, whatever else it says."""


def zaya(c: Config) -> Part:
    """ZAYA1 (modeling_zaya.py): one expert a token, or none; each branch and what it is added to have gains."""
    d_model, n_layers, norm = c.size("hidden_size", absent=2048), c.layers(absent=40), rms(c, absent=1e-5)
    n_heads, d_head = c.size("num_attention_heads", absent=8), c.size("head_dim", absent=128)
    which = layer_types(c, n_layers, [FULL] * n_layers, (FULL, SLIDING))
    window = c.size("sliding_window", absent=None, null=None)
    if window is None and SLIDING in which:
        raise c.refusal("sliding_window", "null, and some layers have a window")
    if d_head % 2:
        raise c.refusal("head_dim", f"{d_head} is not even, and values have halves")
    attention = {
        "kind": "convolutional",
        "n_heads": n_heads,
        **grouped(c, "num_key_value_heads", n_heads, c.size("num_key_value_heads", absent=2)),
        "d_head": d_head,
        "n_taps": c.size("cca_time0", absent=2),
        "n_mixed": c.size("cca_time1", absent=2),
        "bias": c.flag("attention_bias", absent=False),
    }
    if c.data.get("rope_parameters") is None:
        c.data = {**c.data, "rope_parameters": ROTARY}
    c.ignore("rope_theta", "partial_rotary_factor")
    windows = {FULL: {}, SLIDING: {"window": window}}
    attentions = {kind: attention | windows[kind] | {"rotary": _turned(c, d_head, kind)} for kind in set(which)}
    c.only(num_experts_per_tok=1)
    c.not_null("num_experts_per_tok")
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=16),
        "n_experts_per_token": 1,
        "n_zero_experts": 1,
        "zero_gives": "nothing",
        "expert": gated(c.size("moe_intermediate_size", absent=2048), activation(c, absent="silu")),
        "router_correction": "buffer",
        "normalize": False,
    }
    hidden = {"d_router": c.size("router_hidden_size", absent=256), "norm": norm}
    mlps = [mixture | {"router_hidden": hidden | ({"carried": True} if later else {})} for later in (False, True)]
    kinds = {
        (kind, later): {"attention": attentions[kind], "mlp": mlps[later]} for kind in attentions for later in (0, 1)
    }
    return dict(
        n_vocab=c.size("vocab_size", absent=262_272),
        n_ctx=c.size("max_position_embeddings", absent=131_072),
        d_model=d_model,
        n_layers=n_layers,
        embedding={"scaling": True},
        **slotted(kinds, [(kind, int(index > 0)) for index, kind in enumerate(which)]),
        norm=norm,
        residual_scaling=True,
        unembedding={
            "tied": c.flag("tie_word_embeddings", absent=True),
            "bias": c.flag("lm_head_bias", absent=False),
        },
    )


def _turned(c: Config, d_head: int, kind: str) -> Part:
    """The rotary positions of a kind of layer, which ``rope_parameters`` has a table for."""
    said = c.table("rope_parameters")
    table = said.table(kind, absent=None, null=None) if said else None
    if said is None or table is None or "rope_theta" not in table.data:
        raise c.refusal("rope_parameters", f"expected a table for {kind}, with its rope_theta")
    if table.data.get("rope_type") != "default":
        raise c.refusal("rope_parameters", f"rope_type of {kind}: only default is known of this family")
    said.ignore("rope_type", FULL, SLIDING)
    return rotary(c, d_head=d_head, partial=1.0, kind=kind)


READERS = {"zaya": zaya}
TABLES = {"zaya": NAMES}
