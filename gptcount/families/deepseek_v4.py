"""DeepSeek-V4: compressed attention, hyper-connections, and a mixture in every layer, the first of which look their
experts up by token."""

from __future__ import annotations

from typing import Any

from gptcount.families.common import Part, activation, gated, predictors, rms, rotary_scaling, tied, varied
from gptcount.families.config import Config

NAMES = """
embedding.token                       model.embed_tokens                              |, d_model
attention.query_down                  model.layers.{}.attn.wq_a                       |, d_model
attention.query_norm                  model.layers.{}.attn.q_norm                     |
attention.query                       model.layers.{}.attn.wq_b                       |, d_query_latent
attention.key                         model.layers.{}.attn.wkv                        |, d_model
attention.key_norm                    model.layers.{}.attn.norm                       |
attention.sinks                       model.layers.{}.attn.attn_sink[|]               |
attention.output_down                 model.layers.{}.attn.wo_a                       n_output_groups*d_output_latent, |
attention.output                      model.layers.{}.attn.wo_b                       d_model, |
attention.compressor.key              model.layers.{}.attn.compressor.wkv             |, d_model
attention.compressor.gate             model.layers.{}.attn.compressor.wgate           |, d_model
attention.compressor.position         model.layers.{}.attn.compressor.ape[|]          n_block, |
attention.compressor.norm             model.layers.{}.attn.compressor.norm            |
attention.indexer.query               model.layers.{}.attn.indexer.wq_b               |, d_query_latent
attention.indexer.head_weight         model.layers.{}.attn.indexer.weights_proj       |, d_model
attention.indexer.compressor.key      model.layers.{}.attn.indexer.compressor.wkv     |, d_model
attention.indexer.compressor.gate     model.layers.{}.attn.indexer.compressor.wgate   |, d_model
attention.indexer.compressor.position model.layers.{}.attn.indexer.compressor.ape[|]  n_block, |
attention.indexer.compressor.norm     model.layers.{}.attn.indexer.compressor.norm    |
attention_norm                        model.layers.{}.attn_norm                       |
mlp_norm                              model.layers.{}.ffn_norm                        |
mlp.router                            model.layers.{}.ffn.gate                        |, d_model
mlp.router.correction                 model.layers.{}.ffn.gate.bias[|]                |
mlp.router.table                      model.layers.{}.ffn.gate.tid2eid[|]             n_vocab, |
mlp.experts.gate                      model.layers.{}.ffn.experts.{}.w1               |, d_model
mlp.experts.up                        model.layers.{}.ffn.experts.{}.w3               |, d_model
mlp.experts.down                      model.layers.{}.ffn.experts.{}.w2               d_model, |
mlp.shared.gate                       model.layers.{}.ffn.shared_experts.w1           |, d_model
mlp.shared.up                         model.layers.{}.ffn.shared_experts.w3           |, d_model
mlp.shared.down                       model.layers.{}.ffn.shared_experts.w2           d_model, |
streams.attention.read+write+mix      model.layers.{}.hc_attn[_fn|_base]              |, n_streams*d_model
streams.mlp.read+write+mix            model.layers.{}.hc_ffn[_fn|_base]               |, n_streams*d_model
streams.attention.read.scale+write.scale+mix.scale  model.layers.{}.hc_attn_scale[|]                |
streams.mlp.read.scale+write.scale+mix.scale  model.layers.{}.hc_ffn_scale[|]                 |
streams.last.read                     model.hc_head[.hc_fn|.hc_base]                  |, n_streams*d_model
streams.last.read.scale               model.hc_head.hc_scale[|]                       |
final_norm                            model.norm                                      |
unembedding.token                     head                                            |, d_model
"""

SLIDING, SPARSE, HEAVY = "sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"

RATIOS = {0: SLIDING, 4: SPARSE, 128: HEAVY}
"""What older files say for a kind of attention."""


def deepseek_v4(c: Config) -> Part:
    """DeepSeek-V4 (its technical report; modeling_deepseek_v4.py)."""
    n_layers, norm = c.layers(absent=43), rms(c)
    predictors(c, "num_nextn_predict_layers")
    c.only(attention_bias=False, scoring_func="sqrtsoftplus", topk_method="noaux_tc", n_shared_experts=1)
    c.only(num_key_value_heads=1)
    c.ignore("norm_topk_prob", "router_jitter_noise", "expert_dtype")
    attention, variations = varied("attention", attentions(c, norm), attention_types(c, n_layers))
    mlp, of_mlp = varied("mlp", mixtures(c), mlp_types(c, n_layers))
    return dict(
        n_vocab=c.size("vocab_size", absent=129_280),
        n_ctx=c.size("max_position_embeddings", absent=1_048_576),
        d_model=c.size("hidden_size", absent=4096),
        n_layers=n_layers,
        streams={
            "kind": "hyper-connections",
            "n_streams": c.size("hc_mult", absent=4),
            "n_iterations": c.size("hc_sinkhorn_iters", absent=20),
            "eps": c.number("hc_eps", absent=1e-6),
        },
        attention=attention,
        mlp=mlp,
        norm=norm,
        variations=[*variations, *of_mlp],
        unembedding=tied(c, absent=False),
    )


def attentions(c: Config, norm: Part) -> dict[str, Part]:
    """The three kinds of attention: over a window alone, and over compressed keys as well, some or all of them."""
    d_head = c.size("head_dim", absent=512)
    older = c.size("qk_rope_head_dim", absent=None, null=None)
    share = older / d_head if older else 64 / 512
    d_rotary = int(d_head * c.number("partial_rotary_factor", absent=share, null=share))
    if not 0 < d_rotary <= d_head or d_rotary % 2:
        raise c.refusal("qk_rope_head_dim", f"{d_rotary} numbers of {d_head} are turned; expected an even number")
    main, compressed = rotaries(c, d_rotary, d_head)
    sliding: Part = {
        "kind": "compressed",
        "n_heads": c.size("num_attention_heads", absent=64),
        "d_head": d_head,
        "d_query_latent": c.size("q_lora_rank", absent=1024),
        "n_output_groups": c.size("o_groups", absent=8),
        "d_output_latent": c.size("o_lora_rank", absent=1024),
        "norm": norm,
        "rotary": main,
        "window": c.size("sliding_window", absent=128),
    }
    sparse_block, heavy_block = rates(c)
    overlapping = {"n_block": sparse_block, "n_blocks": 2, "norm": norm}
    indexer = {
        "n_index_heads": c.size("index_n_heads", absent=64),
        "d_index_head": c.size("index_head_dim", absent=128),
        "n_chosen": c.size("index_topk", absent=512),
        "rotary": compressed,
        "compressor": overlapping,
    }
    others = sliding | {"rotary": compressed}
    return {
        SLIDING: sliding,
        SPARSE: others | {"compressor": overlapping, "indexer": indexer},
        HEAVY: others | {"compressor": {"n_block": heavy_block, "norm": norm}},
    }


def rates(c: Config) -> tuple[int, int]:
    """How many tokens a block has where compressed keys are chosen among, and where they are not."""
    said = c.table("compress_rates", absent=None, null=None)
    sparse = said.size(SPARSE, absent=4) if said else 4
    heavy = said.size(HEAVY, absent=128) if said else 128
    if said:
        said.finish()
    sparse = c.size("compress_rate_csa", absent=sparse, null=sparse)
    return sparse, c.size("compress_rate_hca", absent=heavy, null=heavy)


def rotaries(c: Config, d_rotary: int, d_head: int) -> tuple[Part, Part]:
    """The rotary positions of layers with a window alone, and those of the others; the last numbers of a head turn."""
    part: Part = {"d_rotary": d_rotary, "interleaved": True, "from_end": True}
    main, compressed = c.number("rope_theta", absent=10_000.0), c.number("compress_rope_theta", absent=160_000.0)
    older = c.table("rope_scaling", absent=None, null=None)
    today = c.table("rope_parameters", absent=None, null=None)
    if older and today and older.data:
        raise c.refusal("rope_scaling", "and rope_parameters is there too; leave out one")
    for said in (today, *(today.data.get(kind) for kind in ("main", "compress"))) if today else ():
        said = said.data if isinstance(said, Config) else said
        share = said.get("partial_rotary_factor") if isinstance(said, dict) else None
        if share is not None and not (isinstance(share, int | float) and int(d_head * share) == d_rotary):
            raise c.refusal("rope_parameters", f"partial_rotary_factor: {d_rotary} of {d_head} numbers are turned")
    if today and isinstance(today.data.get("main"), dict) and isinstance(today.data.get("compress"), dict):
        return part | one(today.table("main"), main, c), part | one(today.table("compress"), compressed, c)
    return part | {"base": main}, part | one(today or older, compressed, c) | {"base": compressed}


def one(said: Config | None, base: float, c: Config) -> Part:
    """The base and the scaling of one kind of layer; what is scaled is not made longer."""
    if said is None:
        return {"base": base}
    said.ignore("partial_rotary_factor")
    scaling = rotary_scaling(said, c)
    if scaling:
        scaling.setdefault("attention_factor", 1.0)
    return {"base": said.number("rope_theta", absent=base)} | ({"scaling": scaling} if scaling else {})


def attention_types(c: Config, n_layers: int) -> list[str]:
    """The kind of each layer's attention: listed, or by older files' ratios, or two heavy ones, then each in turn."""
    usual = [HEAVY, HEAVY, *(SPARSE if index % 2 else HEAVY for index in range(n_layers))][:n_layers]
    ratios = c.raw("compress_ratios", absent=None, null=None)
    if ratios is not None:
        known = isinstance(ratios, list) and all(type(ratio) is int and ratio in RATIOS for ratio in ratios)
        if not known or len(ratios) < n_layers:
            raise c.refusal("compress_ratios", f"expected a list of {n_layers} or more, each 0, 4 or 128")
        usual = [RATIOS[ratio] for ratio in ratios][:n_layers]
    types = c.words("layer_types", n_layers, (SLIDING, SPARSE, HEAVY), absent=usual, null=usual)
    if ratios is not None and types != usual:
        raise c.refusal("layer_types", "contradicts compress_ratios")
    return types


def mixtures(c: Config) -> dict[str, Part]:
    """The mixture whose experts are looked up by token, and the one whose router chooses them."""
    act, limit = activation(c, absent="silu"), c.number("swiglu_limit", absent=10.0)
    width = c.size("moe_intermediate_size", "intermediate_size", absent=2048)
    expert = gated(width, act) | {"limit": limit}
    common: Part = {
        "kind": "mixture",
        "n_experts": c.size("n_routed_experts", "num_local_experts", absent=256),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=6),
        "expert": expert,
        "shared": gated(width, act, c.flag("mlp_bias", absent=False)) | {"limit": limit},
        "scores": "sqrt-softplus",
        "scale": c.number("routed_scaling_factor", absent=1.5),
    }
    return {"hash_moe": common | {"hashed": True}, "moe": common | {"router_correction": "buffer"}}


def mlp_types(c: Config, n_layers: int) -> list[str]:
    """The kind of each layer's mixture: listed, or the first few by token."""
    n_hash = c.size("num_hash_layers", absent=3, null=3, least=0)
    usual: list[Any] = ["hash_moe" if index < n_hash else "moe" for index in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("hash_moe", "moe"), absent=usual, null=usual)
    if c.data.get("num_hash_layers") is not None and types != usual:
        raise c.refusal("mlp_layer_types", "contradicts num_hash_layers")
    return types


READERS = {"deepseek_v4": deepseek_v4}
TABLES = {"deepseek_v4": NAMES}
