"""Laguna (poolside 2026): heads whose number differs by layer, each with a gate, and corrected experts; Mellum 2."""

from __future__ import annotations

from gptcount.families.common import Part, gated, layer_types, predictors, renamed, rotary, slotted
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS, decoder
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA + EXPERTS,
    """
attention.gate        model.layers.{}.self_attn.g_proj                         |, d_model
mlp.router.correction  model.layers.{}.mlp.experts.e_score_correction_bias[|]  |
mlp.shared.gate       model.layers.{}.mlp.shared_expert.gate_proj              |, d_model
mlp.shared.up         model.layers.{}.mlp.shared_expert.up_proj                |, d_model
mlp.shared.down       model.layers.{}.mlp.shared_expert.down_proj              d_model, |
""",
)


def laguna(c: Config) -> Part:
    """Laguna (modeling_laguna.py): windows and rotary positions by kind of layer; gates go through a softplus."""
    c.not_null("head_dim", "num_key_value_heads", "sliding_window")
    c.only(mlp_bias=False, moe_apply_router_weight_on_input=False)
    n_layers = c.layers(absent=40)
    which = layer_types(c, n_layers, ["full_attention"] * n_layers, tuple(BASES))
    _of_kinds(c)
    model = decoder(c)
    each = c.raw("num_attention_heads_per_layer", absent=None, null=None)
    each = [model["attention"]["n_heads"]] * n_layers if each is None else each
    if not isinstance(each, list) or len(each) != n_layers or any(type(n) is not int for n in each):
        raise c.refusal("num_attention_heads_per_layer", f"expected a list of {n_layers} whole numbers, one a layer")
    gate = c.raw("gating", absent=True)
    gate_of = {"gate_of": "heads"} if gate is True or gate == "per-head" else {}
    attention = model["attention"] | {"query_key_norm": model["norm"], "gate": True, "gate_activation": "softplus"}
    window, d_head = c.size("sliding_window", absent=512), attention["d_head"]
    turned = _turned(c, d_head, 0.5)
    attentions: dict[tuple[str, int], Part] = {
        (kind, n): attention
        | gate_of
        | _of_heads(c, attention, n)
        | {"rotary": turned[kind]}
        | ({"window": window} if kind == "sliding_attention" else {})
        for kind, n in zip(which, each, strict=True)
    }
    usual = ["sparse" if index else "dense" for index in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    mlps = {"dense": model["mlp"], "sparse": _mixture(c, model["mlp"])}
    places = list(zip(which, each, types, strict=True))
    kinds = {place: {"attention": attentions[place[:2]], "mlp": mlps[place[2]]} for place in places}
    return {**model, **slotted(kinds, places)}


def mellum(c: Config) -> Part:
    """Mellum 2 (JetBrains; modeling_mellum.py): Qwen3 with experts, windows and rotary positions by kind of layer."""
    c.not_null("head_dim", "num_key_value_heads")
    c.only(mlp_bias=False)
    predictors(c, "num_mtp_layers", "num_nextn_predict_layers")
    c.ignore("mtp_layer_types", "mtp_mlp_layer_types")
    n_layers = c.layers(absent=28)
    which = layer_types(c, n_layers, ["full_attention"] * n_layers, tuple(BASES))
    _of_kinds(c)
    model = decoder(c)
    window = c.size("sliding_window", absent=1024, null=None)
    if window is None and "sliding_attention" in which:
        raise c.refusal("sliding_window", "null, and some layers look into a window")
    attention = model["attention"] | {"query_key_norm": model["norm"]}
    turned = _turned(c, attention["d_head"], None)
    if any("d_rotary" in part for part in turned.values()):
        raise c.refusal("rope_parameters", "partial_rotary_factor: whole heads are turned in this family")
    attentions = {kind: attention | {"rotary": turned[kind]} for kind in BASES}
    attentions["sliding_attention"]["window"] = window
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", "num_local_experts", absent=64),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=8),
        "expert": gated(c.size("moe_intermediate_size", absent=896), model["mlp"]["activation"]),
        "normalize": c.flag("norm_topk_prob", absent=True),
    }
    types = c.words(
        "mlp_layer_types", n_layers, ("dense", "sparse"), absent=["sparse"] * n_layers, null=["sparse"] * n_layers
    )
    mlps = {"dense": model["mlp"], "sparse": mixture}
    places = list(zip(which, types, strict=True))
    kinds = {place: {"attention": attentions[place[0]], "mlp": mlps[place[1]]} for place in places}
    return {**model, **slotted(kinds, places)}


BASES = {"full_attention": 500_000.0, "sliding_attention": 10_000.0}
"""The base of the rotary positions of each kind of layer, where a file has none."""


def _of_kinds(c: Config) -> None:
    """Rotary positions are said for each kind of layer, or not at all. Raises InputError where they are not."""
    for key in ("rope_theta", "rope_scaling", "partial_rotary_factor"):
        if c.has(key):
            raise c.refusal(key, "this family reads rope_parameters, for each kind of layer")
    said = c.data.get("rope_parameters")
    if said is not None and not (isinstance(said, dict) and said.keys() == BASES.keys()):
        raise c.refusal("rope_parameters", f"expected a table for each kind of layer: {', '.join(BASES)}")


def _turned(c: Config, d_head: int, usual: float | None) -> dict[str, Part]:
    """The rotary positions of each kind; ``usual`` is the part of a head that full attention turns where no file says
    anything."""
    partial = {"full_attention": usual if c.data.get("rope_parameters") is None else 1.0, "sliding_attention": 1.0}
    return {kind: rotary(c, base=BASES[kind], d_head=d_head, partial=partial[kind], kind=kind) for kind in BASES}


def _of_heads(c: Config, attention: Part, n_heads: int) -> Part:
    """So many heads in a layer, each key and value head for as many of them."""
    n_kv_heads: int = attention.get("n_kv_heads") or attention["n_heads"]
    if n_heads < 1 or n_heads % n_kv_heads:
        raise c.refusal("num_attention_heads_per_layer", f"{n_heads} is not a multiple of {n_kv_heads} key heads")
    return {"n_heads": n_heads, "n_kv_heads": n_kv_heads}


def _mixture(c: Config, mlp: Part) -> Part:
    return {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=256),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=8),
        "expert": gated(c.size("moe_intermediate_size", absent=512), mlp["activation"]),
        "shared": mlp | {"d_ff": c.size("shared_expert_intermediate_size", absent=512)},
        "router_correction": "parameter",
        "router_softcap": c.number("moe_router_logit_softcapping", absent=0.0) or None,
        "scores": "sigmoid",
        "scale": c.number("moe_routed_scaling_factor", absent=1.0),
    }


READERS = {"laguna": laguna, "mellum": mellum}
TABLES = {"laguna": NAMES, "mellum": LLAMA + EXPERTS}


DEFAULTS: Defaults = {
    "laguna": dict(
        vocab_size=100_352,
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=40,
        head_dim=128,
        num_attention_heads=48,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
    ),
    "mellum": dict(
        vocab_size=98_304,
        hidden_size=2304,
        intermediate_size=7168,
        num_hidden_layers=28,
        head_dim=128,
        num_attention_heads=32,
        num_key_value_heads=4,
        max_position_embeddings=131_072,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
