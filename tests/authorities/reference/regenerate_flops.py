"""What the reference implementation multiplies: FLOPs of the small models under ``parity/``, counted as they run.

Writes flops.json beside this file: for each case FlopCounterMode's count of a prefill of 12 tokens, scores of all
positions, and of one more token after them. Eager attention and eager experts, so that nothing is fused and no expert
is computed that is not chosen. Run it in an environment with torch==2.13.0 and transformers; it imports nothing of
gptcount.
"""

import json
from pathlib import Path

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent
LENGTH = 12


def counted(model: torch.nn.Module, *given: object, **more: object) -> tuple[int, object]:
    """The FLOPs of one call, and what it gives."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        found = model(*given, **more)
    return counter.get_total_flops(), found


def measure(folder: Path) -> dict:
    """Prefill and decode of one case."""
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(folder)
    config._experts_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    tokens = torch.arange(LENGTH)[None] + 3
    prefill, _ = counted(model, tokens, use_cache=False)
    found = {"prefill": prefill}
    try:
        _, after = counted(model, tokens, use_cache=True)
        found["decode"], _ = counted(model, tokens[:, :1], past_key_values=after.past_key_values, use_cache=True)
    except Exception as fault:
        print(folder.name, "decode", repr(fault)[:150])
    return found


def main() -> None:
    """Write down every case that can be run."""
    transformers.logging.set_verbosity_error()
    said = {}
    for folder in sorted(path.parent for path in (HERE / "parity").glob("*/config.json")):
        try:
            said[folder.name] = measure(folder)
        except Exception as fault:
            print(folder.name, repr(fault)[:150])
    lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in said.items()]
    (HERE / "flops.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(said), "cases")


main()
