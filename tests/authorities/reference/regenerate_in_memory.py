"""What the reference implementation calls the tensors of a model in memory, where its checkpoints call them otherwise.

Writes in_memory.json beside this file: for each first case of counts/, names with {} for the numbers in them, shapes
and copies. Run it in an environment with torch==2.13.0 and transformers; it imports nothing of gptcount.
"""

import json
import re
from collections import Counter
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent

LEFT_OUT = {
    "gemma4_unified": "the language model of a larger one, whose names differ by their prefix alone",
    "gemma3": "the language model of a larger one, whose names differ by their prefix alone",
    "longcat_flash": "builds experts without computation as if they had weights, which no checkpoint has",
}


def tensors(config: dict) -> Counter:
    """The tensors of a model as it is built, tied ones once."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    found: Counter = Counter()
    for name, tensor in model.state_dict().items():
        if name not in tied:
            found[re.sub(r"(?<=\.)\d+(?=\.)", "{}", name), tuple(tensor.shape)] += 1
    return found


def main() -> None:
    """Write down every family whose names differ."""
    said = {}
    for path in sorted((HERE / "counts").glob("*.json")):
        if path.stem in LEFT_OUT:
            continue
        case = json.loads(path.read_text())[0]
        try:
            found = tensors(case["config"])
        except Exception as fault:
            print(path.stem, repr(fault)[:200])
            continue
        stored = Counter({(name, tuple(shape)): n for name, shape, n in case["tensors"]})
        if {name for name, _ in found - stored}:
            listed = sorted([name, list(shape), n] for (name, shape), n in found.items())
            said[path.stem] = {"config": case["config"], "tensors": listed}
    lines = [f"{json.dumps(family)}: {json.dumps(case)}" for family, case in said.items()]
    (HERE / "in_memory.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(said), "families:", *said)


main()
