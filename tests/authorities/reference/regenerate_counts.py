"""Regenerate the parameter counts that the tests hold gptcount against.

For every model type below, small configurations are built with the reference implementation (Hugging Face
transformers with PyTorch, on the meta device: no weight is ever allocated) and what it builds is written down: unique
parameters, what a checkpoint stores, what one token uses, and the tensors of a checkpoint by name and shape. Nothing
here is computed by gptcount.

Run it in an environment of its own, with `pip install torch==2.13.0 transformers`:

    python regenerate_counts.py                      all families, into counts/ and mutations/ beside this script
    python regenerate_counts.py --only llama,gpt2    some of them
    python regenerate_counts.py --check DIR          hold the method against DIR/*/{config,truth}.json

Conventions:

* `parameters`: elements of all distinct parameters (tied ones once), the frozen ones included; `frozen` says how many
  of them do not require a gradient, where any do.
* `stored`: the elements of a checkpoint: `parameters` and the persistent buffers.
* `active`: `parameters` without the routed experts that one token does not visit: of a tensor of E routed experts
  `numel * min(k, E) / E` stays (layer by layer where k is a list). Routers, shared experts and whatever is not a
  routed expert stay whole. Experts in attention (jetmoe) are routed experts too; a layer with hash routing
  (deepseek_v4) visits as many experts as the others; experts without computation (longcat_flash) are taken as not
  chosen: all k are real experts.
* `tensors`: `[name, shape, copies]` as `save_pretrained` stores them (weight conversions reverted, tied aliases left
  out), layer and expert numbers written `{}`.
* Types with a nested `text_config`: the language model and its unembedding only, under the names of the text model
  alone.
* `corrected`: only where the reference implementation builds weights that no checkpoint has (longcat_flash).
"""

from __future__ import annotations

import argparse
import collections
import copy
import dataclasses
import importlib
import json
import logging
import pathlib
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

Config = dict[str, Any]
DROP = ...  # as a value in a variant: leave the key out

NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")
ROUTED = re.compile(
    r"\.experts\.(gate_up_proj|up_proj|down_proj)(_bias)?$"
    r"|\.experts\.mlp\.(w1|v1|w2)$"
    r"|\.(mlp|self_attention\.experts)\.(input|output)_linear\.weight$"
)
DEEP = re.compile(
    r"conv(1d|_1d)?\.weight$|\.rg_lru\.\w+_gate_weight$|\.time_mix_\w+$|_proj_weight$|\.A_log$"
    r"|\.shared_experts\.\w+_proj$|\.conv_qk_\w+\.weight$"
)
"""Tensors of three dimensions that are no experts."""
TOP_K = ("num_experts_per_tok", "top_k_experts", "moe_top_k", "moe_topk", "moe_k")


class MethodError(Exception):
    """The way of counting does not fit what the reference implementation built."""


# ------------------------------------------------------------------------------------------------ building and counting


def finite(value: Any) -> Any:
    """A copy in which infinity, which JSON cannot say and files write as an object, is a number again."""
    if isinstance(value, dict):
        return float(value["__float__"]) if value.keys() == {"__float__"} else {k: finite(v) for k, v in value.items()}
    return [finite(item) for item in value] if isinstance(value, list) else copy.deepcopy(value)


def build(config: Config) -> PreTrainedModel:
    """Build the causal language model of a configuration on the meta device."""
    parsed = CONFIG_MAPPING[config["model_type"]].from_dict(finite(config))
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(parsed)


def top_k(model: PreTrainedModel, layer: int | None) -> int | None:
    """Number of routed experts that one token visits in a layer."""
    config = model.config.get_text_config(decoder=True)
    for holder in (config, getattr(config, "ffn_config", None)):
        for key in TOP_K:
            value = getattr(holder, key, None)
            if isinstance(value, (list, tuple)):
                value = value[layer or 0]
            if value is not None:
                return int(value)
    return None


def experts(model: PreTrainedModel, name: str, shape: tuple[int, ...]) -> int:
    """Number of experts in a fused tensor of routed experts."""
    if len(shape) == 3 or name.endswith("_bias"):
        return shape[0]
    return int(model.config.ffn_config.moe_num_experts)


def text_only(name: str) -> str | None:
    """Name of a tensor of a multimodal model in its text model alone; None where it belongs to another part."""
    if re.search(r"vision|multi_modal_projector|audio", name):
        return None
    return re.sub(r"^(model\.language_model\.|language_model\.model\.)", "model.", name).replace(
        "language_model.lm_head", "lm_head"
    )


def measure(config: Config, tensors: bool = True) -> dict[str, Any]:
    """Count what the reference implementation builds from a configuration."""
    model = build(config)
    nested = "text_config" in config or hasattr(model.config, "vision_config")

    def keep(name: str) -> bool:
        return not nested or text_only(name) is not None

    parameters = {name: value for name, value in model.named_parameters() if keep(name)}
    aliases = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    ignored = set(getattr(model, "_keys_to_ignore_on_save", None) or ())
    buffers = {
        name: value for name, value in model.state_dict().items() if name not in aliases | ignored and keep(name)
    }
    total = sum(value.numel() for value in parameters.values())
    inactive: int | None = 0
    for name, value in parameters.items():
        routed = ROUTED.search(name) is not None
        if value.dim() > 2 and not routed and not DEEP.search(name):
            raise MethodError(f"tensor of unknown nature: {name} {tuple(value.shape)}")
        if not routed or inactive is None:
            continue
        layer = NUMBER.search(name)
        chosen, available = (
            top_k(model, int(layer.group()) if layer else None),
            experts(model, name, tuple(value.shape)),
        )
        if chosen is None:
            inactive = None
            break
        inactive += value.numel() // available * (available - min(chosen, available))
    answer: dict[str, Any] = {
        "parameters": total,
        "stored": total + sum(value.numel() for value in buffers.values()),
        "active": None if inactive is None else total - inactive,
    }
    if frozen := sum(value.numel() for value in parameters.values() if not value.requires_grad):
        answer["frozen"] = frozen
    if config["model_type"] == "longcat_flash":
        answer["corrected"] = longcat_correction(model, parameters, answer)
    if tensors:
        state: dict[str, torch.Tensor] = {**parameters, **buffers}
        if nested:
            state = {str(text_only(name)): value for name, value in state.items()}
        else:
            state = revert_weight_conversion(model, state)
        rows = collections.Counter((NUMBER.sub("{}", name), tuple(value.shape)) for name, value in state.items())
        answer["tensors"] = [[name, list(shape), copies] for (name, shape), copies in sorted(rows.items())]
        stored = sum(copies * torch.Size(shape).numel() for (_, shape), copies in rows.items())
        if stored != answer["stored"]:
            raise MethodError(f"the reverted checkpoint has {stored:,} elements, not {answer['stored']:,}")
    return answer


def longcat_correction(
    model: PreTrainedModel, parameters: dict[str, torch.Tensor], answer: dict[str, Any]
) -> dict[str, int]:
    """The totals without the gate and up matrices that the implementation makes for experts without computation."""
    surplus = unvisited = 0
    for name, value in parameters.items():
        if not ROUTED.search(name):
            continue
        real = int(model.config.n_routed_experts)
        one = value.numel() // value.shape[0]
        surplus += one * (value.shape[0] - real)
        unvisited += one * (real - min(int(model.config.moe_topk), real))
    total = answer["parameters"] - surplus
    return {"parameters": total, "stored": answer["stored"] - surplus, "active": total - unvisited}


# ------------------------------------------------------------------------------------------------------- the families


def apply(base: Config, changes: Config) -> Config:
    """A configuration with changes; DROP leaves a key out."""
    return {key: value for key, value in (base | changes).items() if value is not DROP}


def llama_like(**more: Any) -> Config:
    base: Config = {
        "vocab_size": 211,
        "hidden_size": 72,
        "intermediate_size": 116,
        "num_hidden_layers": 4,
        "num_attention_heads": 6,
        "num_key_value_heads": 3,
        "max_position_embeddings": 97,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
    }
    return apply(base, more)


def gpt_like(**more: Any) -> Config:
    base: Config = {
        "vocab_size": 211,
        "n_positions": 97,
        "n_embd": 72,
        "n_layer": 4,
        "n_head": 6,
        "n_inner": 116,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-05,
    }
    return apply(base, more)


MLA: Config = {
    "q_lora_rank": 22,
    "kv_lora_rank": 14,
    "qk_nope_head_dim": 10,
    "qk_rope_head_dim": 4,
    "v_head_dim": 18,
    "num_key_value_heads": 6,
}
MOE: Config = {
    "moe_intermediate_size": 26,
    "n_routed_experts": 8,
    "n_shared_experts": 2,
    "num_experts_per_tok": 3,
    "n_group": 2,
    "topk_group": 1,
    "routed_scaling_factor": 1.5,
    "norm_topk_prob": True,
    "scoring_func": "sigmoid",
}
FULL, SLIDING = "full_attention", "sliding_attention"

# Tried on every family whose class or base configuration knows the key.
STANDARD: dict[str, Config] = {
    "tied": {"tie_word_embeddings": True},
    "untied": {"tie_word_embeddings": False},
    "tie-absent": {"tie_word_embeddings": DROP},
    "tie-null": {"tie_word_embeddings": None},
    "kv-absent": {"num_key_value_heads": DROP},
    "kv-null": {"num_key_value_heads": None},
    "kv-one": {"num_key_value_heads": 1},
    "head-dim-given": {"head_dim": 10},
    "head-dim-absent": {"head_dim": DROP},
    "head-dim-null": {"head_dim": None},
    "attention-bias": {"attention_bias": True},
    "attention-bias-false": {"attention_bias": False},
    "attention-bias-absent": {"attention_bias": DROP},
    "mlp-bias": {"mlp_bias": True},
    "intermediate-absent": {"intermediate_size": DROP},
    "n-inner-null": {"n_inner": None},
    "n-inner-absent": {"n_inner": DROP},
    "one-layer": {"num_hidden_layers": 1},
    "q-lora-null": {"q_lora_rank": None},
    "q-lora-absent": {"q_lora_rank": DROP},
    "shared-none": {"n_shared_experts": None},
    "shared-zero": {"n_shared_experts": 0},
    "shared-one": {"n_shared_experts": 1},
    "shared-absent": {"n_shared_experts": DROP},
    "dense-first-0": {"first_k_dense_replace": 0},
    "dense-first-all": {"first_k_dense_replace": 4},
    "dense-first-absent": {"first_k_dense_replace": DROP},
    "layer-types-full": {"layer_types": [FULL] * 4},
    "layer-types-mixed": {"layer_types": [SLIDING, FULL, SLIDING, FULL]},
    "mlp-layer-types": {"mlp_layer_types": ["dense", "sparse", "dense", "sparse"]},
    "old-rope": {"rope_scaling": {"type": "linear", "factor": 2.0}},
    "rope-parameters": {"rope_theta": DROP, "rope_parameters": {"rope_type": "default", "rope_theta": 20000.0}},
    "mtp": {"num_nextn_predict_layers": 2},
}

FAMILIES: dict[str, tuple[Config, dict[str, Config]]] = {
    "openai-gpt": (
        gpt_like(n_inner=DROP, activation_function=DROP, afn="gelu", n_ctx=97),
        {"n-inner-ignored": {"n_inner": 116}},
    ),
    "gpt2": (
        gpt_like(n_ctx=97, scale_attn_weights=True),
        {
            "common-spelling": {
                "n_embd": DROP,
                "hidden_size": 72,
                "n_layer": DROP,
                "num_hidden_layers": 4,
                "n_head": DROP,
                "num_attention_heads": 6,
                "n_positions": DROP,
                "max_position_embeddings": 97,
            },
            "cross-attention": {"add_cross_attention": True},
            "both-spellings": {"hidden_size": 60},
        },
    ),
    "gpt_neo": (
        {
            "vocab_size": 211,
            "max_position_embeddings": 97,
            "hidden_size": 72,
            "num_layers": 4,
            "num_heads": 6,
            "intermediate_size": 116,
            "attention_types": [[["global", "local"], 2]],
            "window_size": 16,
            "activation_function": "gelu_new",
            "layer_norm_epsilon": 1e-05,
        },
        {
            "intermediate-null": {"intermediate_size": None},
            "all-global": {"attention_types": [[["global"], 4]]},
            "attention-layers": {"attention_layers": ["global", "local", "global", "local"]},
        },
    ),
    "gptj": (gpt_like(rotary_dim=4, tie_word_embeddings=False), {"rotary-null": {"rotary_dim": None}}),
    "gpt_neox": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "intermediate_size": 116,
            "max_position_embeddings": 97,
            "hidden_act": "gelu",
            "rotary_pct": 0.25,
            "rotary_emb_base": 10000,
            "use_parallel_residual": True,
            "layer_norm_eps": 1e-05,
            "tie_word_embeddings": False,
        },
        {"sequential": {"use_parallel_residual": False}},
    ),
    "gpt_neox_japanese": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "intermediate_multiple_size": 3,
            "max_position_embeddings": 97,
            "rotary_pct": 0.5,
            "rotary_emb_base": 10000,
            "layer_norm_eps": 1e-05,
        },
        {"multiple-absent": {"intermediate_multiple_size": DROP}, "intermediate-ignored": {"intermediate_size": 116}},
    ),
    "codegen": (gpt_like(n_ctx=97, rotary_dim=4, n_head=4, tie_word_embeddings=False), {"heads-6": {"n_head": 6}}),
    "gpt_bigcode": (
        gpt_like(multi_query=True, scale_attn_weights=True, activation_function="gelu_pytorch_tanh"),
        {
            "multi-head": {"multi_query": False},
            "multi-query-absent": {"multi_query": DROP},
            "cross-attention": {"add_cross_attention": True},
            "cross-attention-multi-head": {"add_cross_attention": True, "multi_query": False},
            "kv-ignored": {"num_key_value_heads": 3},
        },
    ),
    "ctrl": (
        {
            "vocab_size": 211,
            "n_positions": 97,
            "n_embd": 72,
            "dff": 116,
            "n_layer": 4,
            "n_head": 6,
            "layer_norm_epsilon": 1e-06,
        },
        {"dff-absent": {"dff": DROP}},
    ),
    "biogpt": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "intermediate_size": 116,
            "max_position_embeddings": 97,
            "hidden_act": "gelu",
            "scale_embedding": True,
            "layer_norm_eps": 1e-12,
        },
        {"positions-other": {"max_position_embeddings": 64}},
    ),
    "xglm": (
        {
            "vocab_size": 211,
            "max_position_embeddings": 97,
            "d_model": 72,
            "ffn_dim": 116,
            "num_layers": 4,
            "attention_heads": 6,
            "activation_function": "gelu",
            "scale_embedding": True,
        },
        {
            "positions-other": {"max_position_embeddings": 64},
            "common-spelling": {
                "d_model": DROP,
                "hidden_size": 72,
                "num_layers": DROP,
                "num_hidden_layers": 4,
                "attention_heads": DROP,
                "num_attention_heads": 6,
            },
            "cross-attention": {"add_cross_attention": True},
        },
    ),
    "opt": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "ffn_dim": 116,
            "max_position_embeddings": 97,
            "word_embed_proj_dim": 72,
            "do_layer_norm_before": True,
            "activation_function": "relu",
            "_remove_final_layer_norm": False,
        },
        {
            "projected": {"word_embed_proj_dim": 40},
            "post-norm": {"do_layer_norm_before": False},
            "projected-post-norm": {"word_embed_proj_dim": 40, "do_layer_norm_before": False},
            "no-final-norm": {"_remove_final_layer_norm": True},
            "no-bias": {"enable_bias": False},
            "norms-without-weights": {"layer_norm_elementwise_affine": False},
            "projection-absent": {"word_embed_proj_dim": DROP},
            "projection-null": {"word_embed_proj_dim": None},
            "untied-projected": {"word_embed_proj_dim": 40, "tie_word_embeddings": False},
        },
    ),
    "bloom": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "n_layer": 4,
            "n_head": 6,
            "layer_norm_epsilon": 1e-05,
            "apply_residual_connection_post_layernorm": False,
        },
        {
            "n_embed": {"hidden_size": DROP, "n_embed": 72},
            "n_embed-wins": {"n_embed": 60},
            "residual-post-norm": {"apply_residual_connection_post_layernorm": True},
            "num_attention_heads": {"n_head": DROP, "num_attention_heads": 6},
            "common-spelling": {"n_head": DROP, "num_attention_heads": 6, "n_layer": DROP, "num_hidden_layers": 4},
            "hidden-absent": {"hidden_size": DROP},
            "n_embd-ignored": {"hidden_size": DROP, "n_embd": 72},
        },
    ),
    "mpt": (
        {
            "vocab_size": 211,
            "d_model": 72,
            "n_heads": 6,
            "n_layers": 4,
            "expansion_ratio": 4,
            "max_seq_len": 97,
            "no_bias": True,
            "learned_pos_emb": True,
            "norm_type": "low_precision_layernorm",
            "logit_scale": None,
            "attn_config": {
                "alibi": True,
                "attn_impl": "torch",
                "attn_type": "multihead_attention",
                "qk_ln": False,
                "clip_qkv": None,
                "prefix_lm": False,
            },
        },
        {
            "expansion-2": {"expansion_ratio": 2},
            "bias": {"no_bias": False},
            "no-alibi": {"attn_config": {"alibi": False}},
            "qk-ln": {"attn_config": {"alibi": True, "qk_ln": True}},
            "multiquery": {"attn_config": {"attn_type": "multiquery_attention"}},
            "grouped": {"attn_config": {"attn_type": "grouped_query_attention", "kv_n_heads": 2}},
            "attn-config-absent": {"attn_config": DROP},
            "no-pos-emb": {"learned_pos_emb": False},
        },
    ),
    "falcon": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "multi_query": True,
            "parallel_attn": True,
            "bias": False,
            "alibi": False,
            "new_decoder_architecture": False,
            "layer_norm_epsilon": 1e-05,
        },
        {
            "new-architecture": {"new_decoder_architecture": True, "num_kv_heads": 2},
            "new-architecture-kv-absent": {"new_decoder_architecture": True},
            "new-architecture-one-norm": {
                "new_decoder_architecture": True,
                "num_kv_heads": 2,
                "num_ln_in_parallel_attn": 1,
            },
            "two-norms": {"num_ln_in_parallel_attn": 2},
            "new-architecture-not-parallel": {
                "new_decoder_architecture": True,
                "num_kv_heads": 2,
                "parallel_attn": False,
            },
            "rw": {"alibi": True, "bias": True, "multi_query": False, "parallel_attn": False},
            "sequential": {"parallel_attn": False},
            "multi-head": {"multi_query": False},
            "multi-head-kv-given": {"multi_query": False, "num_kv_heads": 2},
            "kv-ignored": {"num_kv_heads": 2},
            "ffn": {"ffn_hidden_size": 116},
            "n_embed": {"n_embed": 60},
            "old-spelling-n_head": {"num_attention_heads": DROP, "n_head": 6, "num_hidden_layers": DROP, "n_layer": 4},
            "bias": {"bias": True},
        },
    ),
    "persimmon": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "intermediate_size": 116,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "max_position_embeddings": 97,
            "hidden_act": "relu2",
            "qk_layernorm": True,
            "rope_theta": 25000.0,
            "partial_rotary_factor": 0.5,
            "layer_norm_eps": 1e-05,
            "tie_word_embeddings": False,
        },
        {"no-qk-norm": {"qk_layernorm": False}, "qk-norm-absent": {"qk_layernorm": DROP}},
    ),
    "phi": (
        llama_like(
            rms_norm_eps=DROP,
            layer_norm_eps=1e-05,
            hidden_act="gelu_new",
            partial_rotary_factor=0.5,
            qk_layernorm=False,
        ),
        {
            "qk-norm": {"qk_layernorm": True},
            "old-spelling": {
                "hidden_size": DROP,
                "n_embd": 72,
                "num_hidden_layers": DROP,
                "n_layer": 4,
                "num_attention_heads": DROP,
                "n_head": 6,
                "num_key_value_heads": DROP,
            },
        },
    ),
    "phi3": (llama_like(original_max_position_embeddings=97, sliding_window=16, partial_rotary_factor=1.0), {}),
    "phimoe": (
        llama_like(
            attention_bias=True,
            lm_head_bias=True,
            num_local_experts=5,
            num_experts_per_tok=2,
            sliding_window=16,
            rms_norm_eps=1e-05,
        ),
        {
            "no-head-bias": {"lm_head_bias": False},
            "head-bias-absent": {"lm_head_bias": DROP},
            "experts-one": {"num_local_experts": 1, "num_experts_per_tok": 1},
        },
    ),
    "stablelm": (
        llama_like(
            rms_norm_eps=DROP,
            layer_norm_eps=1e-05,
            partial_rotary_factor=0.5,
            use_qkv_bias=False,
            qk_layernorm=False,
            use_parallel_residual=False,
        ),
        {
            "qkv-bias": {"use_qkv_bias": True},
            "qk-norm": {"qk_layernorm": True},
            "parallel": {"use_parallel_residual": True},
            "all": {"use_qkv_bias": True, "qk_layernorm": True, "use_parallel_residual": True},
        },
    ),
    "starcoder2": (
        llama_like(
            rms_norm_eps=DROP,
            hidden_act="gelu_pytorch_tanh",
            norm_epsilon=1e-05,
            use_bias=True,
            sliding_window=16,
            tie_word_embeddings=DROP,
        ),
        {"no-bias": {"use_bias": False}, "bias-absent": {"use_bias": DROP}},
    ),
    "llama": (
        llama_like(attention_bias=False, mlp_bias=False),
        {
            "all-bias": {"attention_bias": True, "mlp_bias": True, "head_dim": 10},
            "torch-dtype": {"torch_dtype": "bfloat16", "pretraining_tp": 2},
        },
    ),
    "llama4_text": (
        llama_like(
            head_dim=10,
            intermediate_size_mlp=90,
            num_local_experts=5,
            num_experts_per_tok=2,
            interleave_moe_layer_step=2,
            use_qk_norm=True,
            attention_chunk_size=16,
            tie_word_embeddings=DROP,
        ),
        {
            "all-moe": {"interleave_moe_layer_step": 1},
            "step-absent": {"interleave_moe_layer_step": DROP},
            "moe-layers": {"moe_layers": [0, 3]},
            "moe-layers-none": {"moe_layers": []},
            "no-qk-norm": {"use_qk_norm": False},
            "step-3": {"interleave_moe_layer_step": 3},
            "no-rope-layers": {"no_rope_layers": [1, 1, 0, 1]},
            "top-1": {"num_experts_per_tok": 1},
        },
    ),
    "mistral": (
        llama_like(sliding_window=16),
        {"window-null": {"sliding_window": None}, "layer-types": {"layer_types": [FULL] * 4}},
    ),
    "ministral": (llama_like(head_dim=10, sliding_window=16), {"window-null": {"sliding_window": None}}),
    "ministral3": (
        llama_like(
            head_dim=10,
            sliding_window=None,
            rope_theta=DROP,
            rope_parameters={
                "rope_type": "yarn",
                "rope_theta": 1e6,
                "factor": 4.0,
                "original_max_position_embeddings": 16,
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "mscale": 1.0,
                "mscale_all_dim": 1.0,
                "llama_4_scaling_beta": 0.1,
            },
        ),
        {},
    ),
    "mixtral": (
        llama_like(num_local_experts=5, num_experts_per_tok=2, sliding_window=None),
        {
            "num_experts": {"num_local_experts": DROP, "num_experts": 5},
            "experts-absent": {"num_local_experts": DROP},
            "top-absent": {"num_experts_per_tok": DROP},
            "top-1": {"num_experts_per_tok": 1},
            "top-above": {"num_experts_per_tok": 9},
        },
    ),
    "qwen2": (
        llama_like(use_sliding_window=False, sliding_window=16, max_window_layers=2),
        {"sliding": {"use_sliding_window": True}, "layer-types": {"layer_types": [FULL] * 4}},
    ),
    "qwen2_moe": (
        llama_like(
            decoder_sparse_step=1,
            moe_intermediate_size=26,
            shared_expert_intermediate_size=38,
            num_experts=8,
            num_experts_per_tok=3,
            norm_topk_prob=False,
            use_sliding_window=False,
            sliding_window=16,
            max_window_layers=2,
        ),
        {
            "sparse-step-2": {"decoder_sparse_step": 2},
            "sparse-step-3": {"decoder_sparse_step": 3},
            "mlp-only": {"mlp_only_layers": [0, 3]},
            "step-and-only": {"decoder_sparse_step": 2, "mlp_only_layers": [1]},
            "no-qkv-bias": {"qkv_bias": False},
            "no-experts": {"num_experts": 0},
            "shared-zero": {"shared_expert_intermediate_size": 0},
            "shared-absent": {"shared_expert_intermediate_size": DROP},
            "n_routed_experts": {"num_experts": DROP, "n_routed_experts": 8},
        },
    ),
    "qwen3": (
        llama_like(
            head_dim=10, attention_bias=False, use_sliding_window=False, sliding_window=None, max_window_layers=4
        ),
        {},
    ),
    "qwen3_moe": (
        llama_like(
            head_dim=10,
            attention_bias=False,
            decoder_sparse_step=1,
            moe_intermediate_size=26,
            num_experts=8,
            num_experts_per_tok=3,
            norm_topk_prob=True,
            mlp_only_layers=[],
            use_sliding_window=False,
            sliding_window=None,
            max_window_layers=4,
        ),
        {
            "sparse-step-2": {"decoder_sparse_step": 2},
            "mlp-only": {"mlp_only_layers": [0, 3]},
            "no-experts": {"num_experts": 0},
            "shared-ignored": {"shared_expert_intermediate_size": 38},
            "num_local_experts": {"num_experts": DROP, "num_local_experts": 8},
        },
    ),
    "gemma": (
        llama_like(head_dim=10, hidden_act="gelu", hidden_activation=None, tie_word_embeddings=DROP),
        {"mqa": {"num_key_value_heads": 1}},
    ),
    "gemma2": (
        llama_like(
            head_dim=10,
            hidden_act=DROP,
            hidden_activation="gelu_pytorch_tanh",
            sliding_window=16,
            query_pre_attn_scalar=10,
            attn_logit_softcapping=50.0,
            final_logit_softcapping=30.0,
            tie_word_embeddings=DROP,
        ),
        {},
    ),
    "gemma3_text": (
        llama_like(
            head_dim=10,
            hidden_act=DROP,
            hidden_activation="gelu_pytorch_tanh",
            num_hidden_layers=6,
            sliding_window=16,
            sliding_window_pattern=3,
            query_pre_attn_scalar=10,
            tie_word_embeddings=DROP,
        ),
        {
            "layer-types": {"layer_types": [SLIDING] * 5 + [FULL]},
            "bidirectional": {"use_bidirectional_attention": True},
        },
    ),
    "gemma3n_text": (
        llama_like(
            head_dim=10,
            hidden_act=DROP,
            hidden_activation="gelu_pytorch_tanh",
            num_hidden_layers=6,
            intermediate_size=[116, 116, 100, 100, 84, 84],
            num_kv_shared_layers=2,
            vocab_size_per_layer_input=190,
            hidden_size_per_layer_input=14,
            altup_num_inputs=3,
            altup_active_idx=0,
            altup_correct_scale=True,
            altup_coef_clip=120.0,
            laurel_rank=8,
            sliding_window=16,
            activation_sparsity_pattern=[0.95, 0.95, 0.0, 0.0, 0.0, 0.0],
            layer_types=[SLIDING, SLIDING, FULL, SLIDING, SLIDING, FULL],
            tie_word_embeddings=DROP,
        ),
        {
            "one-width": {"intermediate_size": 116},
            "nothing-shared": {"num_kv_shared_layers": 0},
            "shared-three": {"num_kv_shared_layers": 3},
            "no-correct-scale": {"altup_correct_scale": False},
            "altup-two": {"altup_num_inputs": 2},
            "layer-types-absent": {"layer_types": DROP},
            "layer-types-full": {"layer_types": [FULL] * 6},
            "sparsity-absent": {"activation_sparsity_pattern": DROP},
            "short-list": {"intermediate_size": [116] * 4},
        },
    ),
    "gemma4_text": (
        llama_like(
            head_dim=10,
            hidden_act=DROP,
            hidden_activation="gelu_pytorch_tanh",
            rope_theta=DROP,
            num_hidden_layers=6,
            global_head_dim=14,
            num_global_key_value_heads=2,
            attention_k_eq_v=False,
            num_kv_shared_layers=0,
            hidden_size_per_layer_input=0,
            vocab_size_per_layer_input=190,
            enable_moe_block=False,
            use_double_wide_mlp=False,
            sliding_window=16,
            layer_types=[SLIDING, SLIDING, FULL, SLIDING, SLIDING, FULL],
            tie_word_embeddings=DROP,
        ),
        {
            "k-eq-v": {"attention_k_eq_v": True},
            "k-eq-v-kv-absent": {"attention_k_eq_v": True, "num_global_key_value_heads": DROP},
            "global-head-dim-absent": {"global_head_dim": DROP},
            "global-head-dim-null": {"global_head_dim": None},
            "per-layer-input": {"hidden_size_per_layer_input": 8},
            "per-layer-input-absent": {"hidden_size_per_layer_input": DROP},
            "shared-two": {"num_kv_shared_layers": 2},
            "shared-three": {"num_kv_shared_layers": 3},
            "double-wide": {"num_kv_shared_layers": 2, "use_double_wide_mlp": True},
            "double-wide-nothing-shared": {"use_double_wide_mlp": True},
            "moe": {"enable_moe_block": True, "num_experts": 5, "top_k_experts": 2, "moe_intermediate_size": 26},
            "moe-all": {
                "enable_moe_block": True,
                "num_experts": 5,
                "top_k_experts": 2,
                "moe_intermediate_size": 26,
                "attention_k_eq_v": True,
                "hidden_size_per_layer_input": 8,
            },
            "experts-without-block": {"num_experts": 5, "top_k_experts": 2, "moe_intermediate_size": 26},
            "layer-types-absent": {"layer_types": DROP},
            "last-sliding": {"layer_types": [SLIDING, SLIDING, FULL, SLIDING, FULL, SLIDING]},
            "layer-types-full": {"layer_types": [FULL] * 6},
            "bidirectional-all": {"use_bidirectional_attention": "all"},
            "bidirectional-vision": {"use_bidirectional_attention": "vision"},
        },
    ),
    "vaultgemma": (
        llama_like(
            head_dim=10,
            hidden_act=DROP,
            hidden_activation="gelu_pytorch_tanh",
            sliding_window=16,
            query_pre_attn_scalar=10,
            tie_word_embeddings=DROP,
        ),
        {},
    ),
    "cohere": (
        llama_like(
            rms_norm_eps=DROP,
            layer_norm_eps=1e-05,
            logit_scale=0.0625,
            use_qk_norm=False,
            attention_bias=False,
            tie_word_embeddings=DROP,
        ),
        {"qk-norm": {"use_qk_norm": True}, "qk-norm-head-dim": {"use_qk_norm": True, "head_dim": 10}},
    ),
    "cohere2": (
        llama_like(
            rms_norm_eps=DROP,
            layer_norm_eps=1e-05,
            logit_scale=0.0625,
            sliding_window=16,
            sliding_window_pattern=2,
            use_qk_norm=False,
            tie_word_embeddings=DROP,
        ),
        {"qk-norm-ignored": {"use_qk_norm": True}},
    ),
    "dbrx": (
        {
            "vocab_size": 211,
            "d_model": 72,
            "n_heads": 6,
            "n_layers": 4,
            "max_seq_len": 97,
            "attn_config": {"clip_qkv": 8, "kv_n_heads": 3, "rope_theta": 500000},
            "ffn_config": {"ffn_hidden_size": 26, "moe_num_experts": 5, "moe_top_k": 2, "ffn_act_fn": {"name": "silu"}},
            "tie_word_embeddings": False,
        },
        {
            "kv-absent": {"attn_config": {"rope_theta": 500000}},
            "attn-config-absent": {"attn_config": DROP},
            "ffn-config-absent": {"ffn_config": DROP},
            "model-type-in-nested": {
                "attn_config": {"kv_n_heads": 3, "model_type": "", "rope_theta": 500000},
                "ffn_config": {"ffn_hidden_size": 26, "model_type": "", "moe_num_experts": 5, "moe_top_k": 2},
            },
            "hidden-in-ffn": {
                "ffn_config": {"hidden_size": 50, "ffn_hidden_size": 26, "moe_num_experts": 5, "moe_top_k": 2}
            },
        },
    ),
    "olmo": (llama_like(rms_norm_eps=DROP, attention_bias=False, clip_qkv=None), {"clip": {"clip_qkv": 8.0}}),
    "olmo2": (llama_like(attention_bias=False), {}),
    "olmo3": (llama_like(attention_bias=False, sliding_window=16), {}),
    "olmoe": (
        llama_like(
            attention_bias=False,
            clip_qkv=None,
            num_experts=8,
            num_experts_per_tok=3,
            norm_topk_prob=False,
            intermediate_size=26,
        ),
        {"num_local_experts": {"num_experts": DROP, "num_local_experts": 8}},
    ),
    "flex_olmo": (
        llama_like(
            attention_bias=False, num_experts=7, num_experts_per_tok=3, norm_topk_prob=False, intermediate_size=26
        ),
        {},
    ),
    "jetmoe": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_hidden_layers": 4,
            "num_key_value_heads": 3,
            "kv_channels": 10,
            "num_attention_heads": 6,
            "intermediate_size": 116,
            "max_position_embeddings": 97,
            "activation_function": "silu",
            "num_local_experts": 5,
            "num_experts_per_tok": 2,
            "rms_norm_eps": 1e-05,
            "rope_theta": 10000.0,
        },
        {
            "published-names": {
                "num_local_experts": DROP,
                "moe_num_experts": 5,
                "num_experts_per_tok": DROP,
                "moe_top_k": 2,
            },
            "top-3": {"num_experts_per_tok": 3},
            "heads-contradict": {"num_attention_heads": 12},
            "channels-absent": {"kv_channels": DROP},
        },
    ),
    "granite": (
        llama_like(
            attention_bias=False,
            mlp_bias=False,
            attention_multiplier=0.1,
            embedding_multiplier=12.0,
            logits_scaling=8.0,
            residual_multiplier=0.22,
        ),
        {},
    ),
    "granitemoe": (
        llama_like(
            attention_bias=False,
            num_local_experts=5,
            num_experts_per_tok=2,
            attention_multiplier=0.1,
            embedding_multiplier=12.0,
            logits_scaling=8.0,
            residual_multiplier=0.22,
            intermediate_size=26,
        ),
        {},
    ),
    "granitemoeshared": (
        llama_like(
            attention_bias=False,
            num_local_experts=5,
            num_experts_per_tok=2,
            shared_intermediate_size=38,
            intermediate_size=26,
        ),
        {
            "shared-zero": {"shared_intermediate_size": 0},
            "shared-absent": {"shared_intermediate_size": DROP},
            "no-experts": {"num_local_experts": 0},
        },
    ),
    "cohere2_moe": (
        llama_like(head_dim=14, num_experts=8, num_experts_per_tok=3, rms_norm_eps=DROP, sliding_window=17),
        {
            "first-dense": {"first_k_dense_replace": 2, "prefix_dense_intermediate_size": 47, "num_shared_experts": 2},
            "layers": {
                "layer_types": [FULL, SLIDING, FULL, SLIDING],
                "mlp_layer_types": ["sparse", "dense", "dense", "sparse"],
                "num_shared_experts": 1,
                "shared_expert_combination_strategy": "sum",
            },
            "sigmoids": {"expert_selection_fn": "sigmoid", "rms_norm_eps": 1e-5, "attention_bias": True},
        },
    ),
    "mellum": (
        llama_like(
            head_dim=14,
            num_experts=8,
            num_experts_per_tok=3,
            moe_intermediate_size=26,
            sliding_window=17,
            layer_types=[FULL, SLIDING, SLIDING, FULL],
            rope_theta=DROP,
        ),
        {"mlps": {"mlp_layer_types": ["sparse", "dense", "sparse", "dense"], "attention_bias": True}},
    ),
    "laguna": (
        llama_like(
            head_dim=14,
            num_experts=8,
            num_experts_per_tok=3,
            moe_intermediate_size=26,
            shared_expert_intermediate_size=38,
            moe_routed_scaling_factor=2.0,
            sliding_window=17,
            layer_types=[FULL, SLIDING, SLIDING, FULL],
            rope_theta=DROP,
        ),
        {
            "heads": {"num_attention_heads_per_layer": [6, 9, 3, 6], "gating": "per-element", "attention_bias": True},
            "mlps": {"mlp_layer_types": ["sparse", "dense", "sparse", "dense"], "gating": False},
            "kinds-absent": {"layer_types": DROP, "moe_router_logit_softcapping": 3.0},
        },
    ),
    "hy_v3": (
        llama_like(
            head_dim=14,
            num_experts=8,
            num_experts_per_tok=3,
            moe_intermediate_size=26,
            num_shared_experts=2,
            router_scaling_factor=2.0,
        ),
        {
            "biases": {"attention_bias": True, "mlp_bias": True},
            "none-shared": {"num_shared_experts": 0},
            "layers": {"mlp_layer_types": ["sparse", "dense", "sparse", "dense"]},
        },
    ),
    "granite_swa": (
        llama_like(layer_rope_theta=[100.0, 0, 500.0, 100.0], sliding_window=17, layer_types=DROP, mlp_bias=False),
        {"layer-types": {"layer_types": [SLIDING, FULL, SLIDING, SLIDING]}, "one-base": {"layer_rope_theta": DROP}},
    ),
    "granitemoe_swa": (
        llama_like(
            attention_bias=False,
            num_local_experts=5,
            num_experts_per_tok=2,
            shared_intermediate_size=38,
            intermediate_size=26,
            sliding_window=17,
        ),
        {"shared-absent": {"shared_intermediate_size": DROP}, "bases": {"layer_rope_theta": [0, 9.0, 9.0, 0]}},
    ),
    "deepseek_v2": (
        llama_like(
            **(MLA | MOE),
            first_k_dense_replace=1,
            topk_method="greedy",
            attention_bias=False,
            moe_layer_freq=1,
            aux_loss_alpha=0.001,
            head_dim=DROP,
        ),
        {
            "top-absent": {"num_experts_per_tok": DROP},
            "freq-2": {"moe_layer_freq": 2},
            "grouped": {"topk_method": "group_limited_greedy"},
        },
    ),
    "deepseek_v3": (
        llama_like(
            **(MLA | MOE), first_k_dense_replace=1, topk_method="noaux_tc", attention_bias=False, moe_layer_freq=1
        ),
        {
            "method-greedy": {"topk_method": "greedy"},
            "scoring-softmax": {"scoring_func": "softmax"},
            "freq-2": {"moe_layer_freq": 2},
            "num_local_experts": {"n_routed_experts": DROP, "num_local_experts": 8},
        },
    ),
    "deepseek_v32": (
        llama_like(
            **(MLA | MOE),
            first_k_dense_replace=1,
            topk_method="noaux_tc",
            attention_bias=False,
            moe_layer_freq=1,
            index_topk=16,
            index_head_dim=12,
            index_n_heads=5,
        ),
        {
            "num_experts": {"n_routed_experts": DROP, "num_experts": 8},
            "index-absent": {"index_head_dim": DROP, "index_n_heads": DROP},
        },
    ),
    "deepseek_v4": (
        llama_like(
            hidden_size=72,
            intermediate_size=DROP,
            head_dim=16,
            num_attention_heads=6,
            num_key_value_heads=1,
            q_lora_rank=22,
            qk_rope_head_dim=4,
            o_groups=3,
            o_lora_rank=14,
            index_n_heads=5,
            index_head_dim=12,
            index_topk=8,
            hc_mult=3,
            hc_sinkhorn_iters=4,
            hc_eps=1e-06,
            moe_intermediate_size=26,
            n_routed_experts=8,
            n_shared_experts=1,
            num_experts_per_tok=3,
            num_hidden_layers=6,
            num_hash_layers=2,
            compress_ratios=[0, 0, 4, 128, 4, 0, 0],
            compress_rope_theta=160000,
            sliding_window=16,
            swiglu_limit=10.0,
            scoring_func="sqrtsoftplus",
            norm_topk_prob=True,
            routed_scaling_factor=1.5,
            attention_bias=False,
            num_nextn_predict_layers=1,
        ),
        {
            "no-hash": {"num_hash_layers": 0},
            "hash-absent": {"num_hash_layers": DROP},
            "ratios-absent": {"compress_ratios": DROP},
            "all-sliding": {"compress_ratios": [0] * 6},
            "all-sparse": {"compress_ratios": [4] * 6},
            "all-heavy": {"compress_ratios": [128] * 6},
            "layer-types": {
                "compress_ratios": DROP,
                "layer_types": [SLIDING, "compressed_sparse_attention", "heavily_compressed_attention"] * 2,
            },
            "rates": {"compress_rate_csa": 3, "compress_rate_hca": 7},
            "shared-two": {"n_shared_experts": 2},
            "mlp-layer-types": {"mlp_layer_types": ["moe", "hash_moe"] * 3},
            "intermediate": {"moe_intermediate_size": DROP, "intermediate_size": 26},
            "layer-types-full": {"compress_ratios": DROP, "layer_types": [FULL] * 6},
            "layer-types-mixed": {"compress_ratios": DROP, "layer_types": [SLIDING, FULL] * 3},
        },
    ),
    "dots1": (
        llama_like(
            **(MOE | {"num_key_value_heads": 3}),
            first_k_dense_replace=1,
            head_dim=10,
            attention_bias=False,
            sliding_window=None,
            max_window_layers=4,
        ),
        {},
    ),
    "glm": (llama_like(head_dim=10, attention_bias=True, partial_rotary_factor=0.5), {}),
    "glm4": (llama_like(head_dim=10, attention_bias=True, partial_rotary_factor=0.5), {}),
    "glm4_moe": (
        llama_like(
            **MOE,
            first_k_dense_replace=1,
            head_dim=10,
            attention_bias=True,
            partial_rotary_factor=0.5,
            use_qk_norm=False,
            num_nextn_predict_layers=1,
        ),
        {"qk-norm": {"use_qk_norm": True}},
    ),
    "glm4_moe_lite": (
        llama_like(**(MLA | MOE), first_k_dense_replace=1, attention_bias=False, topk_method="noaux_tc"),
        {"mlp-layer-types-all": {"mlp_layer_types": ["sparse"] * 4}},
    ),
    "glm_moe_dsa": (
        llama_like(
            **(MLA | MOE),
            num_hidden_layers=6,
            first_k_dense_replace=1,
            attention_bias=False,
            index_topk=16,
            index_head_dim=12,
            index_n_heads=5,
            head_dim=4,
            qk_head_dim=14,
        ),
        {
            "indexer-types": {"indexer_types": ["full", "shared", "full", "shared", "full", "shared"]},
            "indexer-freq": {"index_topk_freq": 2, "index_skip_topk_offset": 1},
            "indexer-freq-default-offset": {"index_topk_freq": 3},
            "indexer-pattern": {"index_topk_pattern": "FSSFSS"},
            "mlp-layer-types": {"mlp_layer_types": ["dense", "sparse"] * 3},
            "layer-types-full": {"layer_types": [FULL] * 6},
            "layer-types-mixed": {"layer_types": ["indexed_attention"] * 6},
        },
    ),
    "gpt_oss": (
        llama_like(
            head_dim=10,
            num_local_experts=5,
            num_experts_per_tok=2,
            experts_per_token=2,
            attention_bias=True,
            sliding_window=16,
            swiglu_limit=7.0,
            intermediate_size=58,
            layer_types=[SLIDING, FULL, SLIDING, FULL],
        ),
        {
            "experts-per-token-only": {"num_experts_per_tok": DROP},
            "num_experts": {"num_local_experts": DROP, "num_experts": 5},
            "contradicting": {"experts_per_token": 3},
        },
    ),
    "ernie4_5": (llama_like(head_dim=10, use_bias=False, tie_word_embeddings=DROP), {"bias": {"use_bias": True}}),
    "ernie4_5_moe": (
        llama_like(
            use_bias=False,
            moe_intermediate_size=26,
            moe_k=3,
            moe_num_experts=8,
            moe_num_shared_experts=2,
            moe_layer_start_index=1,
            moe_layer_end_index=-1,
            moe_layer_interval=1,
            num_hidden_layers=6,
            tie_word_embeddings=DROP,
        ),
        {
            "bias": {"use_bias": True},
            "no-shared": {"moe_num_shared_experts": 0},
            "interval-2": {"moe_layer_interval": 2},
            "interval-3": {"moe_layer_interval": 3},
            "end-3": {"moe_layer_end_index": 3},
            "start-0": {"moe_layer_start_index": 0},
            "start-absent": {"moe_layer_start_index": DROP},
            "num_experts": {"moe_num_experts": DROP, "num_experts": 8},
            "head-dim-given": {"head_dim": 10},
        },
    ),
    "hunyuan_v1_dense": (
        llama_like(attention_bias=False, use_qk_norm=True, attention_head_dim=10, head_dim=10),
        {"no-qk-norm": {"use_qk_norm": False}, "attention-head-dim-only": {"head_dim": DROP}},
    ),
    "hunyuan_v1_moe": (
        llama_like(
            attention_bias=False,
            use_qk_norm=True,
            num_experts=8,
            moe_topk=[3, 3, 3, 3],
            num_shared_expert=[1, 1, 1, 1],
            moe_intermediate_size=[116, 116, 116, 116],
            use_mixed_mlp_moe=True,
            head_dim=10,
            tie_word_embeddings=True,
        ),
        {
            "topk-number": {"moe_topk": 3},
            "topk-differs": {"moe_topk": [1, 2, 3, 4]},
            "shared-two": {"num_shared_expert": [2] * 4},
            "moe-width-number": {"moe_intermediate_size": 26},
            "num_experts_per_tok": {"moe_topk": DROP, "num_experts_per_tok": 3},
            "experts-list": {"num_experts": [8, 8, 8, 8]},
            "no-mixed": {"use_mixed_mlp_moe": False},
            "skipped": {"moe_layer_num_skipped": 1},
        },
    ),
    "minicpm3": (
        llama_like(
            **(MLA | {"v_head_dim": DROP}), scale_emb=12, scale_depth=1.4, dim_model_base=9, tie_word_embeddings=DROP
        ),
        {"v-head-dim": {"v_head_dim": 18}, "v-head-dim-null": {"v_head_dim": None}},
    ),
    "minimax_m2": (
        llama_like(
            head_dim=10,
            num_local_experts=8,
            num_experts_per_tok=3,
            intermediate_size=26,
            rotary_dim=4,
            use_qk_norm=True,
            qk_norm_type="per_layer",
            use_routing_bias=True,
            scoring_func="sigmoid",
            shared_intermediate_size=0,
            use_mtp=True,
            num_mtp_modules=3,
        ),
        {
            "no-qk-norm": {"use_qk_norm": False},
            "no-routing-bias": {"use_routing_bias": False},
            "shared": {"shared_intermediate_size": 38},
        },
    ),
    "mimo_v2_flash": (
        llama_like(
            **(MOE | {"num_key_value_heads": 1, "n_shared_experts": None, "routed_scaling_factor": None}),
            num_hidden_layers=6,
            head_dim=14,
            v_head_dim=10,
            swa_num_attention_heads=6,
            swa_num_key_value_heads=2,
            swa_head_dim=14,
            swa_v_head_dim=10,
            hybrid_layer_pattern=[0, 1, 1, 1, 1, 0],
            moe_layer_freq=[0, 1, 1, 1, 1, 1],
            sliding_window=16,
            sliding_window_size=16,
            add_swa_attention_sink_bias=True,
            add_full_attention_sink_bias=False,
            attention_bias=False,
            partial_rotary_factor=0.334,
            swa_rope_theta=10000,
            layernorm_epsilon=1e-05,
            rms_norm_eps=DROP,
            rope_theta=5000000,
        ),
        {
            "layer-types-full": {"layer_types": [FULL] * 6},
            "layer-types-mixed": {"layer_types": [SLIDING, FULL] * 3},
            "mlp-layer-types": {"mlp_layer_types": ["dense", "sparse"] * 3},
            "pattern-other": {"hybrid_layer_pattern": [0, 1, 0, 1, 0, 1]},
            "moe-freq-other": {"moe_layer_freq": [1, 1, 1, 1, 1, 1]},
            "swa-kv-3": {"swa_num_key_value_heads": 3},
            "swa-dims": {"swa_head_dim": 12, "swa_v_head_dim": 8},
            "full-sinks": {"add_full_attention_sink_bias": True},
            "no-swa-sinks": {"add_swa_attention_sink_bias": False},
            "shared-two": {"n_shared_experts": 2},
        },
    ),
    "longcat_flash": (
        {
            "vocab_size": 211,
            "hidden_size": 72,
            "num_layers": 4,
            "num_attention_heads": 6,
            "max_position_embeddings": 97,
            "ffn_hidden_size": 116,
            "q_lora_rank": 22,
            "kv_lora_rank": 14,
            "qk_nope_head_dim": 10,
            "qk_rope_head_dim": 4,
            "v_head_dim": 18,
            "moe_topk": 3,
            "n_routed_experts": 8,
            "zero_expert_num": 4,
            "zero_expert_type": "identity",
            "expert_ffn_hidden_size": 26,
            "routed_scaling_factor": 6.0,
            "attention_bias": False,
            "router_bias": False,
            "rms_norm_eps": 1e-05,
            "rope_theta": 10000000.0,
            "mla_scale_q_lora": True,
            "mla_scale_kv_lora": True,
            "attention_method": "MLA",
            "tie_word_embeddings": False,
        },
        {
            "no-zero-experts": {"zero_expert_num": 0},
            "zero-experts-null": {"zero_expert_num": None},
            "zero-absent": {"zero_expert_num": DROP},
            "router-bias": {"router_bias": True},
            "num_hidden_layers": {"num_layers": DROP, "num_hidden_layers": 4},
            "both-layer-counts": {"num_hidden_layers": 8},
            "one-layer": {"num_layers": 1},
        },
    ),
    "smollm3": (
        llama_like(
            attention_bias=False,
            mlp_bias=False,
            no_rope_layers=[1, 1, 1, 0],
            use_sliding_window=False,
            sliding_window=None,
            tie_word_embeddings=DROP,
        ),
        {},
    ),
    "exaone4": (
        llama_like(head_dim=10, sliding_window=16, sliding_window_pattern=4),
        {
            "pattern-letters": {"sliding_window_pattern": "LLLG", "layer_types": [SLIDING, SLIDING, SLIDING, FULL]},
            "window-null": {"sliding_window": None, "layer_types": [FULL] * 4},
            "window-null-types-absent": {"sliding_window": None},
        },
    ),
    "exaone_moe": (
        llama_like(
            head_dim=10,
            sliding_window=16,
            sliding_window_pattern=4,
            first_k_dense_replace=1,
            moe_intermediate_size=26,
            num_experts=8,
            num_experts_per_tok=3,
            num_shared_experts=2,
            n_group=2,
            topk_group=1,
            norm_topk_prob=True,
            routed_scaling_factor=2.5,
        ),
        {
            "shared-0": {"num_shared_experts": 0},
            "shared-3": {"num_shared_experts": 3},
            "is-moe-layer": {"is_moe_layer": [False, True, True, False]},
        },
    ),
    "nemotron": (
        llama_like(
            rms_norm_eps=DROP,
            norm_eps=1e-05,
            hidden_act="relu2",
            attention_bias=False,
            mlp_bias=False,
            partial_rotary_factor=0.5,
        ),
        {"kv-channels": {"kv_channels": 10}},
    ),
    "arcee": (llama_like(hidden_act="relu2", attention_bias=False, mlp_bias=False), {}),
    "apertus": (
        llama_like(hidden_act="xielu", attention_bias=False, qk_norm=True, mlp_bias=False, post_norm=False),
        {"act-silu": {"hidden_act": "silu"}, "no-qk-norm": {"qk_norm": False}},
    ),
    "apertus1p5_text": (
        llama_like(hidden_act="xielu", attention_bias=False),
        {"whole-head": {"output_vocab_size": 211}, "pruned-head": {"output_vocab_size": 100}},
    ),
    "exaone": (
        llama_like(rms_norm_eps=DROP, layer_norm_epsilon=1e-05, activation_function="silu", hidden_act=DROP),
        {"num-layers": {"num_hidden_layers": DROP, "num_layers": 4}},
    ),
    "iquestcoder": (llama_like(head_dim=10, attention_bias=False, mlp_bias=False, clip_qkv=None), {}),
    "sarvam_moe": (
        llama_like(**MOE, first_k_dense_replace=1, head_dim=10, use_qk_norm=True, num_nextn_predict_layers=0),
        {
            "own-words": {
                "n_routed_experts": DROP,
                "num_experts": 8,
                "n_shared_experts": DROP,
                "num_shared_experts": 2,
                "use_qkv_bias": True,
            },
            "no-qk-norm": {"use_qk_norm": False},
        },
    ),
    "sarvam_mla": (
        llama_like(**(MLA | MOE), first_k_dense_replace=1, attention_bias=False),
        {"own-words": {"n_routed_experts": DROP, "num_experts": 8, "n_shared_experts": DROP, "num_shared_experts": 2}},
    ),
    "seed_oss": (
        llama_like(head_dim=10, attention_bias=True, attention_out_bias=False, mlp_bias=False, residual_dropout=0.1),
        {
            "out-bias": {"attention_out_bias": True},
            "out-bias-only": {"attention_bias": False, "attention_out_bias": True},
        },
    ),
    "bitnet": (llama_like(hidden_act="relu2", attention_bias=False), {}),
    "helium": (llama_like(head_dim=12, attention_bias=False, mlp_bias=False), {}),
    "internlm3": (
        llama_like(head_dim=10, qkv_bias=False, bias=False),
        {
            "both-bias": {"qkv_bias": True, "bias": True},
            "qkv-bias-alone": {"qkv_bias": True},
            "both-bias-new-names": {"qkv_bias": DROP, "bias": DROP, "attention_bias": True, "mlp_bias": True},
        },
    ),
    "solar_open": (
        llama_like(**MOE, head_dim=10, attention_bias=False, first_k_dense_replace=0, partial_rotary_factor=1.0),
        {"dense-first-1": {"first_k_dense_replace": 1}, "qk-norm-ignored": {"use_qk_norm": True}},
    ),
    "youtu": (
        llama_like(**MLA, attention_bias=False, mlp_bias=False, rope_interleave=True, tie_word_embeddings=DROP),
        {},
    ),
    "cwm": (
        llama_like(
            head_dim=10,
            sliding_window=16,
            mlp_bias=False,
            layer_types=[FULL, SLIDING, SLIDING, SLIDING],
            rope_theta=DROP,
        ),
        {},
    ),
    "hyperclovax": (
        llama_like(
            attention_bias=False,
            mlp_bias=False,
            use_post_norm=True,
            attention_multiplier=0.1,
            embedding_multiplier=10.0,
            logits_scaling=0.125,
            residual_multiplier=1.0,
        ),
        {"no-post-norm": {"use_post_norm": False}, "post-norm-absent": {"use_post_norm": DROP}},
    ),
    "jais2": (
        llama_like(rms_norm_eps=DROP, layer_norm_eps=1e-05, hidden_act="relu2", attention_bias=True, mlp_bias=True),
        {"no-bias": {"attention_bias": False, "mlp_bias": False}, "mlp-bias-absent": {"mlp_bias": DROP}},
    ),
    "nanochat": (llama_like(hidden_act="relu2", attention_bias=False, final_logit_softcapping=15.0), {}),
    "diffllama": (
        llama_like(attention_bias=False, num_key_value_heads=2, lambda_std_dev=0.1),
        {"kv-odd": {"num_key_value_heads": 3}},
    ),
    "afmoe": (
        llama_like(
            head_dim=10,
            moe_intermediate_size=26,
            num_dense_layers=1,
            num_experts=8,
            num_experts_per_tok=3,
            num_shared_experts=2,
            route_scale=1.0,
            score_func="sigmoid",
            global_attn_every_n_layers=2,
            sliding_window=16,
            mup_enabled=True,
            n_group=1,
            topk_group=1,
        ),
        {
            "dense-2": {"num_dense_layers": 2},
            "dense-0": {"num_dense_layers": 0},
            "shared-0": {"num_shared_experts": 0},
            "dense-absent": {"num_dense_layers": DROP},
        },
    ),
}

TINY_VISION: dict[str, Config] = {
    "gemma3": {
        "hidden_size": 16,
        "image_size": 28,
        "intermediate_size": 24,
        "model_type": "siglip_vision_model",
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "patch_size": 14,
    },
    "llama4": {
        "hidden_size": 16,
        "image_size": 28,
        "intermediate_size": 64,
        "model_type": "llama4_vision_model",
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "patch_size": 14,
    },
}


def nested(kind: str) -> tuple[Config, dict[str, Config]]:
    """A family whose text model is nested in a larger configuration, after the family of the text model alone."""
    base, variants = FAMILIES[f"{kind}_text"]
    inner = {"model_type": f"{kind}_text", **base}
    outer: Config = {"text_config": inner, "vision_config": TINY_VISION[kind]}
    made: dict[str, Config] = {name: {"text_config": apply(inner, changes)} for name, changes in variants.items()}
    made |= {
        "no-inner-type": {"text_config": apply(inner, {"model_type": DROP})},
        "no-vision": {"vision_config": DROP},
        "outer-tied": {"tie_word_embeddings": True},
        "outer-untied": {"tie_word_embeddings": False},
        "inner-tied": {"text_config": apply(inner, {"tie_word_embeddings": True})},
        "inner-untied": {"text_config": apply(inner, {"tie_word_embeddings": False})},
        "head-dim-absent": {"text_config": apply(inner, {"head_dim": DROP})},
        "kv-absent": {"text_config": apply(inner, {"num_key_value_heads": DROP})},
        "sizes-outside": {"hidden_size": 60, "num_hidden_layers": 3},
    }
    return outer, made


FAMILIES["gemma3"] = nested("gemma3")
FAMILIES["llama4"] = nested("llama4")

for path in sorted(pathlib.Path(__file__).resolve().parent.glob("cases_*.py")):  # further families, file by file
    FAMILIES |= importlib.import_module(path.stem).COUNTS


# ------------------------------------------------------------------------------------------------ cases and mutations


def fields(model_type: str) -> dict[str, Any]:
    """The keys that a configuration class knows beyond those of every model, with their defaults."""
    common = {field.name for field in dataclasses.fields(transformers.PreTrainedConfig)}
    known = {field.name: field.default for field in dataclasses.fields(CONFIG_MAPPING[model_type])}
    return {name: default for name, default in known.items() if name not in common or name == "tie_word_embeddings"}


def fields_padding(model_type: str) -> int | None:
    """The padding token that a configuration class takes where none is given."""
    found: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(CONFIG_MAPPING[model_type])}
    return found["pad_token_id"] if isinstance(found.get("pad_token_id"), int) else None


def cases(model_type: str) -> Iterator[tuple[str, Config]]:
    """The base configuration and its variants, each configuration once."""
    base, own = FAMILIES[model_type]
    base = {"model_type": model_type, **base}
    if (fields_padding(model_type) or 0) >= base.get("vocab_size", sys.maxsize):
        base["pad_token_id"] = None  # the default of the class lies outside the small vocabulary
    aliases = CONFIG_MAPPING[model_type].attribute_map
    known = {*fields(model_type), *base, *aliases} - set(aliases.values())
    known |= set(base) | set(fields(model_type)) | {"head_dim"} if "num_key_value_heads" in base else set()
    if "text_config" in base:
        known = set()
    if "rope_theta" not in base:
        known -= {"rope_scaling", "rope_parameters"}
    else:
        known |= {"rope_scaling", "rope_parameters"}
    general = {
        name: changes
        for name, changes in STANDARD.items()
        if name not in own
        and all(key in known for key in changes)
        and not (name.startswith("layer-types") and base.get("num_hidden_layers") != 4)
    }
    seen = {json.dumps(base, sort_keys=True)}
    yield "base", base
    for name, changes in {**own, **general}.items():
        made = apply(base, changes)
        if (text := json.dumps(made, sort_keys=True)) not in seen:
            seen.add(text)
            yield name, made


UNSIZED = re.compile(
    r"token_id$|^(initializer_range|use_cache|init_std|init_device|summary_.*|.*pdrop|.*dropout.*|layerdrop|.*_coef|.*_eps|.*epsilon|model_type|time_step_limit|.*jitter_noise|torch_dtype|mamba_.*|use_return_dict)$"
)
PROBES = (
    "head_dim",
    "attention_bias",
    "mlp_bias",
    "qkv_bias",
    "bias",
    "use_bias",
    "num_key_value_heads",
    "intermediate_size",
    "tie_word_embeddings",
    "use_qk_norm",
    "n_inner",
    "hidden_size",
    "num_nextn_predict_layers",
    "num_shared_experts",
    "n_shared_experts",
    "first_k_dense_replace",
    "shared_intermediate_size",
)
WORDS: dict[str, list[Any]] = {
    "hidden_act": ["gelu"],
    "hidden_activation": ["silu"],
    "activation_function": ["relu"],
    "topk_method": ["greedy"],
    "scoring_func": ["softmax"],
    "position_embedding_type": ["nope"],
    "norm_type": ["rmsnorm"],
    "attn_type": ["multiquery_attention"],
    "use_bidirectional_attention": ["all"],
    "qk_norm_type": ["per_head"],
}


def alternatives(key: str, value: Any, own: bool) -> Iterator[Any]:
    """Other values for one key: a size that keeps divisibility, one that breaks it, zero, null, a flipped boolean."""
    if isinstance(value, bool):
        yield from (not value, None)
    elif isinstance(value, int):
        yield from (value * 2, value + 1, 0, None) if own else (3, 0, None)
    elif isinstance(value, float):
        yield from (value * 2,)
    elif isinstance(value, str):
        yield from WORDS.get(key, [])
    elif isinstance(value, list) and value:
        yield from (value[::-1], value[:-1], None)
    elif value is None:
        yield from (3, True)


def mutations(base: Config, model_type: str) -> Iterator[tuple[str, Any]]:
    """All single changes of a configuration: (key, value), a dot for nested keys, DROP for a key left out."""
    for key, value in base.items():
        if UNSIZED.search(key):
            continue
        if isinstance(value, dict) and key in ("attn_config", "ffn_config", "text_config"):
            inner = value.get("model_type", "")
            for name, other in mutations(value, inner if key == "text_config" else ""):
                yield f"{key}.{name}", other
            yield key, DROP
            continue
        yield key, DROP
        for other in alternatives(key, value, own=True):
            yield key, other
    if model_type not in CONFIG_MAPPING:
        return
    rest = {key: value for key, value in fields(model_type).items() if key not in base}
    if "text_config" not in base:
        rest = {**dict.fromkeys(key for key in PROBES if key not in base), **rest}
    for key, default in rest.items():
        if UNSIZED.search(key) or key.endswith("_config") or key.endswith("_index"):
            continue
        if default is None or default is dataclasses.MISSING:
            if key.endswith(("_types", "_layers", "_parameters", "_pattern", "_rates")) or key in (
                "attention_types",
                "clip_qkv",
            ):
                continue
            yield key, True if re.search("bias|^use_|norm$", key) else 3
        else:
            for other in alternatives(key, default, own=False):
                yield key, other


def changed(base: Config, key: str, value: Any) -> Config:
    """A configuration with one key changed; a dot leads into a nested configuration."""
    if "." in key:
        outer, inner = key.split(".", 1)
        return {**base, outer: changed(base[outer], inner, value)}
    return apply(base, {key: value})


def attempt(config: Config, tensors: bool) -> dict[str, Any]:
    """The counts of a configuration, or the first line of the reason why the reference refuses it."""
    try:
        return measure(config, tensors)
    except MethodError:
        raise
    except Exception as fault:
        text = " ".join(str(fault).split())
        text = re.sub(r"^(Class validation|Validation) error for (field|validator) '\w+': ", "", text)
        name = (
            type(fault)
            .__name__.replace("StrictDataclassFieldValidationError", "field")
            .replace("StrictDataclassClassValidationError", "class")
        )
        return {"error": f"{name}: {text}"[:160]}


def write(path: pathlib.Path, head: str, rows: list[dict[str, Any]], tail: str) -> None:
    path.parent.mkdir(exist_ok=True)
    body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    path.write_text(f"{head}{body}{tail}\n")


def regenerate(model_type: str, folder: pathlib.Path) -> tuple[int, int, int]:
    """Write the files of one family; returns the numbers of cases, mutations and refusals."""
    rows = [{"case": name, "config": config, **attempt(config, tensors=True)} for name, config in cases(model_type)]
    if "error" in rows[0]:
        raise MethodError(f"{model_type}: {rows[0]['error']}")
    kept = [row for row in rows if "error" not in row]
    for row in rows:
        if "error" in row:
            print(f"  {model_type} {row['case']}: {row['error']}")
    write(folder / "counts" / f"{model_type}.json", "[\n", kept, "\n]")
    base = rows[0]["config"]
    found: list[dict[str, Any]] = []
    seen = {json.dumps(base, sort_keys=True)}
    for key, value in mutations(base, model_type):
        config = changed(base, key, value)
        if (text := json.dumps(config, sort_keys=True)) in seen:
            continue
        seen.add(text)
        found.append(
            {"key": key, **({"dropped": True} if value is DROP else {"value": value}), **attempt(config, tensors=False)}
        )
    head = {key: rows[0][key] for key in ("parameters", "stored", "active", "frozen", "corrected") if key in rows[0]}
    start = json.dumps({"config": base, **head}, separators=(",", ":"))[:-1] + ',\n"mutations":[\n'
    write(folder / "mutations" / f"{model_type}.json", start, found, "\n]}")
    return len(kept), len(found), sum("error" in row for row in found)


# -------------------------------------------------------------------------------------------------------------- check


def check(folder: pathlib.Path, only: set[str]) -> int:
    """Hold the method against truths made elsewhere: DIR/NAME/config.json and DIR/NAME/truth.json."""
    wrong = 0
    for path in sorted(folder.glob("*/truth.json")):
        truth, config = (json.loads((path.parent / name).read_text()) for name in ("truth.json", "config.json"))
        if truth["model_type"] not in FAMILIES or (only and truth["model_type"] not in only):
            continue
        have = attempt(config, tensors=True)
        corrected = truth.get("corrected_total_params")
        want = {"parameters": corrected or truth["total_params"]}
        if not corrected:
            want["stored"] = truth.get("checkpoint_numel")
            want["active"] = truth.get("active_params") or truth["total_params"]
            rows = truth.get("checkpoint_tensors")
            rows = rows if isinstance(rows, list) else truth["tensors"]
            want["tensors"] = sorted([NUMBER.sub("{}", name), shape, copies] for name, shape, copies in rows)
            merged: collections.Counter[tuple[str, tuple[int, ...]]] = collections.Counter()
            for name, shape, copies in want["tensors"]:
                merged[name, tuple(shape)] += copies
            want["tensors"] = [[name, list(shape), copies] for (name, shape), copies in sorted(merged.items())]
        off = [key for key, value in want.items() if value is not None and have.get(key) != value]
        if off:
            wrong += 1
            print(f"{path.parent.name} ({truth['model_type']}): {', '.join(off)}; {have.get('error', '')}")
            for key in off:
                if key == "tensors":
                    print("   missing", [row for row in want[key] if row not in have.get(key, [])][:4])
                    print("   surplus", [row for row in have.get(key, []) if row not in want[key]][:4])
                else:
                    print(f"   {key}: {have.get(key)} for {want[key]}")
        else:
            print(f"{path.parent.name} ({truth['model_type']}): as published")
        sys.stdout.flush()
    print(f"{wrong} wrong")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="model types, separated by commas")
    parser.add_argument(
        "--check", type=pathlib.Path, metavar="DIR", help="hold the method against truths made elsewhere"
    )
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity(logging.CRITICAL)
    only = set(filter(None, args.only.split(",")))
    if args.check:
        return check(args.check, only)
    totals = [0, 0, 0]
    for model_type in FAMILIES:
        if only and model_type not in only:
            continue
        numbers = regenerate(model_type, pathlib.Path(__file__).parent)
        totals = [have + more for have, more in zip(totals, numbers, strict=True)]
        print(f"{model_type}: {numbers[0]} cases, {numbers[1]} mutations, {numbers[2]} of them refused", flush=True)
    print(f"{len(only or FAMILIES)} families: {totals[0]} cases, {totals[1]} mutations, {totals[2]} of them refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
