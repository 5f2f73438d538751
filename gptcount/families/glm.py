"""GLM: Llama with part of each head turned and no bias on what comes out; and mixtures that have DeepSeek-V3's router
behind attention of the usual kind: GLM-4.5, dots.llm1, Solar Open."""

from __future__ import annotations

from gptcount.families.common import Part, attending, even_heads, predictors, renamed, windowed
from gptcount.families.config import REQUIRED, Config, Defaults
from gptcount.families.deepseek import CORRECTION, WANTED, corrected, first_dense, sarvam
from gptcount.families.llama import EXPERTS, decoder
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA,
    """
mlp.gate+up            model.layers.{}.mlp.gate_up_proj              |, d_model
""",
)

SANDWICH = renamed(
    NAMES,
    """
attention_output_norm  model.layers.{}.post_self_attn_layernorm      |
mlp_output_norm        model.layers.{}.post_mlp_layernorm            |
""",
)

MIXTURE = LLAMA + EXPERTS + CORRECTION

SARVAM = renamed(
    MIXTURE,
    """
embedding.token            model.word_embeddings                             |, d_model
attention.query+key+value  model.layers.{}.attention.query_key_value         |, d_model
attention.query_norm       model.layers.{}.attention.query_layernorm         |
attention.key_norm         model.layers.{}.attention.key_layernorm           |
attention.output           model.layers.{}.attention.dense                   d_model, |
mlp.router.correction      model.layers.{}.mlp.gate.expert_bias[|]           |
""",
)


def glm(c: Config) -> Part:
    """GLM-4 (arXiv:2406.12793; modeling_glm.py): rotary positions turn neighbours, in half of each head."""
    c.assume(vocab_size=151_552, intermediate_size=13_696, num_hidden_layers=40, num_key_value_heads=2, head_dim=128)
    c.assume(max_position_embeddings=131_072, rms_norm_eps=1.5625e-7, attention_bias=True, partial_rotary_factor=0.5)
    c.only(mlp_bias=False)
    c.not_null("head_dim", "num_key_value_heads")
    model = _plain_output(decoder(c))
    model["attention"]["rotary"]["interleaved"] = True
    return model


def glm4(c: Config) -> Part:
    """GLM-4-0414 (modeling_glm4.py): norms on both sides of a branch."""
    return {**glm(c), "residual": "sandwich"}


def glm4v_text(c: Config) -> Part:
    """The language model of GLM-4.1V (arXiv:2507.01006; modeling_glm4v.py)."""
    c.only(attention_bias=True)
    even_heads(c)
    return glm4(c)


def glm_ocr_text(c: Config) -> Part:
    """The language model of GLM-OCR (modeling_glm_ocr.py): no biases."""
    c.only(attention_bias=False)
    return glm4(c)


def glm4v_moe_text(c: Config) -> Part:
    """The language model of GLM-4.5V (modeling_glm4v_moe.py): GLM-4.5, its biases on by default."""
    c.only(use_qk_norm=False)
    return glm4_moe(c)


def glm4_moe(c: Config) -> Part:
    """GLM-4.5 (arXiv:2508.06471; modeling_glm4_moe.py)."""
    c.assume(vocab_size=151_552, intermediate_size=10_944, num_hidden_layers=46, num_attention_heads=96)
    c.assume(num_key_value_heads=8, max_position_embeddings=131_072, rms_norm_eps=1e-5, partial_rotary_factor=0.5)
    c.assume(moe_intermediate_size=1408, n_routed_experts=128, n_group=1, topk_group=1, routed_scaling_factor=1.0)
    c.assume(first_k_dense_replace=1)
    c.only(mlp_bias=False)
    c.not_null("head_dim", *WANTED)
    predictors(c, "num_nextn_predict_layers", "num_mtp_layers")
    model = _plain_output(decoder(c))
    if c.flag("use_qk_norm", absent=False):
        model["attention"]["query_key_norm"] = model["norm"]
    return first_dense(c, model, corrected(c, model))


def sarvam_moe(c: Config) -> Part:
    """Sarvam-30B (configuration_sarvam_moe.py): GLM-4.5 that turns whole heads, and norms queries and keys."""
    c.spelled(n_routed_experts="num_experts", n_shared_experts="num_shared_experts", attention_bias="use_qkv_bias")
    c.assume(vocab_size=262_144, hidden_size=4096, intermediate_size=8192, num_hidden_layers=19)
    c.assume(num_attention_heads=64, num_key_value_heads=4, head_dim=64, rms_norm_eps=1e-6, rope_theta=8_000_000.0)
    c.assume(partial_rotary_factor=1.0, moe_intermediate_size=1024, num_experts_per_tok=6, use_qk_norm=True)
    c.assume(routed_scaling_factor=2.5)
    sarvam(c)
    return glm4_moe(c)


def dots1(c: Config) -> Part:
    """dots.llm1 (arXiv:2506.05767; modeling_dots1.py): norms of queries and keys; files call its router noaux_tc."""
    c.assume(num_key_value_heads=32, moe_intermediate_size=1408, n_routed_experts=REQUIRED, n_shared_experts=REQUIRED)
    c.assume(num_experts_per_tok=REQUIRED, n_group=1, topk_group=1, norm_topk_prob=False, routed_scaling_factor=1.0)
    c.assume(first_k_dense_replace=0)
    c.only(mlp_bias=False, use_qk_norm=True)
    c.not_null("head_dim")
    c.ignore("use_sliding_window")
    c.data = {key: value for key, value in c.data.items() if (key, value) != ("scoring_func", "noaux_tc")}
    model = decoder(c)
    model = attending(model, query_key_norm=model["norm"])
    n_layers, window = model["n_layers"], c.size("sliding_window", absent=4096, null=None)
    first = c.size("max_window_layers", absent=62, null=n_layers, least=0)
    usual = ["sliding_attention" if window and index >= first else "full_attention" for index in range(n_layers)]
    return first_dense(c, windowed(c, model, window, usual), corrected(c, model))


def solar_open(c: Config) -> Part:
    """Solar Open (Upstage 2026; modeling_solar_open.py): experts in every layer."""
    c.only(mlp_bias=False, first_k_dense_replace=0, use_qk_norm=False)
    c.not_null("head_dim", *WANTED)
    c.data = {**c.data, "intermediate_size": 1}  # the width of dense layers, and there are none
    model = _plain_output(decoder(c))
    return {**model, "mlp": corrected(c, model)}


def _plain_output(model: Part) -> Part:
    """A model without a bias on what its attention brings out."""
    return attending(model, biases=[name for name in model["attention"]["biases"] if name != "output"])


READERS = {
    "glm": glm,
    "glm4": glm4,
    "glm4_moe": glm4_moe,
    "sarvam_moe": sarvam_moe,
    "dots1": dots1,
    "solar_open": solar_open,
}
TABLES = {
    "glm": NAMES,
    "glm4": SANDWICH,
    "glm4_moe": MIXTURE,
    "sarvam_moe": SARVAM,
    "dots1": MIXTURE,
    "solar_open": MIXTURE,
}
READERS |= {"glm4v_text": glm4v_text, "glm_ocr_text": glm_ocr_text, "glm4v_moe_text": glm4v_moe_text}
TABLES |= {"glm4v_text": SANDWICH, "glm_ocr_text": SANDWICH, "glm4v_moe_text": MIXTURE}


DEFAULTS: Defaults = {
    "dots1": dict(vocab_size=152_064, hidden_size=4608, intermediate_size=10_944, num_hidden_layers=62),
    "solar_open": dict(
        vocab_size=196_608,
        num_hidden_layers=48,
        num_attention_heads=64,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        rope_theta=1_000_000.0,
        moe_intermediate_size=1280,
        n_routed_experts=128,
        n_group=1,
        topk_group=1,
        routed_scaling_factor=1.0,
        partial_rotary_factor=1.0,
    ),
    "glm4v_text": dict(
        hidden_size=4096,
        num_attention_heads=32,
        max_position_embeddings=32_768,
        rms_norm_eps=1e-5,
        partial_rotary_factor=1.0,
    ),
    "glm_ocr_text": dict(
        vocab_size=59_392,
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=16,
        num_attention_heads=16,
        num_key_value_heads=8,
        rms_norm_eps=1e-5,
        partial_rotary_factor=1.0,
        head_dim=None,
    ),
    "glm4v_moe_text": dict(vocab_size=151_424, max_position_embeddings=65_536, attention_bias=True),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
