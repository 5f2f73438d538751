"""The families: one reader each of a config.json's words, and one table of the names that its checkpoints use.

This file knows which family is read where, and nothing of what they say; a family's module is imported when needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families.classes import builder_of, ended, endings, head_of
from gptcount.families.common import seen_both_ways
from gptcount.families.config import Config, Defaults
from gptcount.families.wholes import INNER, Whole, inside, wholes

Reader = Callable[[Config], dict[str, Any]]
"""What makes plain data of a specification of a family's configuration."""

_TYPES: dict[str, str] = {
    "llama": "llama mistral mixtral",
    "gpt2": "gpt2 gpt2-ja gpt-sw3 openai-gpt gpt_bigcode ctrl",
    "gptj": "gptj codegen",
    "neox": "gpt_neox gpt_neox_japanese gpt_neo",
    "fairseq": "opt biogpt xglm",
    "alibi": "bloom falcon RefinedWeb RefinedWebModel mpt",
    "phi": "phi phi3 phimoe persimmon stablelm stablelm_epoch starcoder2",
    "mixformer": "mixformer-sequential phi-msft",
    "qwen1": "qwen",
    "qwen": "qwen2 qwen2_moe qwen3 qwen3_moe mimo qwen2_vl_text qwen2_5_vl_text qwen2_5_omni_text "
    "qwen3_vl_text qwen3_vl_moe_text qwen3_omni_moe_text",
    "llama_kin": "ministral ministral3 arcee seed_oss cwm smollm3 helium iquestcoder PanguEmbedded "
    "hyperclovax jais2 nemotron nanochat apertus apertus1p5_text bitnet diffllama",
    "internlm": "internlm internlm2 internlm3",
    "baichuan": "baichuan",
    "minicpm": "minicpm",
    "telechat": "telechat",
    "openelm": "openelm",
    "ernie": "ernie4_5 ernie4_5_moe paddleocr_vl_text",
    "hunyuan": "hunyuan_v1_dense hunyuan_v1_moe hy_v3",
    "exaone": "exaone exaone4 exaone_moe",
    "gemma": "gemma gemma2 gemma3_text vaultgemma",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text gemma4_unified_text",
    "cohere": "cohere cohere2 cohere2_moe",
    "laguna": "laguna mellum",
    "olmo": "olmo olmo2 olmo3 olmoe flex_olmo",
    "granite": """granite granite4_vision_text granite_docling_text granitemoe granitemoeshared granitemoehybrid
        granite_swa granitemoe_swa jetmoe""",
    "chatglm": "chatglm",
    "glm": "glm glm4 glm4_moe sarvam_moe dots1 solar_open glm4v_text glm_ocr_text glm4v_moe_text",
    "mixtures": "minimax_m2 mimo_v2_flash afmoe gpt_oss dbrx aria_text",
    "kolibri": "kolibri1 flint beam",
    "doge": "doge",
    "minimax_m3": "minimax_m3_vl_text",
    "step": "step3p5",
    "llama4": "llama4_text",
    "mllama": "mllama_text_model",
    "deepseek": "deepseek_v2 deepseek_v3 kimi_k2 sarvam_mla deepseek_v32 glm4_moe_lite glm_moe_dsa youtu minicpm3",
    "axk": "axk1 axk2",
    "dots3": "dots3_note_text",
    "deepseek_ocr": "deepseek_ocr2_text unlimited_ocr_text",
    "molmo": "molmo2_text",
    "muse": "muse_glimmer_text",
    "cosmos": "cosmos3_edge_text",
    "longcat": "longcat_flash",
    "deepseek_v4": "deepseek_v4",
    "lfm2": "lfm2 lfm2_moe lfm3",
    "delta": "qwen3_next qwen3_5_text qwen3_5_moe_text lara_mini olmo_hybrid kimi_linear",
    "qwen4": "qwen4_exp_text",
    "mamba2": "mamba2",
    "mamba": "mamba falcon_mamba jamba",
    "zamba": "zamba zamba2",
    "minimax": "minimax",
    "recurrent_gemma": "recurrent_gemma",
    "xlstm": "xlstm",
    "rwkv": "rwkv",
    "inkling": "inkling_text",
    "zaya": "zaya",
    "nemotron_h": "nemotron_h",
    "mamba2_hybrids": "bamba falcon_h1",
}

MODULES: dict[str, str] = {model_type: module for module, types in _TYPES.items() for model_type in types.split()}
"""Where each ``model_type`` is read."""


def read(data: dict[str, Any], origin: str) -> tuple[dict[str, Any], list[str]]:
    """The specification, as plain data, that a config.json describes, and what it assumes for keys that are absent.

    Raises InputError, naming ``origin`` and the key, for whatever is not known to be exact.
    """
    data = _typed(data, origin)
    within = inside(data, origin)
    config = Config(within.data if within else data, origin)
    model_type = config.model_type()
    reader = _reader(config, model_type)
    config.assume(**defaults(model_type))
    named = _class_of(config)
    specification = reader(config)
    own = bool(named) and (within.whole if within else model_type) in endings()[named].families
    if within:
        within.check(config.used, own)
        specification = within.ended(specification)
    config.check_sized(specification["n_vocab"])
    specification |= _end(config, named)
    config.not_null("is_causal")  # the reference implementation has two answers to that, by kind of attention
    if not config.flag("is_causal", absent=True):
        specification = seen_both_ways(config, specification)
    config.finish(built_by=named if own and not config.data.get("auto_map") else "")
    notes = [*config.notes, *(within.notes if within else ())]
    assumed = [*(within.assumed if within else ()), *config.assumed]
    specification = {"name": config.name(), **specification, "checkpoint": specification.get("checkpoint", model_type)}
    return ({**specification, "notes": notes} if notes else specification), assumed


def defaults(model_type: str) -> dict[str, Any]:
    """What the class of a family takes for keys that are absent, where it is not what most families take."""
    table: Defaults = getattr(_module(model_type, ""), "DEFAULTS", {})
    return dict(table.get(model_type, {}))


def _reader(config: Config, model_type: str) -> Reader:
    """What reads a family. Raises InputError for a larger configuration that is not known, which may tie the language
    model inside it, or take its absent keys, in a way of its own."""
    nested = next((key for key in INNER if isinstance(config.data.get(key), dict)), None)
    if nested and model_type not in MODULES:
        raise InputError(
            f"{config.origin}: model_type {shown(model_type)!r} is not known, nor how it ties the language model in "
            f"its {nested}; save that object as a config.json of its own to count it"
        )
    return reader_of(model_type, config.origin)


def reader_of(model_type: str, origin: str) -> Reader:
    """What reads a family's configurations. Raises InputError for a family that is not known."""
    reader: Reader = _module(model_type, origin).READERS[model_type]
    return reader


def _typed(data: dict[str, Any], origin: str) -> dict[str, Any]:
    """The configuration with its ``model_type``: where that is absent, the one that builds the class of the file."""
    families = {builder_of(name) for name in Config(data, origin).classes()}
    if "model_type" in data or len(families) != 1 or not all(families):
        return data
    return {**data, "model_type": families.pop()}


def _class_of(config: Config) -> str:
    """The class that builds the model, where the file names it. Raises InputError for one that is not known."""
    named = config.classes()
    for name in named:
        if name not in endings():
            raise config.refusal(
                "architectures", f"{shown(name)}: unknown class, so it is not known how the model ends"
            )
    if len({endings()[name].head for name in named}) > 1:
        raise config.refusal("architectures", f"{', '.join(map(shown, named))} end in different heads")
    return named[0] if named else ""


def _end(config: Config, named: str) -> dict[str, Any]:
    """How a model of the class ends, where it is not in an unembedding alone."""
    ending = endings()[named] if named else None
    if ending is None or not ending.head:
        return {}
    if ending.head == "choice":
        config.only(summary_use_proj=True, summary_proj_to_labels=True)
    n_labels = config.n_labels() if ending.head in ("sequence", "token") else 0
    if n_labels and config.code() and named not in config.code():
        raise config.refusal("architectures", f"{named} is none of the classes that auto_map names, and may differ")
    head = head_of(ending.head, config.model_type(), n_labels)
    return ({} if ending.has_unembedding else {"unembedding": False}) | ({"head": head} if head else {})


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
    return ended(table if isinstance(table, str) else str(table(architecture)), architecture)


class Family(NamedTuple):
    """One ``model_type`` that is read."""

    model_type: str
    what: str
    more: str
    """What is its own, as its reader says."""
    source: str
    """The paper or report that describes it, as its reader says."""
    file: str
    """The module that reads it."""
    group: str
    """What that module reads."""


def listed() -> list[Family]:
    """Every ``model_type`` that is read, file by file, in the words of its reader."""
    own = [_family(model_type, module) for model_type, module in MODULES.items()]
    larger = [_larger(kind, whole) for kind, whole in wholes().items() if kind not in MODULES and whole.text in MODULES]
    return own + larger


def _family(model_type: str, file: str) -> Family:
    module = import_module(f"gptcount.families.{file}")
    said = _sentence(module.READERS[model_type].__doc__)
    sources = "; ".join(re.findall(r" \(([^)]*)\)", said)).split("; ")
    named = "; ".join(source for source in sources if not source.startswith("modeling_"))
    what, _, more = re.sub(r" \([^)]*\)", "", said).partition(": ")
    return Family(model_type, what, more, named, file, _sentence(module.__doc__))


def _larger(kind: str, whole: Whole) -> Family:
    group = "Larger configurations, of which the language model is read"
    return Family(kind, f"{whole.stem}, a larger configuration", f"read as {whole.text}", "", "wholes", group)


def _sentence(text: str | None) -> str:
    """The first paragraph of a docstring, in a line and without its full stop."""
    return " ".join((text or "").split("\n\n")[0].split()).replace("``", "").rstrip(".")


def _module(model_type: str, origin: str) -> Any:
    if model_type in MODULES:
        return import_module(f"gptcount.families.{MODULES[model_type]}")
    from gptcount.families.others import OTHERS, UNREAD

    if model_type in UNREAD:
        raise InputError(f"{origin}: model_type {model_type!r} {UNREAD[model_type]}, which is not counted yet")
    if model_type in OTHERS:
        raise InputError(
            f"{origin}: model_type {model_type!r} is {OTHERS[model_type]}; gptcount reads decoders, "
            "which are GPT-style models ('gptcount families' lists them)"
        )
    from difflib import get_close_matches

    known = {*MODULES, *(kind for kind, whole in wholes().items() if whole.text in MODULES)}
    near = get_close_matches(model_type[:80], sorted(known), 3, 0.7)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise InputError(
        f"{origin}: model_type {shown(model_type)!r} is not known; {hint}'gptcount families' lists the {len(known)} "
        "that are; another decoder can be described in a TOML file of blocks ('gptcount show gpt3' prints one)"
    )
