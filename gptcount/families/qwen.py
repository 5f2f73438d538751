"""Qwen 2 and Qwen 3, their mixtures, and the language models of the larger ones: Llama with biases on queries, keys
and values, later with norms instead."""

from __future__ import annotations

from gptcount.families.common import (
    Part,
    attending,
    biases,
    even_heads,
    everywhere,
    layer_types,
    mixed,
    optional_window,
    predictors,
    renamed,
    windowed,
)
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS, NAMES, decoder

SHARED = """
mlp.shared.gate       model.layers.{}.mlp.shared_expert.gate_proj       |, d_model
mlp.shared.up         model.layers.{}.mlp.shared_expert.up_proj         |, d_model
mlp.shared.down       model.layers.{}.mlp.shared_expert.down_proj       d_model, |
mlp.shared_gate       model.layers.{}.mlp.shared_expert_gate            1, |
"""

FUSED = """
mlp.router            model.layers.{}.mlp.gate                          |, d_model
mlp.experts.gate+up   model.layers.{}.mlp.experts.gate_up_proj[|]       n_experts, d_model, |
mlp.experts.down      model.layers.{}.mlp.experts.down_proj[|]          n_experts, |, d_model
"""
"""The experts of Qwen3-VL, all of a layer in two tensors."""


def qwen2(c: Config) -> Part:
    """Qwen2 (arXiv:2407.10671; modeling_qwen2.py): biases on query, key and value; windows in later layers, if any."""
    c.assume(vocab_size=151936, intermediate_size=22016, num_key_value_heads=32, max_position_embeddings=32768)
    c.only(attention_bias=True, qkv_bias=True, mlp_bias=False, rope_interleaved=False)
    c.not_null("head_dim")
    c.ignore("use_mrope", "dual_chunk_attention_config")
    return _windowed_later(c, attending(decoder(c), biases=["query", "key", "value"]))


def mimo(c: Config) -> Part:
    """MiMo-7B (arXiv:2505.07608; modeling_mimo.py): Qwen2, with a layer more that predicts a second token."""
    predictors(c)
    return {**qwen2(c), "checkpoint": "qwen2"}


def qwen2_moe(c: Config) -> Part:
    """Qwen2-MoE (arXiv:2407.10671; modeling_qwen2_moe.py): Qwen2 with a mixture and a gated shared expert; windows,
    if any, in every other of the first layers."""
    on = c.flag("qkv_bias", absent=True)
    c.only(attention_bias=on, mlp_bias=False)
    c.not_null("num_key_value_heads", "head_dim")
    c.ignore("use_mrope")
    model = attending(decoder(c), biases=biases(on, "query", "key", "value"))
    window, stop = optional_window(c), c.size("max_window_layers", absent=28, least=0)
    usual = [_kind(window and index % 2 == 0 and index < stop) for index in range(model["n_layers"])]
    if not window and "sliding_attention" in layer_types(c, model["n_layers"], usual):
        raise c.refusal("layer_types", "sliding_attention contradicts use_sliding_window, which says there is none")
    d_shared = c.size("shared_expert_intermediate_size", absent=5632)
    shared = {"shared": {**model["mlp"], "d_ff": d_shared}, "shared_gate": True}
    mixture = _mixture(c, model, d_expert=1408, n_experts=60, n_chosen=4) | shared
    return mixed(windowed(c, model, window, usual), mixture, sparse(c, model, mixture))


def qwen3(c: Config) -> Part:
    """Qwen3 (arXiv:2505.09388; modeling_qwen3.py): norms on queries and keys; windows in later layers, if any."""
    return _windowed_later(c, _normed(c))


def qwen3_moe(c: Config) -> Part:
    """Qwen3-MoE (arXiv:2505.09388; modeling_qwen3_moe.py): Qwen3 with a mixture; a window on every layer, if any."""
    c.only(shared_expert_intermediate_size=0)
    c.not_null("num_key_value_heads")
    c.ignore("max_window_layers")
    model = _normed(c)
    mixture = _mixture(c, model, d_expert=768, n_experts=128, n_chosen=8)
    model = everywhere(model, optional_window(c))
    return mixed(model, mixture, sparse(c, model, mixture))


def qwen2_vl_text(c: Config) -> Part:
    """The language model of Qwen2-VL and Qwen2.5-VL (arXiv:2409.12191, 2502.13923; modeling_qwen2_vl.py)."""
    even_heads(c)
    return qwen2(c)


def qwen2_5_omni_text(c: Config) -> Part:
    """The thinker of Qwen2.5-Omni (arXiv:2503.20215; modeling_qwen2_5_omni.py)."""
    return qwen2(c)


def qwen3_vl_text(c: Config) -> Part:
    """The language model of Qwen3-VL (arXiv:2511.21631; modeling_qwen3_vl.py): no windows."""
    return _normed(c)


def qwen3_vl_moe_text(c: Config) -> Part:
    """The language model of Qwen3-VL with a mixture (modeling_qwen3_vl_moe.py): what the chosen experts weigh always
    adds up to one."""
    c.not_null("num_key_value_heads")
    c.only(sliding_window=None)
    c.ignore("norm_topk_prob")
    model = _normed(c)
    mixture = _mixture(c, model, d_expert=1408, n_experts=60, n_chosen=4) | {"normalize": True}
    return mixed(model, mixture, sparse(c, model, mixture))


def qwen3_omni_moe_text(c: Config) -> Part:
    """The thinker of Qwen3-Omni (arXiv:2509.17765; modeling_qwen3_omni_moe.py)."""
    c.only(sliding_window=None, use_sliding_window=False, shared_expert_intermediate_size=0)
    c.not_null("num_key_value_heads")
    model = _normed(c)
    mixture = _mixture(c, model, d_expert=768, n_experts=128, n_chosen=8)
    return mixed(model, mixture, sparse(c, model, mixture))


def _normed(c: Config) -> Part:
    c.assume(vocab_size=151936, max_position_embeddings=32768)
    c.only(mlp_bias=False, qkv_bias=False, use_qk_norm=True)
    c.not_null("head_dim")
    c.ignore("dual_chunk_attention_config")
    model = decoder(c)
    return attending(model, query_key_norm=model["norm"])


def _kind(sliding: object) -> str:
    return "sliding_attention" if sliding else "full_attention"


def _windowed_later(c: Config, model: Part) -> Part:
    window, first = optional_window(c), c.size("max_window_layers", absent=28, least=0)
    return windowed(c, model, window, [_kind(window and index >= first) for index in range(model["n_layers"])])


def _mixture(c: Config, model: Part, *, d_expert: int, n_experts: int, n_chosen: int) -> Part:
    return {
        "kind": "mixture",
        "n_experts": c.size("num_experts", "num_local_experts", absent=n_experts, least=0),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=n_chosen),
        "expert": {**model["mlp"], "d_ff": c.size("moe_intermediate_size", absent=d_expert)},
        "normalize": c.flag("norm_topk_prob", absent=False),
    }


def mixture_of(
    c: Config, model: Part, *, d_expert: int, n_experts: int, n_chosen: int, d_shared: int, normalize: bool
) -> Part:
    """The mixture of Qwen3-Next and those after it: a shared expert has a gate."""
    c.assume(norm_topk_prob=normalize)
    shared = {**model["mlp"], "d_ff": c.size("shared_expert_intermediate_size", absent=d_shared)}
    mixture = _mixture(c, model, d_expert=d_expert, n_experts=n_experts, n_chosen=n_chosen)
    return mixture | {"shared": shared, "shared_gate": True}


def sparse(c: Config, model: Part, mixture: Part) -> list[bool]:
    """Every so many layers have experts, but for those that are listed."""
    step = c.size("decoder_sparse_step", absent=1)
    dense = set(c.indices("mlp_only_layers", model["n_layers"], absent=[], null=[]))
    n_experts = mixture["n_experts"]
    return [n_experts > 0 and (index + 1) % step == 0 and index not in dense for index in range(model["n_layers"])]


READERS = {"qwen2": qwen2, "mimo": mimo, "qwen2_moe": qwen2_moe, "qwen3": qwen3, "qwen3_moe": qwen3_moe}
READERS |= {"qwen2_vl_text": qwen2_vl_text, "qwen2_5_vl_text": qwen2_vl_text, "qwen2_5_omni_text": qwen2_5_omni_text}
READERS |= {"qwen3_vl_text": qwen3_vl_text, "qwen3_vl_moe_text": qwen3_vl_moe_text}
READERS |= {"qwen3_omni_moe_text": qwen3_omni_moe_text}
TABLES = dict.fromkeys(READERS, renamed(NAMES + EXPERTS, SHARED)) | {"qwen3_vl_moe_text": NAMES + FUSED}


DEFAULTS: Defaults = {
    "qwen2_moe": dict(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
        max_position_embeddings=32768,
    ),
    "qwen3": dict(head_dim=128, num_key_value_heads=32, intermediate_size=22016),
    "qwen3_moe": dict(hidden_size=2048, intermediate_size=6144, num_hidden_layers=24, num_key_value_heads=4),
    "qwen2_vl_text": dict(
        hidden_size=8192,
        intermediate_size=29568,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=152064,
        rms_norm_eps=1e-5,
        rope_theta=1_000_000.0,
        max_window_layers=80,
    ),
    "qwen2_5_vl_text": dict(
        hidden_size=8192,
        intermediate_size=29568,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=152064,
        rms_norm_eps=1e-5,
        rope_theta=1_000_000.0,
        max_window_layers=80,
    ),
    "qwen2_5_omni_text": dict(
        hidden_size=3584,
        intermediate_size=18944,
        num_hidden_layers=28,
        num_attention_heads=28,
        num_key_value_heads=4,
        vocab_size=152064,
        rope_theta=1_000_000.0,
        sliding_window=32768,
        tie_word_embeddings=True,
    ),
    "qwen3_vl_text": dict(
        head_dim=128,
        num_key_value_heads=32,
        intermediate_size=22016,
        max_position_embeddings=128_000,
        rope_theta=500_000.0,
    ),
    "qwen3_vl_moe_text": dict(
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
        max_position_embeddings=128_000,
        rope_theta=500_000.0,
        tie_word_embeddings=True,
    ),
    "qwen3_omni_moe_text": dict(
        hidden_size=2048,
        intermediate_size=18944,
        num_hidden_layers=28,
        num_attention_heads=28,
        num_key_value_heads=4,
        vocab_size=3584,
        max_position_embeddings=32768,
        rope_theta=1_000_000.0,
        norm_topk_prob=True,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
