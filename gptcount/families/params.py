"""A params.json, as Meta and Mistral publish beside their own checkpoints, in the words of a config.json.

It translates; what the words mean is the affair of the readers of Llama, Mistral and Mixtral.
"""

from __future__ import annotations

from typing import Any

from gptcount.families import read as read_config
from gptcount.families.common import Part
from gptcount.families.config import Config

TIED = "whether the unembedding is tied is not said by a params.json; it is counted as a matrix of its own"


def is_params(data: dict[str, Any]) -> bool:
    """Whether a JSON object is a params.json, and no config.json."""
    return "dim" in data and "n_layers" in data and data.get("model_type", "transformer") == "transformer"


def read(data: dict[str, Any], origin: str) -> tuple[Part, list[str]]:
    """The specification, as plain data, and what it takes absent keys to be.

    Raises InputError, naming ``origin`` and the key, for whatever is not known to be exact.
    """
    c = Config(data, origin)
    config = translated(c)
    c.finish()
    found, _ = read_config(config, origin)
    for block in (found, *found.get("variations", [])):
        if "attention" in block:
            block["attention"] = _in_pairs(block["attention"])
    return {**found, "notes": [*c.notes, *found.get("notes", [])], "name": c.name()}, c.assumed


def translated(c: Config) -> dict[str, Any]:
    """The config.json of the same model."""
    by_mistral, d_model, n_heads = c.has("hidden_dim"), c.size("dim"), c.size("n_heads")
    if c.data.get("vocab_size", -1) == -1:
        raise c.refusal("vocab_size", "missing or -1: it is the tokenizer's; write it here, 32000 for Llama 1 and 2")
    n_kv_heads = c.size("n_kv_heads", absent=n_heads, null=n_heads)
    window = c.size("sliding_window", absent=None, null=None)
    moe = c.table("moe", absent=None, null=None)
    c.only(causal=True, use_biases=False)
    c.ignore("max_batch_size", "model_type")
    if c.has("vision_encoder"):
        c.ignore("vision_encoder")
        c.notes.append("the language model of a larger one: the vision encoder and what joins it are not counted")
    if not c.has("tied_embeddings") and not by_mistral:
        c.notes.append(TIED)
    config = {
        "model_type": "mixtral" if moe else "mistral" if by_mistral else "llama",
        "vocab_size": c.size("vocab_size"),
        "hidden_size": d_model,
        "num_hidden_layers": c.layers("n_layers"),
        "num_attention_heads": n_heads,
        "num_key_value_heads": n_kv_heads,
        "head_dim": c.size("head_dim", absent=d_model // n_heads, null=d_model // n_heads),
        "intermediate_size": c.size("hidden_dim") if by_mistral else _hidden(c, d_model),
        "rms_norm_eps": c.number("norm_eps", absent=1e-5),
        "rope_theta": c.number("rope_theta", absent=1e6 if by_mistral and not window else 1e4),
        "max_position_embeddings": c.size(
            "max_seq_len", "max_position_embeddings", absent=32_768 if by_mistral else 2048
        ),
        "tie_word_embeddings": c.flag("tied_embeddings", absent=False, null=False),
    }
    if by_mistral:
        config["sliding_window"] = window
    elif window:
        raise c.refusal("sliding_window", "not known beside multiple_of")
    return config | _scaled(c) | (_mixture(moe) if moe else {})


def _hidden(c: Config, d_model: int) -> int:
    """The width of the MLP: two thirds of 4 ``dim``, changed and rounded up as Meta's implementation does."""
    multiple, change = c.size("multiple_of", absent=256), c.number("ffn_dim_multiplier", absent=None, null=None)
    width = int(2 * (4 * d_model) / 3)
    width = int(change * width) if change is not None else width
    if width < 1:
        raise c.refusal("ffn_dim_multiplier", f"{change!r} leaves no width")
    return multiple * -(-width // multiple)


def _scaled(c: Config) -> dict[str, Any]:
    """The scaled rotary positions of Llama 3.1 and later."""
    if not c.flag("use_scaled_rope", absent=False, null=False):
        return {}
    factor = c.number("rope_scaling_factor", "rope_scale_factor", absent=8.0, null=8.0)
    scaling = {"rope_type": "llama3", "factor": factor, "low_freq_factor": 1.0}
    high = c.number("rope_high_freq_factor", "high_freq_factor", absent=4.0, null=4.0)
    return {"rope_scaling": {**scaling, "high_freq_factor": high, "original_max_position_embeddings": 8192}}


def _mixture(moe: Config) -> dict[str, Any]:
    sizes = {"num_local_experts": moe.size("num_experts"), "num_experts_per_tok": moe.size("num_experts_per_tok")}
    moe.finish()
    return sizes


def _in_pairs(attention: Part) -> Part:
    """Attention whose rotary positions turn neighbouring numbers, as these implementations do."""
    return {**attention, "rotary": {**attention["rotary"], "interleaved": True}}
