"""The families: one reader each of a config.json's words, and one table of the names that its checkpoints use.

This file knows which family is read where, and nothing of what they say; a family's module is imported when needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families.config import Config

_TYPES: dict[str, str] = {
    "llama": "llama mistral mixtral",
    "gpt2": "gpt2 openai-gpt gpt_bigcode ctrl",
    "gptj": "gptj codegen",
    "neox": "gpt_neox gpt_neox_japanese gpt_neo",
    "fairseq": "opt biogpt xglm",
    "alibi": "bloom falcon mpt",
    "phi": "phi phi3 phimoe persimmon stablelm starcoder2",
    "qwen": "qwen2 qwen2_moe qwen3 qwen3_moe",
    "llama_kin": "ministral ministral3 arcee seed_oss cwm smollm3 helium "
    "internlm3 hyperclovax jais2 nemotron nanochat apertus bitnet diffllama",
    "ernie": "ernie4_5 ernie4_5_moe",
    "hunyuan": "hunyuan_v1_dense hunyuan_v1_moe",
    "exaone": "exaone4 exaone_moe",
    "gemma": "gemma gemma2 gemma3 gemma3_text vaultgemma",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "cohere": "cohere cohere2",
    "olmo": "olmo olmo2 olmo3 olmoe flex_olmo",
    "granite": "granite granitemoe granitemoeshared granitemoehybrid jetmoe",
    "glm": "glm glm4 glm4_moe dots1 solar_open",
    "mixtures": "minimax_m2 mimo_v2_flash afmoe gpt_oss dbrx",
    "llama4": "llama4 llama4_text",
    "deepseek": "deepseek_v2 deepseek_v3 deepseek_v32 glm4_moe_lite glm_moe_dsa youtu minicpm3",
    "longcat": "longcat_flash",
    "deepseek_v4": "deepseek_v4",
}

MODULES: dict[str, str] = {model_type: module for module, types in _TYPES.items() for model_type in types.split()}
"""Where each ``model_type`` is read."""


class Whole(NamedTuple):
    """What is known of a larger configuration: the ``model_type`` of the language model in its ``text_config``, and
    whether that is tied where the object that decides it, the outer one or the nested, does not say so."""

    text: str
    tied: bool
    outer_decides: bool = True


WHOLES: dict[str, Whole] = {
    "gemma3": Whole("gemma3_text", tied=True),
    "gemma3n": Whole("gemma3n_text", tied=True),
    "gemma4": Whole("gemma4_text", tied=True),
    "llama4": Whole("llama4_text", tied=False, outer_decides=False),
}

LATER: frozenset[str] = frozenset(
    """
    bamba falcon_h1 falcon_mamba jamba kimi_linear lfm2 lfm2_moe mamba mamba2 minimax nemotron_h qwen3_5
    qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen3_next recurrent_gemma rwkv xlstm zamba zamba2
    """.split()
)
"""Families whose layers mix tokens by a state space or linear attention: not counted yet, and refused by name."""


def read(data: dict[str, Any], origin: str) -> tuple[dict[str, Any], list[str]]:
    """The specification, as plain data, that a config.json describes, and what it assumes for keys that are absent.

    Raises InputError, naming ``origin`` and the key, for whatever is not known to be exact.
    """
    config = Config(data, origin)
    model_type = config.model_type()
    reader = _module(model_type, origin).READERS[model_type]
    specification = reader(config)
    config.finish()
    notes = list(config.notes)
    specification = {"name": config.name(), **specification, "checkpoint": specification.get("checkpoint", model_type)}
    return ({**specification, "notes": notes} if notes else specification), config.assumed


def table_of(architecture: Architecture) -> str:
    """The table of tensor names of an architecture's family (see ``gptcount.stored``).

    Raises InputError where the architecture names no family.
    """
    family = architecture.checkpoint
    if family is None:
        raise InputError(
            f'{shown(architecture.name)}: how a checkpoint names its tensors is not said; add checkpoint = "llama", say'
        )
    table = _module(family, f"{shown(architecture.name)}: checkpoint").TABLES[family]
    return table if isinstance(table, str) else str(table(architecture))


def _module(model_type: str, origin: str) -> Any:
    if model_type in MODULES:
        return import_module(f"gptcount.families.{MODULES[model_type]}")
    if model_type in LATER:
        raise InputError(
            f"{origin}: model_type {model_type!r} mixes tokens by a state space or linear attention, "
            "and such layers are not counted yet"
        )
    from difflib import get_close_matches

    near = get_close_matches(model_type, MODULES, 3, 0.5)
    closest = f"the closest known: {', '.join(near)}" if near else f"{len(MODULES)} others are"
    raise InputError(
        f"{origin}: model_type {shown(model_type)!r} is not known; {closest}; "
        "or describe the model in a TOML file of blocks ('gptcount show gpt3' prints one)"
    )
