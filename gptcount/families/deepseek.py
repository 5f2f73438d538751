"""DeepSeek-V2 and V3, whose attention is latent, and the families that are one of them with fewer or more parts."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.families.common import (
    Part,
    activation,
    biases,
    gated,
    mixed,
    predictors,
    rms,
    rotary,
    rotary_table,
    tied,
    varied,
)
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.minicpm import scaled

LATENT = """
attention.query_down            {}.q_a_proj                 |, d_model
attention.query_norm            {}.q_a_layernorm            |
attention.kv_down+key_rotary    {}.kv_a_proj_with_mqa       |, d_model
attention.kv_norm               {}.kv_a_layernorm           |
attention.key+value             {}.kv_b_proj                n_heads*|, d_kv_latent
attention.indexer.query         {}.indexer.wq_b             |, d_query_latent
attention.indexer.key           {}.indexer.wk               |, d_model
attention.indexer.key_norm      {}.indexer.k_norm           |
attention.indexer.head_weight   {}.indexer.weights_proj     |, d_model
"""

PLAIN_QUERY = "attention.query+query_rotary    {}.q_proj        n_heads*|, d_model"
LATENT_QUERY = "attention.query+query_rotary    {}.q_b_proj      n_heads*|, d_query_latent"

CORRECTION = """
mlp.router.correction    model.layers.{}.mlp.gate.e_score_correction_bias[|]    |
"""


WANTED = ("num_key_value_heads", "n_group", "topk_group", "norm_topk_prob")
"""Keys that V3 lets be null, and the families after it do not."""


def names(architecture: Architecture, path: str = "model.layers.{}.self_attn") -> str:
    """The names of a checkpoint; those of the attention stand under ``path``."""
    plain = ("attention.query", "attention.key", "attention.value")
    others = [line for line in LLAMA.splitlines() if not line.startswith(plain)]
    return "\n".join([*others, latent_names(architecture.attention, path)]) + EXPERTS + CORRECTION


def latent_names(attention: object, path: str) -> str:
    """The names of a latent attention's tensors, under a path."""
    straight = isinstance(attention, LatentAttention) and not attention.d_query_latent
    return (LATENT + (PLAIN_QUERY if straight else LATENT_QUERY)).replace("{}", path) + "\n"


def deepseek_v2(c: Config) -> Part:
    """DeepSeek-V2 (arXiv:2405.04434; modeling_deepseek_v2.py): the router is a softmax, and corrects nothing."""
    c.only(moe_layer_freq=1, rope_interleave=True)
    c.ignore("scoring_func", "norm_topk_prob")
    model = dense(c)
    mixture = experts(c, model, "n_routed_experts", "num_experts") | {"normalize": False, "group_score": "best"}
    n_groups, n_per_token = (c.size(key, absent=1, null=1) for key in ("n_group", "topk_group"))
    if c.word("topk_method", among=("greedy", "group_limited_greedy"), absent="greedy") != "greedy":
        mixture |= {"n_groups": n_groups, "n_groups_per_token": n_per_token}
    return first_dense(c, model, mixture)


def deepseek_v3(c: Config) -> Part:
    """DeepSeek-V3 (arXiv:2412.19437; modeling_deepseek_v3.py)."""
    c.only(mlp_bias=False)
    model = dense(c)
    return first_dense(c, model, corrected(c, model))


def kimi_k2(c: Config) -> Part:
    """Kimi K2 (arXiv:2507.20534; modeling_deepseek.py): DeepSeek-V3 under another name."""
    return {**deepseek_v3(c), "checkpoint": "deepseek_v3"}


def sarvam_mla(c: Config) -> Part:
    """Sarvam-105B (configuration_sarvam_mla.py): DeepSeek-V3 whose queries are not latent."""
    c.spelled(n_routed_experts="num_experts", n_shared_experts="num_shared_experts")
    c.assume(vocab_size=262_144, hidden_size=4096, intermediate_size=16_384, num_hidden_layers=32)
    c.assume(num_attention_heads=64, n_routed_experts=128, q_lora_rank=None, n_group=1, topk_group=1)
    c.assume(first_k_dense_replace=1)
    c.only(q_head_dim=c.size("qk_nope_head_dim", absent=128) + c.size("qk_rope_head_dim", absent=64))
    sarvam(c)
    if isinstance(said := c.data.get("rope_scaling"), dict) and "deepseek_yarn" in (
        said.get("type"),
        said.get("rope_type"),
    ):
        others = {key: value for key, value in said.items() if key != "type"}
        c.data = {**c.data, "rope_scaling": others | {"rope_type": "yarn"}}
    return {**deepseek_v3(c), "checkpoint": "deepseek_v3"}


def sarvam(c: Config) -> None:
    """What the files of Sarvam say besides."""
    c.only(score_function="sigmoid", moe_router_enable_expert_bias=True, use_bias=False, use_rmsnorm=True)
    c.ignore("router_dtype", "moe_router_enable_routed_scaling", "moe_router_enable_shared_expert", "norm_head")


def deepseek_v32(c: Config) -> Part:
    """DeepSeek-V3.2 (arXiv:2512.02556; modeling_deepseek_v32.py): V3 with an indexer in every layer."""
    return indexed(c, interleaved=False)


def glm_moe_dsa(c: Config) -> Part:
    """GLM-5 (arXiv:2602.15763; modeling_glm_moe_dsa.py): V3.2 whose layers may share an earlier layer's choice."""
    c.ignore("head_dim")
    model = indexed(c, interleaved=True)
    full = model["attention"]
    blocks = {"full": full, "shared": full | {"indexer": "shared"}}
    attention, variations = varied("attention", blocks, indexer_types(c, model["n_layers"]))
    return {**model, "attention": attention, "variations": [*model["variations"], *variations]}


def glm4_moe_lite(c: Config) -> Part:
    """GLM-4.7-Flash (modeling_glm4_moe_lite.py): V3 whose first layer alone is dense, unless the file lists them."""
    c.only(mlp_bias=False)
    c.not_null(*WANTED)
    c.size("qk_rope_head_dim", "head_dim", absent=64)
    if c.data.get("mlp_layer_types") is None:
        c.only(first_k_dense_replace=1)
    model = dense(c)
    return listed(c, model, corrected(c, model))


def youtu(c: Config) -> Part:
    """Youtu-LLM (arXiv:2512.24618; modeling_youtu.py): V3 without experts."""
    c.only(mlp_bias=False)
    c.ignore("embedding_initializer_range")
    return dense(c)


def minicpm3(c: Config) -> Part:
    """MiniCPM3 (arXiv:2404.06395; modeling_minicpm3.py): embedding, branches and scores are scaled."""
    c.only(rope_interleave=False)
    c.ignore("head_dim")
    d_model, n_heads = c.size("hidden_size"), c.size("num_attention_heads")
    if d_model % n_heads:
        raise c.refusal("hidden_size", f"{d_model} is not a multiple of num_attention_heads = {n_heads}")
    c.assume(v_head_dim=d_model // n_heads)
    c.data = {key: value for key, value in c.data.items() if (key, value) != ("v_head_dim", None)}
    model = dense(c)
    return scaled(c, model, depth=1.4, emb=12.0, base=256)


def dense(c: Config) -> Part:
    """A decoder with latent attention and an MLP in every layer; V3's defaults."""
    c.size("num_key_value_heads", absent=None, null=None)
    c.ignore("pretraining_tp")
    predictors(c, "num_nextn_predict_layers", "num_mtp_layers")
    d_ff, act = c.size("intermediate_size", absent=18_432), activation(c, absent="silu")
    n_ctx = c.size("max_position_embeddings", absent=4096)
    return dict(
        n_vocab=c.size("vocab_size", absent=129_280),
        n_ctx=n_ctx,
        d_model=c.size("hidden_size", absent=7168),
        n_layers=c.layers(absent=61),
        attention=latent(c),
        mlp=gated(d_ff, act, c.flag("mlp_bias", absent=False)),
        norm=rms(c),
        unembedding=tied(c, absent=False),
    )


def latent(c: Config, base: float = 10_000.0) -> Part:
    """Latent attention. The norms of the latent vectors have an epsilon of their own."""
    d_nope, d_rotary = c.size("qk_nope_head_dim", absent=128), c.size("qk_rope_head_dim", absent=64)
    c.only(qk_head_dim=d_nope + d_rotary, partial_rotary_factor=1.0)
    if said := rotary_table(c):
        said.only(partial_rotary_factor=1.0)
    if "head_dim" not in c.used:  # where it is read, rotary frequencies are those of a head so wide
        c.only(head_dim=d_rotary)
    turned = rotary(c, base=base, d_head=d_rotary, interleaved=c.flag("rope_interleave", absent=True, null=False))
    d_query_latent = c.size("q_lora_rank", absent=1536, null=None)
    return {
        "kind": "latent",
        "n_heads": c.size("num_attention_heads", absent=128),
        **({"d_query_latent": d_query_latent} if d_query_latent else {}),
        "d_kv_latent": c.size("kv_lora_rank", absent=512),
        "d_nope": d_nope,
        "d_rotary": d_rotary,
        "d_value": c.size("v_head_dim", absent=128),
        "norm": {"kind": "rms", "eps": 1e-6},
        "biases": biases(c.flag("attention_bias", absent=False), "query_down", "kv_down", "output"),
        "rotary": turned,
    }


def experts(c: Config, model: Part, *spellings: str) -> Part:
    """A mixture, with the shared experts as one wide MLP."""
    width, n_shared = c.size("moe_intermediate_size", absent=2048), c.size("n_shared_experts", absent=1, least=0)
    c.ignore("aux_loss_alpha", "moe_router_dtype")
    return {
        "kind": "mixture",
        "n_experts": c.size(*spellings, absent=256),
        "n_experts_per_token": c.size("num_experts_per_tok"),
        "expert": gated(width, model["mlp"]["activation"]),
        **({"shared": {**model["mlp"], "d_ff": n_shared * width}} if n_shared else {}),
        "scale": c.number("routed_scaling_factor", absent=2.5),
    }


def corrected(c: Config, model: Part, *spellings: str) -> Part:
    """The mixture of V3: sigmoids, corrected by a bias for the choice alone, in groups of experts."""
    c.assume(num_experts_per_tok=8)
    c.only(scoring_func="sigmoid", topk_method="noaux_tc", moe_layer_freq=1)
    return {
        **experts(c, model, "n_routed_experts", "num_local_experts", *spellings),
        "router_correction": "buffer",
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=True, null=False),
        "n_groups": c.size("n_group", absent=8, null=1),
        "n_groups_per_token": c.size("topk_group", absent=4, null=1),
    }


def first_dense(c: Config, model: Part, mixture: Part) -> Part:
    """A mixture in all layers but the first few."""
    first = c.size("first_k_dense_replace", absent=3, least=0)
    return mixed(model, mixture, [index >= first for index in range(model["n_layers"])])


def listed(c: Config, model: Part, mixture: Part) -> Part:
    """A mixture in the layers that the file lists, or else in all but the first few."""
    first, n_layers = c.size("first_k_dense_replace", absent=3, least=0), model["n_layers"]
    usual = ["sparse" if index >= first else "dense" for index in range(n_layers)]
    types = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    return mixed(model, mixture, [word == "sparse" for word in types])


def indexed(c: Config, interleaved: bool) -> Part:
    """V3 with an indexer, whose rotary positions turn neighbours (``interleaved``) or halves."""
    c.only(mlp_bias=False, rope_interleave=True, indexer_rope_interleave=interleaved)
    c.not_null("q_lora_rank", *WANTED)
    model = dense(c)
    n_layers, attention = model["n_layers"], model["attention"]
    c.words("layer_types", n_layers, ("indexed_attention", "deepseek_sparse_attention"), absent=None, null=None)
    if attention["rotary"].get("whole_head"):
        raise c.refusal("rope_parameters", "proportional positions, of which an indexer of other width has none")
    turned = {**attention["rotary"], "interleaved": interleaved, "d_rotary": attention["d_rotary"]}
    attention["indexer"] = {
        "n_index_heads": c.size("index_n_heads", absent=64),
        "d_index_head": c.size("index_head_dim", absent=128),
        "n_chosen": c.size("index_topk", absent=2048),
        "rotary": turned,
        "norm": {"kind": "layer", "bias": True, "eps": 1e-6},
    }
    return listed(c, model, corrected(c, model, "num_experts"))


def indexer_types(c: Config, n_layers: int) -> list[str]:
    """Which layers have an indexer, and which share an earlier one's choice: listed, or a pattern, or every so many."""
    c.ignore("index_share_for_mtp_iteration")
    kinds = {"F": "full", "S": "shared", "full": "full", "shared": "shared"}
    pattern = c.raw("index_topk_pattern", absent=None, null=None)
    period = c.size("index_topk_freq", absent=1, least=0) or 1
    offset = c.size("index_skip_topk_offset", absent=2, least=0)
    usual = ["shared" if max(index - offset + 1, 0) % period else "full" for index in range(n_layers)]
    if pattern is not None:
        if not isinstance(pattern, str | list) or any(str(word) not in kinds for word in pattern):
            raise c.refusal("index_topk_pattern", "expected a letter F or S, or full or shared, for each layer")
        usual = [kinds[word] for word in pattern]
    types = c.words("indexer_types", n_layers, ("full", "shared"), absent=usual, null=usual)
    if len(types) != n_layers:
        raise c.refusal("index_topk_pattern", f"{len(types)} layers, and there are {n_layers}")
    if types != usual and (pattern is not None or c.has("index_topk_freq")):
        raise c.refusal("indexer_types", "contradicts the pattern or the period that the file gives too")
    if types[0] == "shared":
        raise c.refusal("indexer_types", "the first layer has no earlier one whose choice it could share")
    return types


READERS = {
    "deepseek_v2": deepseek_v2,
    "deepseek_v3": deepseek_v3,
    "kimi_k2": kimi_k2,
    "sarvam_mla": sarvam_mla,
    "deepseek_v32": deepseek_v32,
    "glm4_moe_lite": glm4_moe_lite,
    "glm_moe_dsa": glm_moe_dsa,
    "youtu": youtu,
    "minicpm3": minicpm3,
}
TABLES = dict.fromkeys(READERS, names)


DEFAULTS: Defaults = {
    "deepseek_v2": dict(
        vocab_size=102_400,
        hidden_size=4096,
        intermediate_size=11_008,
        num_hidden_layers=32,
        num_attention_heads=32,
        max_position_embeddings=2048,
        moe_intermediate_size=1407,
        n_routed_experts=64,
        n_shared_experts=2,
        first_k_dense_replace=0,
        routed_scaling_factor=1.0,
    ),
    "deepseek_v32": dict(max_position_embeddings=163_840),
    "glm4_moe_lite": dict(
        vocab_size=154_880,
        hidden_size=2048,
        intermediate_size=10_240,
        moe_intermediate_size=1536,
        num_hidden_layers=47,
        num_attention_heads=20,
        n_routed_experts=64,
        routed_scaling_factor=1.8,
        q_lora_rank=768,
        v_head_dim=256,
        qk_nope_head_dim=192,
        n_group=1,
        topk_group=1,
        num_experts_per_tok=4,
        max_position_embeddings=202_752,
        rms_norm_eps=1e-5,
        first_k_dense_replace=1,
    ),
    "glm_moe_dsa": dict(
        vocab_size=154_880,
        hidden_size=6144,
        intermediate_size=12_288,
        num_hidden_layers=78,
        num_attention_heads=64,
        q_lora_rank=2048,
        v_head_dim=256,
        qk_nope_head_dim=192,
        index_n_heads=32,
        n_group=1,
        topk_group=1,
        max_position_embeddings=202_752,
        rms_norm_eps=1e-5,
    ),
    "youtu": dict(
        vocab_size=128_256,
        hidden_size=2048,
        intermediate_size=6144,
        num_hidden_layers=32,
        num_attention_heads=16,
        max_position_embeddings=131_072,
        tie_word_embeddings=True,
    ),
    "minicpm3": dict(
        vocab_size=73_448,
        hidden_size=2560,
        intermediate_size=6400,
        num_hidden_layers=62,
        num_attention_heads=40,
        q_lora_rank=768,
        kv_lora_rank=256,
        qk_nope_head_dim=64,
        qk_rope_head_dim=32,
        tie_word_embeddings=True,
        max_position_embeddings=32_768,
        rms_norm_eps=1e-5,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
