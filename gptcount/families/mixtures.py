"""Mixtures of experts behind attention of their own: MiniMax-M2, MiMo-V2-Flash, Trinity, gpt-oss, DBRX, Aria."""

from __future__ import annotations

from gptcount.families.common import (
    Part,
    activation,
    attending,
    biases,
    every,
    gated,
    layer_types,
    mixed,
    predictors,
    renamed,
    rms,
    rotary,
    varied,
    windowed,
)
from gptcount.families.config import Config, Defaults
from gptcount.families.deepseek import CORRECTION, WANTED, corrected
from gptcount.families.llama import EXPERTS, MIXTRAL, decoder
from gptcount.families.llama import NAMES as LLAMA

MINIMAX = """
mlp.router.correction  model.layers.{}.block_sparse_moe.e_score_correction_bias[|]  |
"""

MIMO = """
attention.sinks        model.layers.{}.self_attn.attention_sink_bias[|]             |
"""

AFMOE = renamed(
    LLAMA + EXPERTS,
    """
attention.gate         model.layers.{}.self_attn.gate_proj                |, d_model
attention_output_norm  model.layers.{}.post_attention_layernorm           |
mlp_norm               model.layers.{}.pre_mlp_layernorm                  |
mlp_output_norm        model.layers.{}.post_mlp_layernorm                 |
mlp.router             model.layers.{}.mlp.router.gate                    |, d_model
mlp.router.correction  model.layers.{}.mlp.expert_bias[|]                 |
""",
)

GPT_OSS = """
attention.sinks        model.layers.{}.self_attn.sinks[|]                 |
mlp.router             model.layers.{}.mlp.router                         |, d_model
mlp.experts.gate+up    model.layers.{}.mlp.experts.gate_up_proj[|_bias]   n_experts, d_model, d_ff*|
mlp.experts.down       model.layers.{}.mlp.experts.down_proj[|_bias]      n_experts, d_ff, |
"""

ARIA = """
mlp.router             model.layers.{}.mlp.router                         |, d_model
mlp.experts.gate+up    model.layers.{}.mlp.experts.fc1                    n_experts, d_model, |
mlp.experts.down       model.layers.{}.mlp.experts.fc2                    n_experts, |, d_model
mlp.shared.gate        model.layers.{}.mlp.shared_experts.gate_proj       |, d_model
mlp.shared.up          model.layers.{}.mlp.shared_experts.up_proj         |, d_model
mlp.shared.down        model.layers.{}.mlp.shared_experts.down_proj       d_model, |
"""

DBRX = """
embedding.token            transformer.wte                                      |, d_model
attention_norm             transformer.blocks.{}.norm_attn_norm.norm_1          |
attention.query+key+value  transformer.blocks.{}.norm_attn_norm.attn.Wqkv       |, d_model
attention.output           transformer.blocks.{}.norm_attn_norm.attn.out_proj   d_model, |
mlp_norm                   transformer.blocks.{}.norm_attn_norm.norm_2          |
mlp.router                 transformer.blocks.{}.ffn.router.layer               |, d_model
mlp.experts.gate           transformer.blocks.{}.ffn.experts.mlp.w1[|]          |, d_model
mlp.experts.up             transformer.blocks.{}.ffn.experts.mlp.v1[|]          |, d_model
mlp.experts.down           transformer.blocks.{}.ffn.experts.mlp.w2[|]          |, d_model
final_norm                 transformer.norm_f                                   |
unembedding.token          lm_head                                              |, d_model
"""


def minimax_m2(c: Config) -> Part:
    """MiniMax-M2 (modeling_minimax_m2.py): norms of all queries and of all keys at once; attention in every layer."""
    c.only(attention_bias=False, mlp_bias=False, use_qk_norm=True, qk_norm_type="per_layer", use_routing_bias=True)
    c.only(scoring_func="sigmoid", shared_intermediate_size=0, layernorm_full_attention_beta=1.0)
    c.only(layernorm_mlp_beta=1.0, layernorm_linear_attention_beta=1.0, postnorm=False)
    c.not_null("head_dim", "num_key_value_heads", "partial_rotary_factor")
    c.ignore("shared_moe_mode", "mlp_intermediate_size", "mtp_transformer_layers", "router_jitter_noise", "use_mtp")
    c.only(sliding_window=None)
    predictors(c, "num_mtp_modules")
    d_head = c.size("head_dim")
    c.assume(partial_rotary_factor=c.size("rotary_dim", absent=d_head, null=d_head) / d_head)
    model = decoder(c)
    c.only(attn_type_list=[1] * model["n_layers"])
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", "num_experts", absent=256),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=8),
        "expert": model["mlp"],
        "router_correction": "buffer",
        "scores": "sigmoid",
    }
    return {**attending(model, query_key_norm={**model["norm"], "over": "all-heads"}), "mlp": mixture}


def mimo_v2_flash(c: Config) -> Part:
    """MiMo-V2-Flash (arXiv:2601.02780; modeling_mimo_v2_flash.py): layers with a window have twice the key/value heads,
    and sinks. The ``swa_`` keys of older files must say so too."""
    c.only(mlp_bias=False, n_shared_experts=0, add_swa_attention_sink_bias=True, add_full_attention_sink_bias=False)
    c.not_null("head_dim", *WANTED)
    c.ignore("attention_chunk_size")
    c.data = {key: value for key, value in c.data.items() if (key, value) != ("routed_scaling_factor", None)}
    norm = rms(c, absent=1e-5)
    c.only(layernorm_epsilon=norm["eps"])
    if c.data.get("rope_parameters") is None:
        c.only(rope_theta=5_000_000.0, swa_rope_theta=10_000.0, partial_rotary_factor=0.334)
    model = decoder(c, norm)
    n_layers, d_head, d_value = model["n_layers"], model["attention"]["d_head"], c.size("v_head_dim", absent=128)
    full = model["attention"] | {
        "biases": biases("query" in model["attention"]["biases"], "query", "key", "value"),
        "d_value": d_value,
        "value_scale": c.number("attention_value_scale", absent=0.707, null=1.0),
        "rotary": rotary(c, d_head=d_head, kind="full_attention"),
    }
    before = c.size("sliding_window_size", absent=None, null=None)
    sliding = full | {
        "n_kv_heads": 2 * full["n_kv_heads"],
        "sinks": True,
        "rotary": rotary(c, d_head=d_head, kind="sliding_attention", theta="swa_rope_theta"),
        "window": before + 1 if before else c.size("sliding_window", absent=129),
    }
    c.only(swa_num_attention_heads=full["n_heads"], swa_num_key_value_heads=sliding["n_kv_heads"])
    c.only(swa_head_dim=d_head, swa_v_head_dim=d_value)
    c.ignore("sliding_window")
    kinds = layer_types(c, n_layers, ["full_attention", *every(n_layers, 6)[1:]])
    c.only(hybrid_layer_pattern=[int(kind == "sliding_attention") for kind in kinds])
    attention, variations = varied("attention", {"full_attention": full, "sliding_attention": sliding}, kinds)
    usual = ["dense", *["sparse"] * (n_layers - 1)]
    sparse = [kind == "sparse" for kind in c.words("mlp_layer_types", n_layers, ("dense", "sparse"), usual, usual)]
    c.only(moe_layer_freq=[int(on) for on in sparse])
    c.data = {key: value for key, value in c.data.items() if key != "moe_layer_freq"}
    mixture = corrected(c, model)
    return mixed({**model, "attention": attention, "variations": variations}, mixture, sparse)


def afmoe(c: Config) -> Part:
    """Trinity (arXiv:2602.17004; modeling_afmoe.py): norms on both sides of a branch, gated attention, positions in the
    layers with a window alone."""
    c.only(mlp_bias=False, score_func="sigmoid", route_norm=True, n_group=1, topk_group=1)
    c.only(num_expert_groups=1, num_limited_groups=1)
    c.not_null("head_dim")
    c.ignore("load_balance_coeff", "use_grouped_mm")
    model = decoder(c)
    model = attending(model, query_key_norm=model["norm"], gate=True)
    full = {key: part for key, part in model["attention"].items() if key != "rotary"}
    usual = every(model["n_layers"], c.size("global_attn_every_n_layers", absent=4))
    width, n_shared = c.size("moe_intermediate_size", absent=1408), c.size("num_shared_experts", absent=2, least=0)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=64),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=6),
        "expert": model["mlp"] | {"d_ff": width},
        **({"shared": model["mlp"] | {"d_ff": n_shared * width}} if n_shared else {}),
        "router_correction": "parameter",
        "scores": "sigmoid",
        "scale": c.number("route_scale", absent=1.0),
    }
    if c.flag("mup_enabled", absent=False, null=False):
        model["embedding"] = {"scale": "sqrt(d_model)"}
    model = {
        **windowed(c, model, c.size("sliding_window", absent=1024, null=None), usual, full),
        "residual": "sandwich",
    }
    first = c.size("num_dense_layers", absent=1, least=0)
    return mixed(model, mixture, [index >= first for index in range(model["n_layers"])])


def gpt_oss(c: Config) -> Part:
    """gpt-oss (arXiv:2508.10925; modeling_gpt_oss.py): sinks, biases everywhere, every other layer in a window."""
    c.only(mlp_bias=False)
    c.not_null("head_dim", "num_key_value_heads")
    c.ignore("initial_context_length")
    model = attending(decoder(c), sinks=True)
    if c.data.get("rope_parameters") is None and not c.data.get("rope_scaling"):
        scaling = {"kind": "yarn", "factor": 32.0, "n_ctx_original": 4096, "truncate": False}
        model["attention"]["rotary"]["scaling"] = scaling
    chosen = c.size("num_experts_per_tok", absent=4)
    c.only(experts_per_token=chosen, hidden_act="silu")
    expert = {
        **model["mlp"],
        "biases": ["gate", "up", "down"],
        "activation": "swiglu_clipped",
        "limit": c.number("swiglu_limit", absent=7.0),
        "alpha": c.number("swiglu_alpha", absent=1.702),
    }
    n_experts = c.size("num_local_experts", "num_experts", absent=128)
    mixture = {"kind": "mixture", "n_experts": n_experts, "n_experts_per_token": chosen, "expert": expert}
    model["mlp"] = mixture | {"router_bias": True}
    return windowed(c, model, c.size("sliding_window", absent=128, null=None), every(model["n_layers"], 2))


def aria(c: Config) -> Part:
    """Aria (arXiv:2410.05993; modeling_aria.py): experts in every layer, beside some that all tokens share."""
    model = decoder(c)
    n_shared = c.size("moe_num_shared_experts", absent=2)
    mlp = model["mlp"]
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("moe_num_experts", absent=8),
        "n_experts_per_token": c.size("moe_topk", absent=2),
        "expert": {**mlp, "activation": "silu", "biases": []},
        "shared": {**mlp, "d_ff": n_shared * mlp["d_ff"]},
    }
    return {**model, "mlp": mixture}


def dbrx(c: Config) -> Part:
    """DBRX (Databricks 2024; modeling_dbrx.py): its words for attention and experts stand in objects of their own."""
    d_model = c.size("d_model", "hidden_size", absent=2048)
    n_heads = c.size("n_heads", "num_attention_heads", absent=16)
    if d_model % n_heads:
        raise c.refusal("d_model", f"{d_model} is not a multiple of n_heads = {n_heads}")
    c.raw("attn_config")
    attn, ffn = _within(c, "attn_config"), _within(c, "ffn_config")
    n_kv_heads, d_head = attn.size("kv_n_heads", absent=1), d_model // n_heads
    c.only(num_key_value_heads=n_kv_heads, head_dim=d_head, attention_bias=False, mlp_bias=False)
    c.only(tie_word_embeddings=False)
    c.not_null("tie_word_embeddings")
    clip = attn.number("clip_qkv", absent=None, null=None)
    base = attn.number("rope_theta", absent=10_000.0, null=10_000.0)
    n_ctx = c.size("max_seq_len", "max_position_embeddings", absent=2048)
    c.assume(max_position_embeddings=n_ctx)  # what rotary positions are stretched from
    attention: Part = {"kind": "multi-head", "n_heads": n_heads, "n_kv_heads": n_kv_heads, "d_head": d_head}
    attention |= {"rotary": rotary(c, base=base, d_head=d_head)} | ({} if clip is None else {"clip": clip})
    if isinstance(said := ffn.data.get("ffn_act_fn"), str):
        ffn.data = {**ffn.data, "ffn_act_fn": {"name": said}}
    act = _within(ffn, "ffn_act_fn")
    power = ffn.number("moe_normalize_expert_weights", absent=1.0, null=None)
    d_ff = ffn.size("ffn_hidden_size", absent=3584)
    mixture = {
        "kind": "mixture",
        "n_experts": ffn.size("moe_num_experts", absent=4),
        "n_experts_per_token": ffn.size("moe_top_k", absent=1),
        "expert": gated(d_ff, activation(act, "name", absent="silu")),
        **({"normalize": False} if power is None else {"normalize_power": power}),
    }
    ffn.only(hidden_size=d_model)
    ffn.ignore("moe_jitter_eps", "moe_loss_weight", "uniform_expert_assignment")
    for part in (attn, ffn, act):  # an object that is not there is no table of the file
        part.finish()
    return dict(
        n_vocab=c.size("vocab_size", absent=32_000),
        n_ctx=n_ctx,
        d_model=d_model,
        n_layers=c.layers("n_layers", "num_hidden_layers", absent=24),
        attention=attention,
        mlp=mixture,
        norm={"kind": "layer", "eps": 1e-5},
        unembedding={"tied": False},
    )


def _within(c: Config, key: str) -> Config:
    """A nested object; where it is absent, one whose keys all are."""
    inner = c.table(key, absent=None, null=None) or Config({}, f"{c.origin}: {key}")
    inner.assumed = c.assumed
    return inner


READERS = {
    "minimax_m2": minimax_m2,
    "mimo_v2_flash": mimo_v2_flash,
    "afmoe": afmoe,
    "gpt_oss": gpt_oss,
    "dbrx": dbrx,
    "aria_text": aria,
}
TABLES = {
    "minimax_m2": LLAMA + MIXTRAL + MINIMAX,
    "mimo_v2_flash": LLAMA + EXPERTS + CORRECTION + MIMO,
    "afmoe": AFMOE,
    "gpt_oss": LLAMA + GPT_OSS,
    "dbrx": DBRX,
    "aria_text": LLAMA + ARIA,
}


DEFAULTS: Defaults = {
    "minimax_m2": dict(
        vocab_size=200_064,
        hidden_size=3072,
        intermediate_size=1536,
        num_hidden_layers=62,
        head_dim=128,
        num_attention_heads=48,
        num_key_value_heads=8,
        max_position_embeddings=196_608,
        rope_theta=5_000_000.0,
    ),
    "mimo_v2_flash": dict(
        vocab_size=152_576,
        intermediate_size=16_384,
        num_hidden_layers=48,
        num_attention_heads=64,
        head_dim=192,
        num_key_value_heads=4,
        max_position_embeddings=131_072,
        rope_theta=5_000_000.0,
        partial_rotary_factor=0.334,
        n_routed_experts=256,
        n_group=1,
        topk_group=1,
        routed_scaling_factor=1.0,
        n_shared_experts=0,
    ),
    "afmoe": dict(
        vocab_size=200_192,
        hidden_size=2048,
        intermediate_size=6144,
        num_attention_heads=16,
        head_dim=128,
        max_position_embeddings=16_384,
        rms_norm_eps=1e-5,
    ),
    "gpt_oss": dict(
        vocab_size=201_088,
        hidden_size=2880,
        intermediate_size=2880,
        num_hidden_layers=36,
        head_dim=64,
        num_attention_heads=64,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        attention_bias=True,
        rope_theta=150_000.0,
    ),
    "aria_text": dict(intermediate_size=4096),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
