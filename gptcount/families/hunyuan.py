"""Hunyuan: Llama with norms on turned queries and keys, and its mixture (Tencent 2025); and Hy3."""

from __future__ import annotations

from gptcount.families.common import Part, attending, gated, mixed, predictors, renamed, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS, NAMES, decoder

HUNYUAN = """
attention.query_norm  model.layers.{}.self_attn.query_layernorm         |
attention.key_norm    model.layers.{}.self_attn.key_layernorm           |
mlp.router            model.layers.{}.mlp.gate.wg                       |, d_model
mlp.shared.gate       model.layers.{}.mlp.shared_mlp.gate_proj          |, d_model
mlp.shared.up         model.layers.{}.mlp.shared_mlp.up_proj            |, d_model
mlp.shared.down       model.layers.{}.mlp.shared_mlp.down_proj          d_model, |
"""

HY_V3 = """
mlp.router            model.layers.{}.mlp.router.gate                   |, d_model
mlp.router.correction  model.layers.{}.mlp.expert_bias[|]               |
mlp.shared.gate       model.layers.{}.mlp.shared_mlp.gate_proj          |, d_model
mlp.shared.up         model.layers.{}.mlp.shared_mlp.up_proj            |, d_model
mlp.shared.down       model.layers.{}.mlp.shared_mlp.down_proj          d_model, |
"""

WITHOUT_BEARING = (
    "cla_share_factor dense_list org_vocab_size pool_type moe_drop_tokens moe_random_routing_dropped_token "
    "num_media_embeds mask_init_id skip_cls_token pad_id im_start_id im_end_id im_newline_id image_token_id "
    "text_start_id text_end_id video_start_id video_end_id"
)


def hunyuan_v1_dense(c: Config) -> Part:
    """Hunyuan dense (modeling_hunyuan_v1_dense.py): norms on queries and keys after they are turned."""
    c.only(num_experts=1, moe_topk=1, num_shared_expert=1, moe_layer_num_skipped=0)
    c.ignore("moe_intermediate_size", "use_mixed_mlp_moe", "norm_topk_prob")
    return _hunyuan(c)


def hunyuan_v1_moe(c: Config) -> Part:
    """Hunyuan with experts (arXiv:2411.02265; modeling_hunyuan_v1_moe.py): on every layer, each as wide as the one that
    all tokens share; the number of experts a token visits may differ by layer."""
    model = _hunyuan(c)
    n_layers, d_ff = model["n_layers"], model["mlp"]["d_ff"]
    for key, width in {"moe_intermediate_size": d_ff, "num_shared_expert": 1}.items():
        if c.raw(key, absent=None, null=None) is not None and set(_each(c, n_layers, key)) != {width}:
            raise c.refusal(key, f"every expert, and the one shared expert of each layer, is {d_ff} wide here")
    c.only(use_mixed_mlp_moe=True, moe_layer_num_skipped=0, norm_topk_prob=True)
    n_experts = c.size("num_experts", "num_local_experts", absent=1)
    chosen = _each(c, n_layers, "moe_topk", "num_experts_per_tok")
    mixture = {"kind": "mixture", "n_experts": n_experts, "expert": model["mlp"], "shared": model["mlp"]}
    mixtures = {n: {**mixture, "n_experts_per_token": n} for n in chosen}
    mlp, variations = varied("mlp", mixtures, chosen)
    return {**model, "mlp": mlp, "variations": variations}


def _hunyuan(c: Config) -> Part:
    c.assume(vocab_size=290943, rms_norm_eps=1e-5)
    c.assume(head_dim=c.size("head_dim", "attention_head_dim"))
    c.only(mlp_bias=False, use_qk_norm=True, use_cla=False, use_mla=False, use_rotary_pos_emb=True)
    c.only(kv_lora_rank=None, q_lora_rank=None, qk_nope_head_dim=None, qk_rope_head_dim=None, v_head_dim=None)
    c.only(add_classification_head=False, class_num=0, position_embedding_xdrope=False, group_limited_greedy=False)
    for key in ("n_group", "topk_group", "routed_scaling_factor"):
        if c.data.get(key) not in (None, False, 1):
            raise c.refusal(key, "experts are neither grouped nor scaled in this family")
        c.ignore(key)
    c.word("norm_type", among=("rms", "hf_rms", "fused"), absent="rms", null="rms")
    c.ignore(*WITHOUT_BEARING.split())
    model = decoder(c)
    attention = model["attention"]
    norm = {**model["norm"], "after_rotary": True}
    return attending(model, query_key_norm=norm, rotary=_stretched(c, attention["rotary"], attention["d_head"]))


def _stretched(c: Config, rotary: Part, d_head: int) -> Part:
    """Rotary positions whose base ``alpha`` stretches, the same at all lengths: what these files call dynamic."""
    said = c.table("rope_parameters", absent=None, null=None) or c.table("rope_scaling", absent=None, null=None)
    alpha = said.number("alpha", absent=None, null=None) if said else None
    if not alpha or rotary.get("scaling", {}).get("kind") != "dynamic":
        return rotary
    if alpha < 0 or d_head < 3:
        raise c.refusal("alpha", f"{alpha} cannot stretch the positions of a head of {d_head}")
    return {"base": rotary["base"] * alpha ** (d_head / (d_head - 2))}


def _each(c: Config, n_layers: int, *keys: str) -> list[int]:
    """A number for every layer: one for all, or a list."""
    said = c.raw(*keys, absent=1)
    listed = said if isinstance(said, list) else [said] * n_layers
    if len(listed) != n_layers or any(type(n) is not int or n < 1 for n in listed):
        raise c.refusal(keys[0], f"expected a whole number, or a list of {n_layers}, one a layer")
    return listed


def hy_v3(c: Config) -> Part:
    """Hy3 (modeling_hy_v3.py): norms of queries and keys, a dense layer first, and then experts that are scored by
    sigmoids and corrected; without shared experts, what all tokens share is as wide as a dense layer."""
    c.not_null("head_dim", "num_key_value_heads")
    c.ignore("enable_moe_fp32_combine")
    predictors(c)
    model = decoder(c)
    model = attending(model, query_key_norm=model["norm"])
    mlp, n_layers = model["mlp"], model["n_layers"]
    width = c.size("moe_intermediate_size", absent=1536)
    shared = width * c.size("num_shared_experts", absent=1, least=0)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", "num_local_experts", absent=192),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=8),
        "expert": gated(width, mlp["activation"]),
        "shared": mlp | ({"d_ff": shared} if shared else {}),
        "router_correction": "buffer",
        "scores": "sigmoid",
        "normalize": True,
        "scale": c.number("router_scaling_factor", absent=2.826),
    }
    usual = ["sparse" if index else "dense" for index in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    return mixed(model, mixture, [word == "sparse" for word in types])


READERS = {"hunyuan_v1_dense": hunyuan_v1_dense, "hunyuan_v1_moe": hunyuan_v1_moe, "hy_v3": hy_v3}
TABLES = dict.fromkeys(READERS, renamed(NAMES + EXPERTS, HUNYUAN)) | {"hy_v3": renamed(NAMES + EXPERTS, HY_V3)}


DEFAULTS: Defaults = {
    "hy_v3": dict(
        vocab_size=120_832,
        hidden_size=4096,
        intermediate_size=13_312,
        num_hidden_layers=80,
        head_dim=128,
        num_attention_heads=64,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        rope_theta=11_158_840.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
