"""The metadata of a GGUF file in the words of a config.json, for each architecture of llama.cpp that is read so.

What metadata leave open (biases, whether the unembedding is tied) is told by the tensors that are there; whoever asks
holds the whole model against all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from gptcount.errors import InputError, shown

USUAL = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "intermediate_size": "feed_forward_length",
    "max_position_embeddings": "context_length",
    "rope_theta": "rope.freq_base",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "tie_word_embeddings": "!output.weight",
}
"""What a config.json calls what the metadata say: a key after the architecture's name; ``?`` and ``!`` ask whether a
tensor is there or is not, ``=`` repeats another word's value, and nothing takes a word away."""

NULL = object()
"""A word that is said, and is null: absent it would stand for its family's default."""

LAYER_NORM = {"rms_norm_eps": "", "layer_norm_eps": "attention.layer_norm_epsilon"}
WINDOW = {"sliding_window": "attention.sliding_window"}
BIAS = {"attention_bias": "?blk.0.attn_q.bias"}
EXPERTS = {"num_experts": "expert_count", "num_experts_per_tok": "expert_used_count"}
LOCAL_EXPERTS = {"num_local_experts": "expert_count", "num_experts_per_tok": "expert_used_count"}
NARROW = {"moe_intermediate_size": "expert_feed_forward_length"}

WITHOUT = dict.fromkeys(USUAL, "") | {"tie_word_embeddings": "!output.weight"}
"""Nothing of the usual words."""

OPENAI = WITHOUT | {
    "n_embd": "embedding_length",
    "n_layer": "block_count",
    "n_head": "attention.head_count",
    "n_inner": "feed_forward_length",
    "n_positions": "context_length",
    "layer_norm_epsilon": "attention.layer_norm_epsilon",
}

FAMILIES: dict[str, tuple[str, dict[str, str]]] = {
    "llama": ("llama", BIAS | {"mlp_bias": "?blk.0.ffn_up.bias"}),
    "qwen2": ("qwen2", {"head_dim": ""}),
    "qwen2moe": (
        "qwen2_moe",
        EXPERTS | NARROW | {"head_dim": "", "shared_expert_intermediate_size": "expert_shared_feed_forward_length"},
    ),
    "qwen3": ("qwen3", BIAS),
    "qwen3moe": ("qwen3_moe", BIAS | EXPERTS | NARROW),
    "gemma": ("gemma", {}),
    "gemma2": ("gemma2", WINDOW),
    "gemma3": ("gemma3_text", WINDOW),
    "phi2": ("phi", LAYER_NORM | {"head_dim": ""}),
    "phi3": ("phi3", {"head_dim": "", "original_max_position_embeddings": "context_length"}),
    "starcoder": ("gpt_bigcode", OPENAI),
    "starcoder2": (
        "starcoder2",
        {"rms_norm_eps": "", "norm_epsilon": "attention.layer_norm_epsilon", "use_bias": "?blk.0.attn_q.bias"},
    ),
    "gpt2": ("gpt2", OPENAI),
    "gptneox": ("gpt_neox", LAYER_NORM | {"num_key_value_heads": "", "head_dim": "", "rope_theta": ""}),
    "falcon": (
        "falcon",
        WITHOUT
        | {
            "hidden_size": "embedding_length",
            "num_hidden_layers": "block_count",
            "num_attention_heads": "attention.head_count",
            "num_kv_heads": "attention.head_count_kv",
            "ffn_hidden_size": "feed_forward_length",
            "bias": "?blk.0.attn_qkv.bias",
        },
    ),
    "mpt": (
        "mpt",
        WITHOUT
        | {
            "d_model": "embedding_length",
            "n_layers": "block_count",
            "n_heads": "attention.head_count",
            "max_seq_len": "context_length",
            "no_bias": "!blk.0.ffn_up.bias",
        },
    ),
    "bloom": (
        "bloom",
        WITHOUT | {"hidden_size": "embedding_length", "n_layer": "block_count", "n_head": "attention.head_count"},
    ),
    "deepseek2": (
        "deepseek_v2",
        NARROW
        | {
            "head_dim": "",
            "num_key_value_heads": "=num_attention_heads",
            "kv_lora_rank": "attention.kv_lora_rank",
            "qk_rope_head_dim": "rope.dimension_count",
            "n_shared_experts": "expert_shared_count",
            "n_routed_experts": "expert_count",
            "num_experts_per_tok": "expert_used_count",
            "first_k_dense_replace": "leading_dense_block_count",
        },
    ),
    "olmo": ("olmo", {"rms_norm_eps": "", "head_dim": "", "clip_qkv": "attention.clamp_kqv"}),
    "olmo2": ("olmo2", {"head_dim": ""}),
    "olmoe": ("olmoe", EXPERTS | {"head_dim": ""}),
    "granite": ("granite", BIAS | {"head_dim": "", "mlp_bias": "?blk.0.ffn_up.bias"}),
    "granitemoe": ("granitemoe", LOCAL_EXPERTS | {"head_dim": ""}),
    "command-r": ("cohere", LAYER_NORM | {"head_dim": "", "use_qk_norm": "?blk.0.attn_q_norm.weight"}),
    "cohere2": ("cohere2", LAYER_NORM | WINDOW),
    "stablelm": (
        "stablelm",
        LAYER_NORM
        | {
            "head_dim": "",
            "use_qkv_bias": "?blk.0.attn_q.bias",
            "qk_layernorm": "?blk.0.attn_q_norm.weight",
            "use_parallel_residual": "!blk.0.ffn_norm.weight",
        },
    ),
    "exaone4": ("exaone4", WINDOW),
    "nemotron": ("nemotron", {"rms_norm_eps": "", "norm_eps": "attention.layer_norm_epsilon"}),
    "ernie4_5": ("ernie4_5", {"use_bias": "?blk.0.attn_q.bias"}),
    "seed_oss": ("seed_oss", BIAS | {"attention_out_bias": "?blk.0.attn_output.bias"}),
    "smollm3": ("smollm3", BIAS | {"head_dim": ""}),
    "arcee": ("arcee", BIAS),
    "glm4": ("glm4", BIAS),
    "gpt-oss": ("gpt_oss", LOCAL_EXPERTS | WINDOW | {"intermediate_size": "expert_feed_forward_length"}),
}
"""For each architecture of llama.cpp, the ``model_type``, and its own words beside the usual ones."""


def config(metadata: Mapping[str, Any], tensors: Mapping[str, tuple[int, ...]], origin: str) -> dict[str, Any]:
    """The config.json of the model that metadata describe; ``tensors`` gives the shape of each by name.

    Raises InputError where the architecture is none that is read so, or a value differs from layer to layer.
    """
    arch = metadata.get("general.architecture")
    if arch not in FAMILIES:
        raise InputError(
            f"{origin}: general.architecture = {shown(arch)}: not read from the metadata of a GGUF file; "
            "'gptcount audit' counts its tensors, and a config.json describes the model"
        )
    model_type, own = FAMILIES[arch]
    said = {key.removeprefix(f"{arch}."): value for key, value in metadata.items()}
    found: dict[str, Any] = {"model_type": model_type, "vocab_size": (tensors.get("token_embd.weight") or (None,))[0]}
    for word, spec in (USUAL | own).items():
        found[word] = found.get(spec[1:]) if spec[:1] == "=" else _value(spec, said, tensors, f"{origin}: {arch}")
    if special := SPECIAL.get(arch):
        found |= special(found, said, tensors)
    return {word: None if value is NULL else value for word, value in found.items() if value is not None}


def _value(spec: str, said: Mapping[str, Any], tensors: Collection[str], origin: str) -> Any:
    """The value of one word; None where the file does not say it."""
    if spec[:1] in ("?", "!"):
        return (spec[1:] in tensors) is (spec[0] == "?")
    value = said.get(spec)
    if not isinstance(value, list):
        return value
    if not value or any(one != value[0] for one in value):
        raise InputError(f"{origin}.{spec}: not the same in all layers, which is not read")
    return value[0]


Special = Callable[[dict[str, Any], Mapping[str, Any], Collection[str]], dict[str, Any]]
"""Further words, from those that are found, the metadata and the names of the tensors."""


def _llama(found: dict[str, Any], said: Mapping[str, Any], _: Collection[str]) -> dict[str, Any]:
    if not said.get("expert_count"):
        return {}
    experts = {"num_local_experts": said["expert_count"], "num_experts_per_tok": said.get("expert_used_count")}
    base = {"rope_theta": found.get("rope_theta", 10_000.0)}  # llama.cpp's own where the metadata say none
    return experts | base | {"model_type": "mixtral", "attention_bias": None, "mlp_bias": None}


def _rotary(word: str) -> Special:
    """The part of a head that rotary positions turn, under a word of its own."""

    def partial(found: dict[str, Any], said: Mapping[str, Any], _: Collection[str]) -> dict[str, Any]:
        turned, d_model, n = (
            said.get("rope.dimension_count"),
            found.get("hidden_size"),
            found.get("num_attention_heads"),
        )
        whole = d_model // n if isinstance(d_model, int) and isinstance(n, int) and n > 0 else 0
        return {word: turned / whole} if isinstance(turned, int) and whole else {}

    return partial


def _neox(found: dict[str, Any], said: Mapping[str, Any], tensors: Collection[str]) -> dict[str, Any]:
    parallel = said.get("use_parallel_residual", True)
    more = {"use_parallel_residual": parallel, "attention_bias": "blk.0.attn_qkv.bias" in tensors}
    return more | _rotary("rotary_pct")(found, said, tensors)


def _falcon(found: dict[str, Any], _: Mapping[str, Any], tensors: Collection[str]) -> dict[str, Any]:
    two, several = "blk.0.attn_norm_2.weight" in tensors, found["num_kv_heads"] not in (None, 1)
    norms = {"num_ln_in_parallel_attn": 2 if two else 1} if two or several else {}
    return norms | {"new_decoder_architecture": two or several, "multi_query": not several, "parallel_attn": True}


def _mpt(found: dict[str, Any], said: Mapping[str, Any], _: Collection[str]) -> dict[str, Any]:
    width, d_model = said.get("feed_forward_length"), found.get("d_model")
    if not isinstance(width, int) or not isinstance(d_model, int) or d_model < 1 or width % d_model:
        return {}
    return {"expansion_ratio": width // d_model}


def _bigcode(_found: dict[str, Any], said: Mapping[str, Any], _: Collection[str]) -> dict[str, Any]:
    return {"multi_query": said.get("attention.head_count_kv") == 1}


def _deepseek(found: dict[str, Any], said: Mapping[str, Any], tensors: Collection[str]) -> dict[str, Any]:
    whole = said.get("attention.key_length_mla", said.get("attention.key_length"))
    turned = found.get("qk_rope_head_dim")
    plain = whole - turned if isinstance(whole, int) and isinstance(turned, int) else None
    third = any(name.endswith(".exp_probs_b.bias") for name in tensors)
    return {
        "model_type": "deepseek_v3" if third else "deepseek_v2",
        "q_lora_rank": said.get("attention.q_lora_rank", NULL),
        "qk_nope_head_dim": plain,
        "v_head_dim": said.get("attention.value_length_mla", said.get("attention.value_length")),
    }


SPECIAL: dict[str, Special] = {
    "llama": _llama,
    "phi2": _rotary("partial_rotary_factor"),
    "stablelm": _rotary("partial_rotary_factor"),
    "gptneox": _neox,
    "falcon": _falcon,
    "mpt": _mpt,
    "starcoder": _bigcode,
    "deepseek2": _deepseek,
}
"""What is no word for a word."""
