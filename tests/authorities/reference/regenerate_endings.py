"""Regenerate what the reference implementation builds for each class of each family: base models, classifiers, models
of two heads; and for experts that share the numbers of one activation (xIELU).

Run it as ``regenerate_counts.py``, whose way of counting it takes:

    python regenerate_endings.py

It writes ``endings.json``: a line for each, with the configuration that names the class in ``architectures``, the
totals, and the tensors that the family's causal model does not have under the same name (as ``tensors``) or that this
one lacks (as ``lacks``). Layers' tensors are left out where they only have another prefix.
"""

from __future__ import annotations

import copy
import importlib
import json
import pathlib
import warnings
from typing import Any

import regenerate_counts as counts
import torch
import transformers
from transformers.models.auto import modeling_auto as auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

Config = dict[str, Any]
MAPS = (
    auto.MODEL_MAPPING_NAMES,
    auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
    auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES,
)
TWO_HEADS = {"gpt2": "GPT2DoubleHeadsModel", "openai-gpt": "OpenAIGPTDoubleHeadsModel"}
ACTIVATION = {"gpt2": "activation_function", "jetmoe": "activation_function"} | dict.fromkeys(
    ("gemma2", "gemma3_text", "gemma3n_text", "gemma4_text", "vaultgemma"), "hidden_activation"
)
OUTER = ("gemma3", "llama4")  # their own classes hold other parts too


def build(config: Config) -> transformers.PreTrainedModel:
    """The model that the class named in ``architectures`` makes of a configuration."""
    parsed = CONFIG_MAPPING[config["model_type"]].from_dict(copy.deepcopy(config))
    (name,) = config["architectures"]
    home = transformers
    if not hasattr(transformers, name):
        home = importlib.import_module(type(parsed).__module__.replace("configuration", "modeling"))
    with torch.device("meta"):
        return getattr(home, name)(parsed)


def classes(model_type: str) -> list[str]:
    """The classes of a family but for its causal one."""
    found = [names[model_type] for names in MAPS if model_type in names]
    return found + ([TWO_HEADS[model_type]] if model_type in TWO_HEADS else [])


def line(config: Config, causal: dict[str, Any]) -> dict[str, Any]:
    """The totals of one class, and where its tensors differ from the causal model's."""
    found = counts.measure(config)
    own, other = ({tuple(map(str, row)) for row in answer["tensors"]} for answer in (found, causal))
    head = [row for row in found["tensors"] if tuple(map(str, row)) not in other and ".{}." not in row[0]]
    lacks = [row[0] for row in causal["tensors"] if tuple(map(str, row)) not in own and ".{}." not in row[0]]
    return {
        "config": config,
        **{total: (found | found.get("corrected", {}))[total] for total in ("parameters", "stored", "active")},
        "tensors": head,
        "lacks": lacks,
    }


def main() -> None:
    """Write the file."""
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    folder = pathlib.Path(__file__).parent
    rows: list[dict[str, Any]] = []
    for path in sorted((folder / "counts").glob("*.json")):
        family, case = path.stem, json.loads(path.read_text())[0]
        if family in OUTER or family not in CONFIG_MAPPING:
            continue
        for name in classes(family):
            counts.build = build
            try:
                rows.append(line(case["config"] | {"architectures": [name], "num_labels": 3}, case))
            except Exception as fault:  # a class that the reference implementation itself cannot build
                print(f"  {family} {name}: {fault}")
        counts.build = BUILD
        bent = case["config"] | {ACTIVATION.get(family, "hidden_act"): "xielu"}
        found = counts.attempt(bent, tensors=False)
        if "error" not in found and found["parameters"] != case["parameters"]:
            rows.append({"config": bent, **(found | found.get("corrected", {}))})
    counts.write(folder / "endings.json", "[\n", rows, "\n]")


BUILD = counts.build

if __name__ == "__main__":
    main()
