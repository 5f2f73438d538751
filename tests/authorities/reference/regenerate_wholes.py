"""Regenerate what the reference implementation builds of language models inside larger configurations.

`wholes.json`: for every larger configuration (`model_type` with a `text_config`), with several families inside, and for
all nine ways of saying `tie_word_embeddings` outside and inside (null: not said), how many parameters the language
model has: the text model and the matrix that scores tokens. `counts/` and `mutations/`: the same as
`regenerate_counts.py` writes, of the families that stand in larger configurations alone.

Run it in an environment of its own, with `pip install torch==2.13.0 transformers pillow`:

    python regenerate_wholes.py                          all, beside this script
    python regenerate_wholes.py --only qwen2_vl,glm_ocr  some of them

The tables of tokens of Molmo 2 are written as its published checkpoints have them, one of the vocabulary and one of
the further tokens: the reference implementation joins them, and saves two equal halves.

The experts of Qwen3-VL are written as its published checkpoints have them, transposed: the reference implementation
reads both ways, and saves the other.

Vision and audio that cannot be built of their defaults are left out: they are not counted.
"""

from __future__ import annotations

import argparse
import collections
import copy
import importlib
import itertools
import json
import logging
import pathlib
import re
import sys
import warnings
from typing import Any

import regenerate_counts as counts
import torch
import transformers
from regenerate_counts import DROP, FAMILIES, FULL, SLIDING, Config, MethodError, apply, llama_like
from torch import nn
from transformers import AutoModel, PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.inkling import modeling_inkling

FOLDER = pathlib.Path(__file__).parent
TIE = "tie_word_embeddings"
CLASSES = ("IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM", "SPEECH_SEQ_2_SEQ", "SEQ_TO_SEQ_CAUSAL_LM", "CAUSAL_LM")
OF_ONE_FAMILY = ("nemotron_h_omni", "nemo_speechlm")
"""Wholes whose own code asks the nested object for keys that one family has."""

INSIDE = ("llama", "qwen2", "gemma2", "opt", "phi")
"""Families that are tried inside every whole that lets its nested object name one: tied by default or not, and one
whose unembedding has a bias of its own."""

EXPERTS = {"moe_intermediate_size": 26, "num_experts_per_tok": 2}
WINDOWS = [SLIDING, SLIDING, FULL, SLIDING, SLIDING, FULL]

LANGUAGE: dict[str, tuple[str, Config, dict[str, Config]]] = {
    "qwen2_vl": (
        "qwen2_vl_text",
        llama_like(),
        {"mrope": {"rope_scaling": {"type": "mrope", "mrope_section": [2, 2, 2]}}},
    ),
    "qwen2_5_vl": ("qwen2_5_vl_text", llama_like(), {"windows": {"use_sliding_window": True, "max_window_layers": 2}}),
    "qwen2_5_omni_thinker": ("qwen2_5_omni_text", llama_like(), {}),
    "qwen3_vl": ("qwen3_vl_text", llama_like(head_dim=10), {}),
    "qwen3_vl_moe": (
        "qwen3_vl_moe_text",
        llama_like(head_dim=10, num_experts=8, **EXPERTS),
        {"every-other": {"decoder_sparse_step": 2}, "dense-last": {"mlp_only_layers": [3]}},
    ),
    "qwen3_omni_moe_thinker": (
        "qwen3_omni_moe_text",
        llama_like(num_experts=8, **EXPERTS),
        {"head-dim": {"head_dim": 10}},
    ),
    "glm4v": ("glm4v_text", llama_like(), {}),
    "glm4v_moe": ("glm4v_moe_text", llama_like(n_routed_experts=8, **EXPERTS), {}),
    "glm_ocr": ("glm_ocr_text", llama_like(), {}),
    "paddleocr_vl": ("paddleocr_vl_text", llama_like(head_dim=10), {"biased": {"use_bias": True}}),
    "granite4_vision": ("granite4_vision_text", llama_like(), {}),
    "granite_docling": ("granite_docling_text", llama_like(pad_token_id=0), {}),
    "apertus1p5": ("apertus1p5_text", llama_like(vocab_size=266_752, hidden_act="xielu"), {}),
    "aria": ("aria_text", llama_like(moe_num_experts=5, moe_topk=2, moe_num_shared_experts=3), {}),
    "mllama": (
        "mllama_text_model",
        llama_like(num_hidden_layers=5, cross_attention_layers=[1, 3], pad_token_id=0),
        {"none-crossed": {"cross_attention_layers": []}},
    ),
    "gemma4_unified": (
        "gemma4_unified_text",
        llama_like(
            head_dim=10,
            hidden_act=DROP,
            rope_theta=DROP,
            num_hidden_layers=6,
            global_head_dim=14,
            sliding_window=16,
            layer_types=WINDOWS,
            tie_word_embeddings=DROP,
        ),
        {
            "k-eq-v": {"attention_k_eq_v": True, "num_global_key_value_heads": 1},
            "shared": {"num_kv_shared_layers": 3, "use_double_wide_mlp": True},
            "by-layer": {"per_layer_config": {"2": {"head_dim": 16}, "5": {"head_dim": 16}}, "global_head_dim": DROP},
        },
    ),
}
"""The families that stand in larger configurations alone: the whole, the family, and its cases."""

for path in sorted(FOLDER.glob("cases_*.py")):  # further families, file by file
    LANGUAGE |= getattr(importlib.import_module(path.stem), "LANGUAGE", {})

BESIDE: dict[str, Config] = {
    "granite4_vision": {"deepstack_layer_map": [[0, 0]], "spatial_target_layers": [0], "downsample_rate": "4/8"},
    "granite_docling": {"vision_config": {"out_hidden_size": 72}},
}
"""What a whole wants of its other parts, for them to fit a small language model."""


class Unbuilt(nn.Module):
    """Stands for vision or audio that cannot be built here."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config, self.num_features, self.hidden_size = config, 8, 8


def leave_out() -> None:
    """Let parts other than the language model fail in silence."""
    build = AutoModel.from_config.__func__

    def built(cls: type, config: Any, **kwargs: Any) -> nn.Module:
        try:
            return build(cls, config, **kwargs)
        except Exception:
            if config.__dict__.get("language"):
                raise
            return Unbuilt(config)

    AutoModel.from_config = classmethod(built)
    modeling_inkling.InklingVisionModel = modeling_inkling.InklingAudioModel = Unbuilt  # they want scipy


def class_of(kind: str) -> type[PreTrainedModel] | None:
    """The class that builds a larger configuration with its language model's scores, if there is one."""
    for task in CLASSES:
        names = getattr(modeling_auto, f"MODEL_FOR_{task}_MAPPING_NAMES", {}).get(kind)
        if names:
            return getattr(transformers, names if isinstance(names, str) else names[0])
    return None


def build(config: Config, device: str = "meta", **how: Any) -> PreTrainedModel:
    """Build a larger configuration, its other parts of one layer, if at all."""
    parsed = CONFIG_MAPPING[config["model_type"]].from_dict(copy.deepcopy(config))
    parsed.text_config.language = True
    for part in ("vision_config", "audio_config", "high_res_vision_config"):
        for key in ("num_hidden_layers", "depth", "encoder_layers"):
            if isinstance(getattr(getattr(parsed, part, None), key, None), int):
                setattr(getattr(parsed, part), key, 1)
    with torch.device(device):
        return class_of(config["model_type"])._from_config(parsed, **how)


def language(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The parameters and buffers of the language model and of the matrix that scores tokens, by their full names."""
    inside = [
        part
        for part in model.modules()
        if isinstance(part, PreTrainedModel) and part.config is model.config.text_config
    ]
    head = model.get_output_embeddings()
    kept = [*inside[0].parameters(), *inside[0].buffers(), *(head.parameters() if head is not None else ())]
    ignored = {
        f"{path}.{name}".lstrip(".")
        for path, part in model.named_modules()
        for name in getattr(part, "_non_persistent_buffers_set", ())
    }
    mine = {id(value) for value in kept}
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: value for name, value in named if id(value) in mine and name not in ignored}


def alone(name: str) -> str:
    """The name of a tensor in the language model alone."""
    name = re.sub(r"^(model\.language_model|language_model|model\.text_model|text_model|model)\.", "model.", name)
    name = re.sub(r"^(?=(layers|embed_tokens|norm)\.)", "model.", name)
    return name.replace("model.model.", "model.").replace("model.lm_head.", "lm_head.")


def stored(model: PreTrainedModel, config: Config) -> dict[str, torch.Tensor]:
    """The tensors of the language model as its published checkpoints have them, by the names that it has alone."""
    found = revert_weight_conversion(model, dict(language(model)))
    if config["model_type"] == "qwen3_vl_moe":
        found = {name: value.mT if ".experts." in name else value for name, value in found.items()}
    if config["model_type"] == "molmo2":
        tables = [name for name in found if "embedding" in name.rsplit(".", 1)[-1]]
        whole, rows = torch.cat([found[name] for name in tables]), config["text_config"].get("vocab_size", 151_936)
        found |= dict(zip(tables, (whole[:rows], whole[rows:]), strict=True))
    return {alone(name): value for name, value in found.items()}


def measure(config: Config, tensors: bool) -> dict[str, Any]:
    """What the reference implementation builds of the language model."""
    model = build(config)
    state = language(model)
    parameters = {name: value for name, value in state.items() if isinstance(value, nn.Parameter)}
    total = sum(value.numel() for value in parameters.values())
    inactive = 0
    for name, value in parameters.items():
        if counts.ROUTED.search(name):
            chosen = counts.top_k(model, None) or 0
            inactive += value.numel() // value.shape[0] * (value.shape[0] - min(chosen, value.shape[0]))
    answer = {"parameters": total, "stored": sum(value.numel() for value in state.values()), "active": total - inactive}
    if tensors:
        rows = collections.Counter(
            (counts.NUMBER.sub("{}", name), tuple(value.shape)) for name, value in stored(model, config).items()
        )
        answer["tensors"] = [[name, list(shape), copies] for (name, shape), copies in sorted(rows.items())]
    return answer


def attempt(config: Config, tensors: bool) -> dict[str, Any]:
    try:
        return measure(config, tensors)
    except MethodError:
        raise
    except Exception as fault:
        return {"error": f"{type(fault).__name__}: {' '.join(str(fault).split())}"[:160]}


def families(only: set[str]) -> None:
    """Write counts and mutations of the families that stand in larger configurations alone."""
    for kind, (family, base, variants) in LANGUAGE.items():
        if only and kind not in only:
            continue
        inner = {"model_type": family, **base}
        outer: Config = {"model_type": kind, "text_config": inner, **BESIDE.get(kind, {})}
        made = {"base": outer} | {name: outer | {"text_config": apply(inner, said)} for name, said in variants.items()}
        made |= {
            "inner-type-absent": outer | {"text_config": apply(inner, {"model_type": DROP})},
            "kv-absent": outer | {"text_config": apply(inner, {"num_key_value_heads": DROP})},
            "head-dim-absent": outer | {"text_config": apply(inner, {"head_dim": DROP})},
        }
        rows = [{"case": name, "config": config, **attempt(config, True)} for name, config in made.items()]
        if "error" in rows[0]:
            raise MethodError(f"{kind}: {rows[0]['error']}")
        counts.write(FOLDER / "counts" / f"{kind}.json", "[\n", [row for row in rows if "error" not in row], "\n]")
        found = [
            {"key": f"text_config.{key}", **({"dropped": True} if value is DROP else {"value": value})}
            | attempt(outer | {"text_config": counts.changed(inner, key, value)}, False)
            for key, value in counts.mutations(inner, family)
        ]
        head = {key: rows[0][key] for key in ("parameters", "stored", "active")}
        start = json.dumps({"config": outer, **head}, separators=(",", ":"))[:-1] + ',\n"mutations":[\n'
        counts.write(FOLDER / "mutations" / f"{kind}.json", start, found, "\n]}")
        print(f"{kind}: {len(rows)} cases, {len(found)} mutations", flush=True)


def kinds() -> dict[str, list[str]]:
    """The larger configurations of decoders that are read, each with the families that are tried inside."""
    found = {}
    for kind in sorted(CONFIG_MAPPING):
        spec = getattr(CONFIG_MAPPING[kind], "sub_configs_defaults", {}).get("text_config")
        fixed = spec and hasattr(spec.config_class, "model_type")
        read = spec and (
            spec.model_type in FAMILIES or spec.model_type in (family for family, _, _ in LANGUAGE.values())
        )
        if read and class_of(kind):
            found[kind] = [spec.model_type] if fixed or kind in OF_ONE_FAMILY else list(INSIDE)
    return found


def ties(only: set[str]) -> None:
    """Write who decides whether the language model is tied."""
    bases = {
        family: {"model_type": family, **FAMILIES[family][0]}
        for family in FAMILIES
        if "text_config" not in FAMILIES[family][0]
    }
    bases |= {family: {"model_type": family, **base} for family, base, _ in LANGUAGE.values()}
    rows, used = [], {}
    for kind, inside in kinds().items():
        for family in inside:
            said = {}
            base = apply(bases[family], {TIE: DROP})
            for outer, inner in itertools.product((None, True, False), repeat=2):
                nested = base | ({} if inner is None else {TIE: inner})
                config = {
                    "model_type": kind,
                    **({} if outer is None else {TIE: outer}),
                    **BESIDE.get(kind, {}),
                    "text_config": nested,
                }
                if "parameters" in (answer := attempt(config, False)):
                    said[f"{json.dumps(outer)},{json.dumps(inner)}"] = answer["parameters"]
            if said and (not only or kind in only):
                rows.append({"whole": kind, "family": family, "parameters": said})
                used[family] = base
    text = json.dumps({"beside": BESIDE, "families": used}, separators=(",", ":"))[:-1] + ',\n"wholes":[\n'
    counts.write(FOLDER / "wholes.json", text, rows, "\n]}")
    print(f"{len(rows)} pairs of whole and family, {sum(len(row['parameters']) for row in rows)} cases")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="model types, separated by commas")
    parser.add_argument("--no-ties", action="store_true", help="counts and mutations alone")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity(logging.CRITICAL)
    leave_out()
    only = set(filter(None, args.only.split(",")))
    families(only)
    if not args.no_ties:
        ties(only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
