"""Step 3.5 and 3.7 (StepFun), whose layers with a window have heads, rotary positions and clipped MLPs of their own."""

from __future__ import annotations

from typing import Any

from gptcount.families.common import (
    Part,
    activation,
    biases,
    gated,
    heads,
    layer_types,
    predictors,
    renamed,
    rms,
    rotary,
    tied,
    varied,
)
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES

STEP = renamed(
    NAMES,
    """
attention.gate            model.layers.{}.self_attn.g_proj                |, d_model
mlp.router                model.layers.{}.moe.gate                        |, d_model
mlp.router.correction     model.layers.{}.moe.router_bias[|]              |
mlp.experts.gate          model.layers.{}.moe.gate_proj                   n_experts, |, d_model
mlp.experts.up            model.layers.{}.moe.up_proj                     n_experts, |, d_model
mlp.experts.down          model.layers.{}.moe.down_proj                   n_experts, d_model, |
mlp.shared.gate           model.layers.{}.share_expert.gate_proj          |, d_model
mlp.shared.up             model.layers.{}.share_expert.up_proj            |, d_model
mlp.shared.down           model.layers.{}.share_expert.down_proj          d_model, |
""",
)


def step3p5(c: Config) -> Part:
    """Step 3.5, and the language model of Step 3.7 (modeling_step3p7.py): a gate for each head; more heads in layers
    with a window; gates of MLPs that are clipped after their activation, layer by layer."""
    c.spelled(num_key_value_heads="num_attention_groups")
    c.only(gating=True, use_head_wise_attn_gate=True, use_qk_norm=True, use_moe=True, use_moe_router_bias=True)
    c.only(moe_router_activation="sigmoid", norm_expert_weight=True, use_bidirectional_attention=False)
    c.only(att_impl_type="GQA", yarn_only_types=["full_attention"], zero_centered=True, use_mfa=False)
    c.not_null("head_dim", "num_key_value_heads")
    c.ignore("hidden_act", "need_fp32_gate", "mtp_layer_types", "mtp_mlp_layer_types", "moe_layer_offset")
    c.data = {key: value for key, value in c.data.items() if key != "hidden_act"}  # the class knows silu alone
    d_model, n_layers = c.size("hidden_size", absent=4096), c.layers(absent=45)
    more = c.size("num_nextn_predict_layers", absent=0, least=0)
    predictors(c, "num_nextn_predict_layers", "num_mtp_layers")
    for key in ("layer_types", "mlp_layer_types", "swiglu_limits", "swiglu_limits_shared"):
        if isinstance(said := c.data.get(key), list) and more and len(said) == n_layers + more:
            c.data = c.data | {key: said[:n_layers]}
    norm = rms(c) | {"plus_one": True}
    kinds = layer_types(c, n_layers, ["full_attention"] * n_layers)
    attention, variations = varied("attention", _attentions(c, d_model, norm, kinds), kinds)
    mlps = _mlps(c, n_layers)
    mlp, others = varied("mlp", dict(enumerate(mlps)), range(n_layers))
    return dict(
        n_vocab=c.size("vocab_size", absent=128_815),
        n_ctx=c.size("max_position_embeddings", "max_seq_len", absent=128_000),
        d_model=d_model,
        n_layers=n_layers,
        attention=attention,
        mlp=mlp,
        variations=[*variations, *others],
        norm=norm,
        unembedding=tied(c, absent=False),
    )


def _attentions(c: Config, d_model: int, norm: Part, kinds: list[str]) -> dict[str, Part]:
    """The attention of each kind of layer."""
    full = heads(c, d_model, n_heads=64)
    n_heads, d_head = full["n_heads"], full["d_head"]
    sliding, window = _sliding_heads(c, full), c.size("sliding_window", absent=None, null=None)
    if window is None and "sliding_attention" in kinds:
        raise c.refusal("sliding_window", "missing, and it contradicts layer_types, where there are such layers")
    said = {str(at): {"num_attention_heads": sliding} for at, kind in enumerate(kinds) if kind == "sliding_attention"}
    listed = c.raw("per_layer_config", absent=None, null=None)
    if listed is not None and listed != (said if sliding != n_heads else {}) and listed != said:
        raise c.refusal("per_layer_config", "contradicts what the file says of the heads of layers with a window")
    wide = c.number("query_pre_attn_scalar", absent=None, null=None)
    on = c.flag("attention_bias", absent=False)
    full |= {
        "biases": biases(on, "query", "key", "value", "output"),
        "gate": True,
        "gate_of": "heads",
        "query_key_norm": norm,
    }
    full |= {} if wide is None else {"scale": _root(c, wide)}
    _tables(c, kinds)
    turned = {kind: rotary(c, d_head=d_head, partial=1.0, kind=kind) for kind in set(kinds)}
    found = {"full_attention": full, "sliding_attention": full | {"n_heads": sliding, "window": window}}
    return {kind: found[kind] | {"rotary": turned[kind]} for kind in set(kinds)}


def _root(c: Config, wide: float) -> float:
    if wide <= 0:
        raise c.refusal(
            "query_pre_attn_scalar", f"{wide!r}, of which there is no root to divide by; expected more than 0"
        )
    return float(wide**-0.5)


def _sliding_heads(c: Config, full: Part) -> int:
    """How many heads the layers with a window have."""
    other = c.table("attention_other_setting", absent=None, null=None)
    n_heads = c.size("num_sliding_attention_heads", absent=None, null=None)
    if other:
        said = other.size("num_attention_heads", absent=full["n_heads"])
        other.only(num_attention_groups=full["n_kv_heads"], head_dim=full["d_head"], true_head_dim=full["d_head"])
        other.only(attention_type="sliding_attention")
        if n_heads not in (None, said):
            raise c.refusal("num_sliding_attention_heads", f"{n_heads} contradicts attention_other_setting: {said}")
        n_heads = said
    n_heads = n_heads or full["n_heads"]
    if n_heads % full["n_kv_heads"]:
        raise c.refusal("num_key_value_heads", f"{full['n_kv_heads']} do not divide {n_heads} heads")
    return n_heads


def _tables(c: Config, kinds: list[str]) -> None:
    """Say of each kind of layer how it is turned, where the file lists it by layers: the first of a kind counts."""
    said = c.data.get("rope_parameters")
    if isinstance(said, dict) and all(isinstance(said.get(kind), dict) for kind in kinds):
        c.data = c.data | {"rope_parameters": {kind: said[kind] for kind in kinds}}
        c.ignore("rope_theta", "partial_rotary_factors", "rope_scaling", "partial_rotary_factor")
        c.data = {key: value for key, value in c.data.items() if key not in ("rope_theta", "rope_scaling")}
        return
    if said:
        raise c.refusal("rope_parameters", f"expected a table for each kind of layer: {', '.join(sorted(set(kinds)))}")
    theta, partial = c.raw("rope_theta", absent=10_000.0), c.raw("partial_rotary_factors", absent=None, null=None)
    scaling = c.raw("rope_scaling", absent=None, null=None) or {}
    tables: dict[str, Any] = {}
    for kind in set(kinds):
        tables[kind] = {"rope_theta": _of_first(c, "rope_theta", theta, kinds, kind)}
        if partial:
            tables[kind]["partial_rotary_factor"] = _of_first(c, "partial_rotary_factors", partial, kinds, kind)
        if kind == "full_attention" and isinstance(scaling, dict):
            tables[kind] |= scaling
    left = {key: value for key, value in c.data.items() if key not in ("rope_theta", "rope_scaling")}
    c.data = left | {"rope_parameters": tables}


def _of_first(c: Config, key: str, values: Any, kinds: list[str], kind: str) -> Any:
    """The value of the first layer of a kind, of a list of them; or the one of all."""
    if not isinstance(values, list):
        return values
    if len(values) < len(kinds):
        raise c.refusal(key, f"expected a number for each of {len(kinds)} layers")
    return values[kinds.index(kind)]


def _mlps(c: Config, n_layers: int) -> list[Part]:
    """The MLP of every layer."""
    act, on = activation(c, absent="silu"), c.flag("mlp_bias", absent=False)
    dense = gated(c.size("intermediate_size", absent=11_264), act, on)
    expert = gated(c.size("moe_intermediate_size", absent=1280), act)
    shared = gated(c.size("share_expert_dim", "share_expert_dims", absent=1280), act, on)
    n_experts = c.size("n_routed_experts", "moe_num_experts", absent=288)
    c.only(n_shared_experts=1)
    if "num_local_experts" in c.data and not {"n_routed_experts", "moe_num_experts"} & c.data.keys():
        why = f"missing, and the class passes over num_local_experts and takes {n_experts}; say both"
        raise c.refusal("n_routed_experts", why)
    c.only(num_local_experts=n_experts)
    mixture = {
        "kind": "mixture",
        "n_experts": n_experts,
        "n_experts_per_token": c.size("num_experts_per_tok", "moe_top_k", absent=8),
        "router_correction": "buffer",
        "scores": "sigmoid",
        "scale": c.number("moe_router_scaling_factor", absent=1.0),
    }
    limits, of_all = (_limits(c, key, n_layers) for key in ("swiglu_limits", "swiglu_limits_shared"))
    usual = ["sparse" if at in _enumerated(c, n_layers) else "dense" for at in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    return [
        mixture | {"expert": expert | limits[at], "shared": shared | of_all[at]}
        if types[at] == "sparse"
        else dense | of_all[at]
        for at in range(n_layers)
    ]


def _enumerated(c: Config, n_layers: int) -> set[int]:
    """The layers that have experts, by their numbers in a text or a list."""
    said = c.raw("moe_layers_enum", absent=None, null=None)
    if said is None:
        return set(range(3, n_layers))
    items = said.split(",") if isinstance(said, str) else said
    if not isinstance(items, list) or not all(str(item).strip().isdecimal() for item in items if str(item).strip()):
        raise c.refusal("moe_layers_enum", "expected the numbers of layers, with commas between them")
    return {int(item) for item in items if str(item).strip()}


def _limits(c: Config, key: str, n_layers: int) -> list[Part]:
    """What gates are clipped to in every layer; 0 and null are no limit."""
    said = c.raw(key, absent=None, null=None) or [None] * n_layers
    if not isinstance(said, list) or len(said) < n_layers:
        raise c.refusal(key, f"expected a number or null for each of {n_layers} layers")
    for limit in said:
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 0):
            raise c.refusal(key, f"{limit!r}: expected a number of at least 0, or null")
    return [{"limit": float(limit), "limits": "activated"} if limit else {} for limit in said[:n_layers]]


READERS = {"step3p5": step3p5}
TABLES = {"step3p5": STEP}


DEFAULTS: Defaults = {
    "step3p5": dict(head_dim=128, num_key_value_heads=8, rms_norm_eps=1e-5),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
