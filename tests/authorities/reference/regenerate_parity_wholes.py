"""Make the small reference models of families that stand in larger configurations alone (see regenerate_parity.py).

Of a case, ``config.json`` is the whole's, as files have it; ``model.safetensors`` holds the language model alone, under
the names that it has alone; ``case.npz`` has the tokens of a text and the logits that the whole computes for them.

    python regenerate_parity_wholes.py [--only CASE,...]      (pip install torch==2.13.0 transformers pillow)
"""

import argparse
import importlib
import json
import pathlib
import shutil
import zlib
from typing import Any

import numpy as np
import regenerate_wholes as wholes
import torch
from regenerate_counts import MethodError
from regenerate_parity import BATCH, FREE, LENGTH, MARGIN, RMS, SEEDS, TIED, Margin, randomise, rope, run
from safetensors.torch import save_file
from transformers import logging

Config = dict[str, Any]
MIXTURE: Config = {**FREE, **RMS, "num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 7}
ROUTED: Config = {
    "n_routed_experts": 8,
    "num_experts_per_tok": 3,
    "n_group": 4,
    "topk_group": 2,
    "moe_intermediate_size": 7,
}

CASES: dict[str, tuple[str, Config]] = {
    "qwen2_vl": ("qwen2_vl", {**TIED, **RMS, **rope(mrope_section=[1, 1, 0])}),
    "qwen2_5_vl-windows": (
        "qwen2_5_vl",
        {
            **TIED,
            **RMS,
            **rope(mrope_section=[1, 1, 0]),
            "use_sliding_window": True,
            "sliding_window": 5,
            "max_window_layers": 1,
        },
    ),
    "qwen2_5_omni_thinker": ("qwen2_5_omni_thinker", {**TIED, **RMS, **rope(mrope_section=[1, 1, 0])}),
    "qwen3_vl": ("qwen3_vl", {**FREE, **RMS, **rope(mrope_section=[1, 1, 1], mrope_interleaved=True)}),
    "qwen3_vl_moe": ("qwen3_vl_moe", {**MIXTURE, **rope(mrope_section=[1, 1, 1]), "decoder_sparse_step": 2}),
    "qwen3_omni_moe_thinker": ("qwen3_omni_moe_thinker", {**MIXTURE, **rope(mrope_section=[1, 1, 1])}),
    "glm4v": ("glm4v", {**TIED, **RMS, **rope(mrope_section=[1, 1, 0])}),
    "glm4v_moe": ("glm4v_moe", {**TIED, **RMS, **rope(mrope_section=[1, 0, 0], partial_rotary_factor=0.5), **ROUTED}),
    "glm_ocr": ("glm_ocr", {**FREE, **RMS, **rope(mrope_section=[1, 1, 1])}),
    "paddleocr_vl": ("paddleocr_vl", {**FREE, **RMS, **rope(mrope_section=[1, 1, 1])}),
    "granite4_vision": ("granite4_vision", {**TIED, **RMS, "logits_scaling": 3.0, "attention_multiplier": 0.3}),
    "granite_docling": ("granite_docling", {**TIED, **RMS, "pad_token_id": 0, "attention_multiplier": 0.3}),
    "aria": ("aria", {**TIED, **RMS, "moe_num_experts": 5, "moe_topk": 2, "pad_token_id": 0}),
    "mllama": ("mllama", {**TIED, **RMS, "cross_attention_layers": [1], "num_hidden_layers": 3, "pad_token_id": 0}),
    "gemma4_unified": (
        "gemma4_unified",
        {
            **{key: value for key, value in FREE.items() if key != "rope_parameters"},
            **RMS,
            "global_head_dim": 8,
            "num_hidden_layers": 4,
            "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "full_attention"],
            "sliding_window": 5,
            "final_logit_softcapping": 9.0,
        },
    ),
    # the same inside another, which has an unembedding of its own
    "llava-gemma2": (
        "llava",
        {"model_type": "gemma2", **FREE, **RMS, "final_logit_softcapping": 3.0, "query_pre_attn_scalar": 6},
    ),
    "paligemma": (
        "paligemma",
        {"model_type": "gemma2", **FREE, **RMS, "final_logit_softcapping": 3.0, "query_pre_attn_scalar": 6},
    ),
    "granite_speech": ("granite_speech", {"model_type": "granite", **TIED, **RMS, "logits_scaling": 3.0}),
}
"""The whole, and the language model inside."""

for path in sorted(wholes.FOLDER.glob("cases_*.py")):  # further families, file by file
    CASES |= getattr(importlib.import_module(path.stem), "PARITY_WHOLES", {})

NARROW = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
BESIDE = {
    **wholes.BESIDE,
    "granite_docling": {"vision_config": {"out_hidden_size": TIED["hidden_size"]}},
    "deepseek_ocr2": {"vision_config": {"encoder_config": NARROW | {"num_key_value_heads": 2, "vocab_size": 9}}},
    "unlimited_ocr": {"vision_config": {"encoder_config": NARROW}},
}


def make(case: str, folder: pathlib.Path) -> int:
    """Write one case; say how many bytes its weights take."""
    kind, inner = CASES[case]
    config: Config = {"model_type": kind, "text_config": inner, **BESIDE.get(kind, {})}
    for seed in range(zlib.crc32(case.encode()) % 2**30, 2**31)[:SEEDS]:
        torch.manual_seed(seed)
        model = wholes.build(config, device="cpu", attn_implementation="eager", experts_implementation="eager").eval()
        randomise(model, seed)
        model.tie_weights()
        tokens = torch.randint(3, 61, (BATCH, LENGTH), generator=torch.Generator().manual_seed(seed + 1))
        with Margin() as margin:
            logits = run(model, tokens)
        if margin.smallest >= MARGIN:
            break
    else:
        raise MethodError(f"{case}: no seed keeps the choices {MARGIN} apart")
    stored = wholes.stored(model, config)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_file(
        {name: value.detach().clone().contiguous() for name, value in stored.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    np.savez(folder / "case.npz", input_ids=tokens.numpy(), logits=logits.numpy())
    return (folder / "model.safetensors").stat().st_size


def main() -> None:
    """Make the cases asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases, separated by commas")
    only = set(filter(None, parser.parse_args().only.split(",")))
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    wholes.leave_out()
    for case in CASES:
        if not only or case in only:
            try:
                print(case, make(case, pathlib.Path(__file__).resolve().parent / "parity" / case), flush=True)
            except Exception as fault:  # one family must not stop the others
                print(f"{case}: {type(fault).__name__}: {fault}"[:300], flush=True)


if __name__ == "__main__":
    main()
