"""Gemma 4: Gemma 3 whose full layers have wider heads, and perhaps values that are keys, experts and embeddings of
every layer."""

from __future__ import annotations

from gptcount.families.common import Part, activation, every, gated, layer_types, rms, rotary, tied, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.gemma import NAMES as GEMMA
from gptcount.families.gemma import cap
from gptcount.families.gemma3n import PER_LAYER, normed_heads, per_layer_embedding, shared

NAMES = f"""{GEMMA}{PER_LAYER}
layer_scalar               model.layers.{{}}.layer_scalar[|]                  1
mlp.shared.gate            model.layers.{{}}.mlp.gate_proj                    |, d_model
mlp.shared.up              model.layers.{{}}.mlp.up_proj                      |, d_model
mlp.shared.down            model.layers.{{}}.mlp.down_proj                    d_model, |
mlp.shared_output_norm     model.layers.{{}}.post_feedforward_layernorm_1     |
mlp.router                 model.layers.{{}}.router.proj                      |, d_model
mlp.router_norm            model.layers.{{}}.router.scale[|]                  |
mlp.experts.scale          model.layers.{{}}.router.per_expert_scale[|]       |
mlp.experts_norm           model.layers.{{}}.pre_feedforward_layernorm_2      |
mlp.experts.gate+up        model.layers.{{}}.experts.gate_up_proj[|]          n_experts, |, d_model
mlp.experts.down           model.layers.{{}}.experts.down_proj[|]             n_experts, d_model, |
mlp.experts_output_norm    model.layers.{{}}.post_feedforward_layernorm_2     |
"""

ROTARY = {
    "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
    "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1_000_000.0},
}
"""The rotary positions of a file that says nothing of them."""


def gemma4(c: Config) -> Part:
    """Gemma 4 (the model card; modeling_gemma4.py)."""
    d_model, n_layers = c.size("hidden_size", absent=2304), c.layers(absent=30)
    norm, act = rms(c), activation(c, "hidden_activation", absent="gelu_pytorch_tanh")
    types = layer_types(c, n_layers, every(n_layers, 6))
    types = [*types[:-1], "full_attention"]
    kinds, which = shared(attentions(c, d_model, norm, types), types, c, 0)
    attention, variations = varied("attention", kinds, which)
    d_ff = c.size("intermediate_size", absent=9216)
    wide = 2 * d_ff if c.flag("use_double_wide_mlp", absent=False) else d_ff
    blocks = {late: mixture(c, d_model, gated(width, act), norm) for late, width in ((False, d_ff), (True, wide))}
    mlp, of_mlp = varied("mlp", blocks, [late for _, late in which])
    c.ignore("vocab_size_per_layer_input")
    beside = c.size("hidden_size_per_layer_input", absent=256, least=0)
    return dict(
        n_vocab=c.size("vocab_size", absent=262_144),
        n_ctx=c.size("max_position_embeddings", absent=131_072),
        d_model=d_model,
        n_layers=n_layers,
        embedding={"scale": "sqrt(d_model)"},
        **({"per_layer_embedding": per_layer_embedding(c, norm, act)} if beside else {}),
        attention=attention,
        mlp=mlp,
        norm=norm,
        residual="sandwich",
        layer_scalar=True,
        variations=[*variations, *of_mlp],
        unembedding=tied(c, absent=True) | cap(c, "final_logit_softcapping", None),
    )


def gemma4_unified(c: Config) -> Part:
    """Gemma 4 Unified (modeling_gemma4_unified.py): no experts, and no embeddings of every layer."""
    c.only(hidden_size_per_layer_input=0, enable_moe_block=False)
    return gemma4(c)


def attentions(c: Config, d_model: int, norm: Part, types: list[str]) -> dict[str, Part]:
    """The attention of the layers with a window, and that of the others, whose heads differ: as the file lists them
    layer by layer, or by keys of their own."""
    if c.data.get("rope_parameters") is None:
        c.data = {**c.data, "rope_parameters": ROTARY}
    block, listed = normed_heads(c, d_model, norm, n_kv_heads=4), of_full_layers(c, types)
    window = c.size("sliding_window", absent=512)
    everyone = c.word("use_bidirectional_attention", among=("all", "vision"), absent=None, null=None) == "all"
    c.only(is_causal=not everyone)
    if everyone:
        block, window = block | {"bidirectional": True}, window // 2 + 1
    sliding = block | {"window": window, "rotary": rotary(c, d_head=block["d_head"], kind="sliding_attention")}
    full = block | {"d_head": c.size("global_head_dim", absent=512)}
    n_kv_heads = c.size("num_global_key_value_heads", absent=None, null=None) or block["n_kv_heads"]
    if c.flag("attention_k_eq_v", absent=False):
        full |= {"value_is_key": True, "n_kv_heads": n_kv_heads}
        full["biases"] = [name for name in block["biases"] if name != "value"]
    if listed is not None:
        full |= {
            "d_head": listed.size("head_dim", absent=block["d_head"]),
            "n_kv_heads": listed.size("num_key_value_heads", absent=block["n_kv_heads"]),
        }
        listed.finish()
    full["rotary"] = rotary(c, d_head=full["d_head"], kind="full_attention")
    return {"sliding_attention": sliding, "full_attention": full}


def of_full_layers(c: Config, types: list[str]) -> Config | None:
    """What ``per_layer_config`` says of the layers without a window, the same for each, and of no other."""
    if (said := c.table("per_layer_config", absent=None, null=None)) is None:
        return None
    full = {index for index, kind in enumerate(types) if kind == "full_attention"}
    if not all(layer.isdecimal() and isinstance(keys, dict) for layer, keys in said.data.items()):
        raise c.refusal("per_layer_config", "expected an object for each layer that differs, by its number")
    said.ignore(*said.data)
    listed = {int(layer): keys for layer, keys in said.data.items() if keys}
    alike = [keys for keys in listed.values() if keys == next(iter(listed.values()))]
    if listed and (listed.keys() != full or len(alike) < len(listed)):
        raise c.refusal("per_layer_config", "other than one and the same for all full_attention layers")
    return Config(alike[0] if alike else {}, f"{c.origin}: per_layer_config")


def mixture(c: Config, d_model: int, mlp: Part, norm: Part) -> Part:
    """The MLP of a layer or, where the file enables it, the MLP and experts beside it, with norms of their own."""
    c.only(expert_intermediate_size=None)
    if not c.flag("enable_moe_block", absent=False):
        c.ignore("num_experts", "top_k_experts", "moe_intermediate_size")
        return mlp
    return {
        "kind": "mixture",
        "n_experts": c.size("num_experts"),
        "n_experts_per_token": c.size("top_k_experts"),
        "expert": gated(c.size("moe_intermediate_size"), mlp["activation"]),
        "expert_scales": True,
        "shared": mlp,
        "own_norms": norm,
        "router_norm": norm,
        "router_scale": d_model**-0.5,
    }


READERS = {"gemma4_text": gemma4, "gemma4_unified_text": gemma4_unified}
TABLES = dict.fromkeys(READERS, NAMES)


DEFAULTS: Defaults = {
    "gemma4_unified_text": dict(max_position_embeddings=262_144, sliding_window=1024),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
