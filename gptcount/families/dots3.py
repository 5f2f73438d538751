"""dots3-note, whose latent attention has layers with an indexer and, of other sizes, layers with a window."""

from __future__ import annotations

from typing import Any

from gptcount.architecture import Architecture
from gptcount.families.common import Part, activation, biases, gated, predictors, renamed, rms, rotary, tied, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.deepseek import corrected, listed, names

DOTS3 = """
attention.key_rotary_norm    model.layers.{}.self_attn.k_rope_only_layernorm    |
attention.gate               model.layers.{}.self_attn.g_proj                   |, d_model
"""

KINDS = ("full_attention", "indexed_attention", "sliding_attention")

SIZES = {
    "num_attention_heads": (128, 64),
    "num_key_value_heads": (128, 64),
    "q_lora_rank": (1024, 1024),
    "kv_lora_rank": (512, 1024),
    "head_dim": (256, 256),
    "qk_nope_head_dim": (128, 192),
    "v_head_dim": (128, 128),
    "qk_rope_head_dim": (64, None),
}
"""The sizes of attention, with what they are if absent: of most layers, and of those with a window (``swa_``)."""


def names_dots3(architecture: Architecture) -> str:
    """The names of a checkpoint."""
    return renamed(names(architecture), DOTS3)


def dots3_note(c: Config) -> Part:
    """The language model of dots3-note (modeling_dots3_note.py): DeepSeek-V3.2 with a norm of the rotated key, scaled
    latent vectors, a gate for each head, and layers with a window that have sizes of their own."""
    c.only(mlp_bias=False, rope_interleave=True)
    c.not_null("q_lora_rank", "n_group", "topk_group", "norm_topk_prob", "n_shared_experts")
    c.ignore("partial_rotary_factor")
    predictors(c, "num_nextn_predict_layers", "num_mtp_layers")
    d_model, n_layers = c.size("hidden_size", absent=5120), c.layers(absent=46)
    c.ignore(*(f"swa_{key}" for key in SIZES))  # where no layer has a window
    norm, kinds = rms(c, absent=1e-5), _kinds(c, n_layers)
    common = {key: c.size(key, absent=absent) for key, (absent, _) in SIZES.items()}
    found = {
        kind: _attention(c, kind, sizes, d_model, norm)
        for kind in sorted(set(kinds))
        for sizes in [_sliding(c, common, kinds) if kind == "sliding_attention" else common]
    }
    attention, variations = varied("attention", found, kinds)
    model: Part = dict(
        n_vocab=c.size("vocab_size", absent=152_064),
        n_ctx=c.size("max_position_embeddings", absent=524_288),
        d_model=d_model,
        n_layers=n_layers,
        attention=attention,
        mlp=gated(c.size("intermediate_size", absent=13_824), activation(c, absent="silu")),
        variations=variations,
        norm=norm,
        unembedding=tied(c, absent=False),
    )
    _passed_over(c, n_layers)
    mixture = corrected(c, model)
    width = c.size("moe_shared_expert_intermediate_size", "shared_experts_intermediate_size", absent=1536)
    if not (n_shared := c.size("n_shared_experts", absent=1, least=0)):
        raise c.refusal("n_shared_experts", "0; expected at least one")
    return listed(c, model, mixture | {"shared": model["mlp"] | {"d_ff": n_shared * width}})


def _kinds(c: Config, n_layers: int) -> list[str]:
    """The kind of each layer. Older files call a layer with an indexer ``full_attention`` and say ``use_dsa``."""
    indexed = c.flag("use_dsa", absent=None if c.has("per_layer_config") else True, null=None)
    windows = c.flag("use_sliding_window", absent=True)
    window, full = "sliding_attention", "full_attention" if indexed is False else "indexed_attention"
    usual = [full if not windows or at < 2 or at % 4 == 1 else window for at in range(n_layers)]
    types = c.words("layer_types", n_layers, KINDS, absent=usual, null=usual)
    if indexed is None:
        return types
    return [kind if kind == window else full for kind in types]


def _sliding(c: Config, common: dict[str, int], kinds: list[str]) -> dict[str, int]:
    """The sizes of the layers with a window: as today's files say layer by layer, or as older ones."""
    where = {at for at, kind in enumerate(kinds) if kind == "sliding_attention"}
    listed = c.raw("per_layer_config", absent=None, null=None)
    if listed is not None:
        if not isinstance(listed, dict) or any(not isinstance(keys, dict) for keys in listed.values()):
            raise c.refusal("per_layer_config", "expected an object for each layer that differs")
        said = list(listed.values())
        if {str(at) for at in where} != set(listed) or any(keys != said[0] for keys in said):
            raise c.refusal(
                "per_layer_config", "contradicts layer_types: expected the same for each layer with a window"
            )
        own = Config(said[0], f"{c.origin}: per_layer_config")
        sizes = {key: own.size(key, absent=size) for key, size in common.items()}
        own.finish()
    else:
        sizes = {key: c.size(f"swa_{key}", absent=usual) for key, (_, usual) in SIZES.items() if usual}
        rest = sizes["head_dim"] - sizes["qk_nope_head_dim"]
        sizes["qk_rope_head_dim"] = c.size("swa_qk_rope_head_dim", absent=rest)
    if sizes["head_dim"] != sizes["qk_nope_head_dim"] + sizes["qk_rope_head_dim"]:
        raise c.refusal("swa_head_dim", "contradicts qk_nope_head_dim and qk_rope_head_dim, whose sum it is")
    return sizes


def _attention(c: Config, kind: str, sizes: dict[str, int], d_model: int, norm: Part) -> Part:
    d_rotary, d_head = sizes["qk_rope_head_dim"], sizes["head_dim"]
    if sizes["num_key_value_heads"] != sizes["num_attention_heads"]:
        raise c.refusal("num_key_value_heads", f"contradicts num_attention_heads = {sizes['num_attention_heads']}")
    if int(d_head * (d_rotary / d_head)) != d_rotary or d_rotary % 2:
        raise c.refusal("qk_rope_head_dim", f"{d_rotary} numbers of {d_head} do not make pairs that the class turns")
    turned = _rotary(c, kind, d_rotary)
    window = c.size("sliding_window", "sliding_window_size", absent=512, null=512)
    index = {
        "n_index_heads": c.size("index_n_heads", absent=64),
        "d_index_head": c.size("index_head_dim", absent=128),
        "n_chosen": c.size("index_topk", absent=2048),
        "rotary": turned | {"d_rotary": d_rotary},
        "norm": {"kind": "layer", "bias": True, "eps": 1e-6},
    }
    return {
        "kind": "latent",
        "n_heads": sizes["num_attention_heads"],
        "d_query_latent": sizes["q_lora_rank"],
        "d_kv_latent": sizes["kv_lora_rank"],
        "d_nope": sizes["qk_nope_head_dim"],
        "d_rotary": d_rotary,
        "d_value": sizes["v_head_dim"],
        "norm": norm,
        "key_rotary_norm": True,
        "biases": biases(c.flag("attention_bias", absent=False), "query_down", "kv_down", "output"),
        "rotary": turned,
        "query_scale": (d_model / sizes["q_lora_rank"]) ** 0.5,
        "kv_scale": (d_model / sizes["kv_lora_rank"]) ** 0.5,
        "gate": "heads",
        **({"indexer": index} if kind == "indexed_attention" else {}),
        **({"window": window} if kind == "sliding_attention" else {}),
    }


def _rotary(c: Config, kind: str, d_rotary: int) -> Part:
    """Rotary positions of a kind of layer; how many numbers are turned follows from the heads."""
    sliding, said = kind == "sliding_attention", c.data.get("rope_parameters") or c.data.get("rope_scaling")
    c.ignore("swa_rope_theta", "rope_theta")
    if isinstance(said, dict):
        said = {key: without(each) for key, each in said.items() if key != "partial_rotary_factor"}
        if kind in said:
            said = {kind: said[kind]}
        elif set(KINDS) & said.keys():
            raise c.refusal("rope_parameters", f"{kind}: missing")
        theta = "rope_theta"
    else:
        said, theta = {}, "swa_rope_theta" if sliding else "rope_theta"
    own = Config({"rope_parameters": said, **{theta: c.data[theta] for theta in [theta] if theta in c.data}}, c.origin)
    own.taken = {"max_position_embeddings": c.size("max_position_embeddings", absent=524_288)}
    c.ignore("rope_parameters", "rope_scaling")
    base = 50_000.0 if theta == "swa_rope_theta" else 80_000_000.0
    found = rotary(own, base=base, d_head=d_rotary, kind=kind, interleaved=True, theta=theta)
    for table in own.tables.values():
        table.finish()
    return found


def without(said: Any) -> Any:
    """A table without the share of a head that is turned, which the class reckons itself."""
    return (
        {key: each for key, each in said.items() if key != "partial_rotary_factor"} if isinstance(said, dict) else said
    )


def _passed_over(c: Config, n_layers: int) -> None:
    """Say of each layer whether it has a mixture, where older files give a period or a list of flags."""
    first, said = c.size("first_k_dense_replace", absent=1, least=0), c.raw("moe_layer_freq", absent=1)
    flags = (
        said
        if isinstance(said, list)
        else [at % said == 0 if type(said) is int and said else None for at in range(n_layers)]
    )
    if len(flags) < n_layers or any(flag not in (0, 1) for flag in flags):
        raise c.refusal("moe_layer_freq", f"expected a number of at least 1, or 0 or 1 for each of {n_layers} layers")
    usual = ["sparse" if at >= first and flags[at] else "dense" for at in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    c.data = {key: value for key, value in c.data.items() if key != "moe_layer_freq"} | {"mlp_layer_types": types}


READERS = {"dots3_note_text": dots3_note}
TABLES = {"dots3_note_text": names_dots3}


DEFAULTS: Defaults = {
    "dots3_note_text": dict(moe_intermediate_size=1536, routed_scaling_factor=1.0, n_group=1, topk_group=1),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
