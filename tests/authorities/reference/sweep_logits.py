"""Hold gptcount's logits against the reference implementation's, where a single key of a configuration is changed.

For each family and each key that its reader ticks off, every value below takes the key's place in a small
configuration. Both sides then get the same random weights. A changed key must move the logits as it moves the
reference's, or be refused; where the reference builds nothing, or fails, nothing is compared. Run it in the environment
of regenerate_counts.py, with pydantic:

    OMP_NUM_THREADS=1 python sweep_logits.py                    all families; writes logits.json beside this script
    OMP_NUM_THREADS=1 python sweep_logits.py --only llama,gpt2  some, writing nothing; --verbose shows refusals
"""

from __future__ import annotations

import argparse
import collections
import copy
import json
import multiprocessing
import pathlib
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[2])]

import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from regenerate_counts import DROP, FAMILIES, alternatives, apply  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402
from transformers.core_model_loading import revert_weight_conversion  # noqa: E402
from transformers.models.auto.configuration_auto import CONFIG_MAPPING  # noqa: E402

from gptcount.architecture import Architecture  # noqa: E402
from gptcount.errors import GptCountError  # noqa: E402
from gptcount.families import MODULES, reader_of  # noqa: E402
from gptcount.families.config import Config  # noqa: E402
from gptcount.reference import logits  # noqa: E402
from gptcount.sources import config_json  # noqa: E402

Data = dict[str, Any]

ALL_BASES, VERBOSE = "--first" not in sys.argv, "--verbose" in sys.argv
N_TOKENS, SEED, TRIES, SECONDS = 29, 1, 3, 20
WRONG = 5e-4
"""So large a part of the logits' standard deviation is no noise of 32-bit numbers."""

BASES = ("rope_theta", "rope_local_base_freq", "swa_rope_theta", "rotary_emb_base", "rotary_base")
"""What the angles of rotary positions are powers of."""

ROPE = {"rope_type": "default", "rope_theta": 10000.0}
LONG = {"short_factor": [1.0, 1.3] * 3, "long_factor": [1.5, 2.5] * 3, "original_max_position_embeddings": 16}
STRETCHED: list[Data] = [
    {"rope_type": "linear", "factor": 2.0},
    {"rope_type": "dynamic", "factor": 2.0},
    {"rope_type": "dynamic", "factor": 2.0, "original_max_position_embeddings": 16},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "truncate": False},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "truncate": None},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "mscale": 0.7, "mscale_all_dim": 0.9},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "attention_factor": 1.3},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 4.0, "beta_slow": 2.0},
    {"rope_type": "yarn", "factor": 4.0},
    {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    },
    {"rope_type": "longrope", "factor": 4.0, **LONG},
    {"rope_type": "longrope", **LONG},
    {"rope_type": "proportional", "factor": 2.0},
    {"rope_type": "mrope", "mrope_section": [1, 1, 1]},
    {"rope_type": "no-such"},
    {"rope_type": "linear"},
    {"rope_type": "linear", "factor": 2.0, "unknown": 3},
    {"rope_type": "default", "partial_rotary_factor": 0.5},
    {"rope_type": "default", "partial_rotary_factor": 1.5},
    {"rope_type": "default", "rope_theta": 300.0},
    {"rope_type": "default", "unknown": 3},
]
VALUES: dict[str, list[Any]] = {
    "rope_scaling": [*STRETCHED, {"type": "linear", "factor": 2.0}, {}, None],
    "rope_parameters": [ROPE | one for one in STRETCHED],
    "partial_rotary_factor": [0.25, 0.5, 1.0, 1.5, 0.0, None],
    "hidden_act": ["gelu", "gelu_new", "relu", "relu2", "silu", "quick_gelu", "gelu_pytorch_tanh", "xielu"],
    "scoring_func": ["softmax", "sigmoid", "sqrtsoftplus"],
    "topk_method": ["greedy", "noaux_tc", "group_limited_greedy"],
    "layer_types": [
        ["full_attention"] * 4,
        ["sliding_attention"] * 4,
        ["sliding_attention", "full_attention"] * 2,
        ["full_attention", "sliding_attention"] * 2,
        None,
    ],
}
VALUES |= dict.fromkeys(("hidden_activation", "activation_function", "afn"), VALUES["hidden_act"])
ANY: list[Any] = [True, False, None, 0, 1, 2, 3, 4, 8, 0.0, 0.5, 1.0, 2.0, 1e-3, 30.0]


OTHERWISE: dict[str, Data] = {
    # The reference implementation does not read the base that dbrx says for its attention; published files mean it.
    "dbrx": {"attn_config": {"clip_qkv": 8, "kv_n_heads": 3, "rope_theta": 10000.0}},
    # With few heads an indexer's scores are 0 for many keys: which of those are the best is rounding's choice. So no
    # fewer are tried.
    "deepseek_v32": {"index_n_heads": 32},
    "deepseek_v4": {"index_n_heads": 32},
    "glm_moe_dsa": {"index_n_heads": 32},
}
"""Where a base is not the one that the counts have, and why."""

BY_SDPA = {"falcon", "gemma"}
"""Families whose eager attention is not what the model does: falcon's adds ALiBi twice, gemma's is always causal."""


def bases(family: str) -> Iterator[Data]:
    """The small configurations of a family: the first that the counts are held against, and those of its logits."""
    yield json.loads((HERE / "counts" / f"{family}.json").read_text())[0]["config"]
    for path in sorted((HERE / "parity").glob("*/config.json")):
        if (config := json.loads(path.read_text())).get("model_type") == family:
            yield config


def values(key: str, said: Any, first: bool) -> Iterator[Any]:
    """What a key may say instead; of all that might be there, only of the first base of a family."""
    yield DROP
    yield from VALUES.get(key, ANY if first else [])
    yield from alternatives(key, said, own=True)


def cases(family: str) -> Iterator[tuple[str, Any, Data]]:
    """Every changed configuration of a family once, after the unchanged ones: the key, the value, the whole."""
    for place, base in enumerate(bases(family)):
        if place == 0 or ALL_BASES:
            yield from changed(family, base | OTHERWISE.get(family, {}), first=place == 0)


def changed(family: str, base: Data, first: bool) -> Iterator[tuple[str, Any, Data]]:
    """One configuration, and it with each key changed."""
    reader = Config(copy.deepcopy(base), family)
    reader_of(family, family)(reader)
    yield "", None, base
    seen = {json.dumps(base, sort_keys=True)}
    for key in sorted(reader.used | {"is_causal"}):
        for value in values(key, base.get(key), first):
            if key == "index_n_heads" and isinstance(value, int) and value < base[key]:
                continue
            if key in BASES and isinstance(value, float) and value < 1:
                continue  # angles of thousands of turns are all rounding
            whole = apply(base, {key: value})
            if key == "rope_parameters" and value is not DROP:
                whole.pop("rope_theta", None)
            if (text := json.dumps(whole, sort_keys=True)) not in seen:
                seen.add(text)
                yield key, None if value is DROP else value, whole
    theirs = dict(rope_scaling=STRETCHED[0], rope_parameters=ROPE | STRETCHED[3])
    yield "rope_scaling beside rope_parameters", None, base | theirs


FIXED = frozenset("slope_rate query_decay key_decay diagonal_decay".split())
"""Buffers that what is done relies on: a token sees none after it (MiniMax)."""


def built(config: Data, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray] | None:
    """What the reference makes of a configuration: a checkpoint of random numbers, and logits. None of a failure."""
    signal.alarm(SECONDS)
    try:
        parsed = CONFIG_MAPPING[config["model_type"]].from_dict(copy.deepcopy(config))
        torch.manual_seed(seed)
        attention = "sdpa" if config["model_type"] in BY_SDPA else "eager"
        model = AutoModelForCausalLM.from_config(
            parsed, attn_implementation=attention, experts_implementation="eager"
        ).eval()
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if name.rsplit(".", 1)[-1] in FIXED:
                continue
            if tensor.is_floating_point() and name in model.state_dict():
                torch.nn.init.normal_(tensor, std=0.2)
            elif name.endswith("tid2eid"):  # the experts of each token, which a published table names once each
                tensor.copy_(torch.rand(len(tensor), parsed.n_routed_experts).argsort(1)[:, : tensor.shape[1]])
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}  # a run of RWKV halves some
        with torch.no_grad():
            found = model(torch.from_numpy(tokens(config))[None], use_cache=False).logits[0].numpy()
        state = revert_weight_conversion(model, before)
        return {name: value.numpy() for name, value in state.items()}, found
    except Exception:  # whatever stops the reference implementation: it has said nothing then
        return None
    finally:
        signal.alarm(0)


def tokens(config: Data) -> np.ndarray:
    """The text."""
    n_vocab = config.get("vocab_size") or 100
    return np.random.default_rng(SEED).integers(0, min(n_vocab, 200), N_TOKENS)


def judged(config: Data) -> tuple[str, str]:
    """The verdict on one configuration, and what to say of it."""
    signal.alarm(SECONDS)
    try:
        architecture = config_json.parse(json.dumps(config), "config.json")
    except GptCountError as refusal:
        return "refused", str(refusal).splitlines()[0]
    except Exception as fault:  # a crash is what is looked for
        return "CRASHED", f"{type(fault).__name__}: {fault}"
    finally:
        signal.alarm(0)
    found = [held(architecture, config, SEED)]
    while found[-1][0] == "WRONG" and len(found) < TRIES:  # rounding may choose other experts, of some weights
        found.append(held(architecture, config, SEED + len(found)))
    return found[-1]


def held(architecture: Architecture, config: Data, seed: int) -> tuple[str, str]:
    """The verdict on one configuration whose random weights grow from a seed."""
    theirs = built(config, seed)
    if theirs is None or not np.isfinite(theirs[1]).all():
        return "not built", ""
    try:
        ours = logits(architecture, theirs[0], tokens(config)[None])[0]
    except GptCountError as refusal:
        return "refused", str(refusal).splitlines()[0]
    except Exception as fault:
        return "CRASHED", f"{type(fault).__name__}: {fault}"
    if ours.shape != theirs[1].shape:
        return "WRONG", f"shape {ours.shape} for {theirs[1].shape}"
    off, size = float(np.abs(ours - theirs[1]).max()), float(theirs[1].std())
    return ("equal" if off <= WRONG * size + 1e-5 else "WRONG"), f"{off:.2g} of {size:.2g}"


def late(*_: object) -> None:
    """The alarm."""
    raise TimeoutError


def swept(family: str) -> tuple[str, dict[str, Any], list[str]]:
    """A family: how many of each verdict, those that should not be, and lines to print."""
    warnings.filterwarnings("ignore")
    np.seterr(all="ignore")
    transformers.logging.set_verbosity_error()
    signal.signal(signal.SIGALRM, late)
    found: collections.Counter[str] = collections.Counter()
    worst, lines = list[Any](), list[str]()
    for key, value, config in cases(family):
        verdict, said = judged(config)
        found[verdict] += 1
        if verdict.isupper():
            worst.append([key, value, verdict, said])
        if verdict.isupper() or VERBOSE:
            lines.append(f"{verdict:10}{family:20}{key} = {json.dumps(value)[:110]}: {said[:150]}")
    lines.append(f"{family:20}" + "  ".join(f"{name} {n}" for name, n in sorted(found.items())))
    return family, dict(sorted(found.items())) | ({"wrong": worst} if worst else {}), lines


def main() -> int:
    """Hold all, and write what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--first", action="store_true", help="only the first base of each family")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))
    kept: dict[str, Any] = {}
    with multiprocessing.Pool(given.jobs, maxtasksperchild=4) as pool:
        for family, found, lines in pool.imap_unordered(
            swept, sorted(only or (set(MODULES) & set(FAMILIES) & set(CONFIG_MAPPING)))
        ):
            kept[family] = found
            print("\n".join(lines), flush=True)
    verdicts = sorted({name for found in kept.values() for name in found} - {"wrong"})
    total = {name: sum(found.get(name, 0) for found in kept.values()) for name in verdicts}
    print("all " + "  ".join(f"{name} {n}" for name, n in total.items()))
    if not only:
        (HERE / "logits.json").write_text(json.dumps({"all": total, **dict(sorted(kept.items()))}, indent=1) + "\n")
    return bool(total.get("WRONG", 0) + total.get("CRASHED", 0))


if __name__ == "__main__":
    sys.exit(main())
