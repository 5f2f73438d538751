"""The names that llama.cpp gives a family's tensors in a GGUF file: the family's own table, with the names of the
library gguf for each line of it. It knows no file."""

from __future__ import annotations

import re
from typing import Any

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families import table_of
from gptcount.families.common import renamed
from gptcount.families.metadata import FAMILIES
from gptcount.names import Wanted
from gptcount.stored import tensors

ARCHITECTURES = {model_type: arch for arch, (model_type, _) in FAMILIES.items()} | {
    "mistral": "llama",
    "mixtral": "llama",
    "deepseek_v3": "deepseek2",
    "deepseek_v32": "deepseek2",
    "minicpm": "minicpm",
    "minimax_m2": "minimax-m2",
    "llama4_text": "llama4",
    "dbrx": "dbrx",
    "glm4_moe": "glm4moe",
    "ernie4_5_moe": "ernie4_5-moe",
    "hunyuan_v1_dense": "hunyuan-dense",
    "hunyuan_v1_moe": "hunyuan-moe",
    "dots1": "dots1",
    "phimoe": "phimoe",
    "gptj": "gptj",
    "minicpm3": "minicpm3",
    "afmoe": "afmoe",
    "exaone_moe": "exaone-moe",
}
"""The architecture of llama.cpp that names the tensors of each ``model_type``."""

FUSED = """
mlp.experts.gate  blk.{}.ffn_gate_exps  n_experts, |, d_model
mlp.experts.up    blk.{}.ffn_up_exps    n_experts, |, d_model
mlp.experts.down  blk.{}.ffn_down_exps  n_experts, d_model, |
"""

APART = """
attention.key    blk.{}.attn_k_b  n_heads, d_kv_latent, |
attention.value  blk.{}.attn_v_b  n_heads, |, d_kv_latent
"""
"""Latent attention's up-projections, which newer files of DeepSeek have one by one."""

ONE_QKV = """
attention.query+key+value  blk.{}.attn_qkv  |, d_model
"""

FORMS = {"phi": (ONE_QKV,), **dict.fromkeys(("deepseek_v2", "deepseek_v3"), (APART,))}
"""Lines of families that llama.cpp has stored in more than one way."""

OTHERWISE: dict[str, str] = dict.fromkeys(("gpt_oss", "llama4_text", "dbrx", "granitemoe"), FUSED)
"""Lines of families whose experts llama.cpp stores otherwise than their own checkpoints."""


def library(origin: str) -> Any:
    """The library gguf. Raises InputError, with what to type, where it is not installed."""
    try:
        import gguf
    except ImportError:
        raise InputError(f"{origin}: a GGUF file, which needs the library gguf: pip install gguf") from None
    return gguf


def tables(architecture: Architecture) -> list[Wanted]:
    """The tensors of a model by the names that llama.cpp gives them, in each form that there is.

    Raises InputError where the library has no names for the family, or for one of its tensors.
    """
    own = table(architecture)
    forms = [own]
    forms += [renamed(own, lines) for lines in FORMS.get(architecture.checkpoint or "", ())]
    return [Wanted(tensors(architecture, form), "llama.cpp's own", form) for form in forms]


def table(architecture: Architecture) -> str:
    """The family's table in llama.cpp's names; lines for which it has none are left out."""
    family = architecture.checkpoint or ""
    own = table_of(architecture)
    gguf = library(shown(architecture.name))
    arch = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}.get(ARCHITECTURES.get(family, ""))
    if arch is None:
        raise InputError(f"{shown(architecture.name)}: the library gguf has no names for the family {family!r}")
    names = gguf.get_tensor_name_map(arch, 1)
    lines = [_line(*text.split(None, 2), names=names, family=family) for text in own.splitlines() if text.strip()]
    return renamed("\n".join(filter(None, lines)), OTHERWISE.get(family, "\n"))


def _line(weights: str, tensor: str, dimensions: str = "", *, names: Any, family: str) -> str:
    """A line of a table in llama.cpp's names; empty where the library has none."""
    name, bracket, _ = tensor.partition("[")
    if ".experts.{}." in name:
        name, dimensions = name.replace(".experts.{}.", ".experts."), f"n_experts, {dimensions}"
    elif name.count("{}") > 1:
        name, dimensions = name.rpartition(".{}")[0], f"n_heads, {dimensions}"
    if family in ("gpt2", "openai-gpt") and dimensions.count(",") == 1 and ".h." in name:
        dimensions = ", ".join(reversed(dimensions.replace(" ", "").split(",")))
    found = _found(name.replace("{}", "0", 1), names)
    if not found:
        return ""
    weight = ".bias" if found.endswith(".bias") else ".weight"
    endings = f"[{weight}|.bias]" if bracket else ""
    return f"{weights}  {re.sub(r'^blk[.]0[.]', 'blk.{}.', found.removesuffix('.bias'))}{endings}  {dimensions}"


def _found(name: str, names: Any) -> str:
    """The library's name for a tensor: some families' names are known to it without their first word, and what ends in
    ``_bias`` as the bias of the rest."""
    for key in (name, name.partition(".")[2]):
        if found := names.get_name(key, try_suffixes=(".weight", ".bias")):
            return str(found)
        if key.endswith("_bias") and (found := names.get_name(key.removesuffix("_bias"))):
            return f"{found}.bias"
    return ""
