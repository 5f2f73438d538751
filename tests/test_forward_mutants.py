"""The forward pass can be caught: whatever is forgotten, turned or swapped in it, some family's logits tell."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gptcount import Architecture, GptCountError, load
from gptcount.reference import (
    attention,
    functions,
    latent_attention,
    layer,
    logits,
    mixture,
    mlp,
    model,
    norm,
    positions,
)
from gptcount.reference.weights import Weights

PARITY = Path(__file__).parent / "authorities" / "reference" / "parity"

Patch = Callable[[pytest.MonkeyPatch], None]


def everywhere(case: Architecture, change: dict[str, Any], part: str = "") -> Architecture:
    """The architecture with fields of a part set to other values, in the common layers and in those that vary."""

    def changed(table: Any) -> Any:
        return table if not table else {key: change.get(key, value) for key, value in table.items()}

    data = case.model_dump()
    if not part:
        return Architecture.model_validate({**data, **change})
    data[part] = changed(data[part])
    for variation in data["variations"]:
        if part in variation:
            variation[part] = changed(variation[part])
    return Architecture.model_validate(data)


SPECIFIED = [
    ("forget the window", "mistral", "attention", {"window": None}),
    ("a window one token wider", "mistral", "attention", {"window": 6}),
    ("forget the rotation", "llama", "attention", {"rotary": None}),
    ("turn by another base", "llama", "attention", {"rotary": {"base": 20_000.0}}),
    ("pair neighbours, not halves", "llama", "attention", {"rotary": {"base": 10_000.0, "interleaved": True}}),
    ("forget ALiBi", "bloom", "attention", {"alibi": None}),
    ("forget the sinks", "gpt_oss", "attention", {"sinks": False}),
    ("forget the scores' cap", "gemma2", "attention", {"softcap": None}),
    ("forget the norm of queries and keys", "qwen3", "attention", {"query_key_norm": None}),
    ("forget the clip", "olmo-clip", "attention", {"clip": None}),
    ("forget the gate", "afmoe", "attention", {"gate": False}),
    ("forget attention's own scale", "granite", "attention", {"scale": None}),
    ("forget attention's biases", "qwen2", "attention", {"biases": ()}),
    ("forget the MLP's biases", "gpt2", "mlp", {"biases": ()}),
    ("another activation", "llama", "mlp", {"activation": "gelu"}),
    ("GELU by erf, not by tanh", "gpt2", "mlp", {"activation": "gelu"}),
    ("forget the shared expert", "deepseek_v3", "mlp", {"shared": None}),
    ("forget the shared expert's gate", "qwen2_moe", "mlp", {"shared_gate": False}),
    ("forget the correction of the choice", "deepseek_v3", "mlp", {"router_correction": None}),
    ("forget the groups of experts", "deepseek_v3", "mlp", {"n_groups": 1, "n_groups_per_token": 1}),
    ("forget the experts' scale", "deepseek_v3", "mlp", {"scale": 1.0}),
    ("forget to normalize the shares", "mixtral", "mlp", {"normalize": False}),
    ("softmax for sigmoid scores", "deepseek_v3", "mlp", {"scores": "softmax"}),
    ("one expert fewer", "mixtral", "mlp", {"n_experts_per_token": 1}),
    ("forget the embedding's scale", "gemma", "embedding", {"scale": 1.0}),
    ("forget the positions", "gpt2", "embedding", {"positions": None}),
    ("forget the embedding's norm", "bloom", "embedding", {"norm": None}),
    ("forget the scores' scale", "cohere", "unembedding", {"scale": 1.0}),
    ("forget the last cap", "gemma2", "unembedding", {"softcap": None}),
    ("forget the unembedding's bias", "phi", "unembedding", {"bias": False}),
    ("forget the branches' scale", "granite", "", {"residual_scale": 1.0}),
    ("forget the final norm", "llama", "", {"final_norm": False}),
    ("norm before, not after", "olmo2", "", {"residual": "sandwich"}),
    ("one after the other, not side by side", "gpt_neox", "", {"residual": "pre-norm"}),
]
"""What is wrong, the case that tells, the part and its fields."""


def setting(owner: Any, name: str, value: Any) -> Patch:
    return lambda patch: patch.setattr(owner, name, value)


def swapped_names(patch: pytest.MonkeyPatch) -> None:
    linear, other = Weights.linear, {"query": "key", "key": "query"}
    patch.setattr(
        Weights, "linear", lambda w, words, x, name, bias=False: linear(w, words, x, other.get(name, name), bias)
    )


def always_first_layer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Weights, "at", lambda w, layer: replace(w, layer=0))


def forgotten(*names: str) -> Patch:
    """Norms of these names give back what they get."""
    real = norm.norm

    def without(x: Any, w: Any, name: str, *rest: Any) -> Any:
        return x if name in names else real(x, w, name, *rest)

    return lambda patch: [patch.setattr(room, "norm", without) for room in (model, layer, latent_attention)] and None


BUILT: list[tuple[str, str, Patch]] = [
    (
        "drop the mask",
        "gpt2",
        setting(attention, "mask", lambda w: np.zeros((len(w.here), len(w.there)), np.float32)),
    ),
    (
        "a mask one token late",
        "gpt2",
        setting(attention, "mask", lambda w: np.triu(np.full((len(w.here), len(w.there)), -np.inf, np.float32), 2)),
    ),
    ("swap query and key", "llama", swapped_names),
    ("the first layer's weights in every layer", "gpt2", always_first_layer),
    ("forget the norm before attention", "llama", forgotten("attention_norm")),
    ("forget the norm before the MLP", "llama", forgotten("mlp_norm")),
    ("forget the norm after attention", "gemma2", forgotten("attention_output_norm")),
    ("forget the norm of the query latent", "deepseek_v3", forgotten("query_norm")),
    ("forget the norm of the key/value latent", "deepseek_v3", forgotten("kv_norm")),
    ("forget the scores' scale by d_head", "llama", setting(attention, "sqrt", lambda n: 1.0)),
    ("forget the scale of latent scores", "deepseek_v3", setting(latent_attention, "scale", lambda spec: 1.0)),
    (
        "heads served by the wrong group",
        "llama",
        setting(attention, "each_head", lambda x, n: np.tile(x, (n // len(x), 1, 1))),
    ),
    (
        "forget Llama 3's stretch",
        "llama-rope-llama3",
        setting(positions, "_llama3", lambda frequency, scaling: frequency),
    ),
    (
        "forget YaRN's stretch",
        "llama-rope-yarn",
        setting(positions, "_yarn", lambda frequency, *rest: (frequency, 1.0)),
    ),
    ("forget YaRN's factor", "deepseek_v3-noqlora-yarn", setting(latent_attention, "yarn_mscale", lambda *rest: 1.0)),
    (
        "the least preferred experts",
        "mixtral",
        setting(mixture, "choose", lambda p, spec: np.argsort(p)[:, : spec.n_experts_per_token]),
    ),
    ("forget the gate of the MLP", "llama", setting(mlp, "gated", lambda gate, up, w, spec: up)),
    (
        "softmax over the wrong axis",
        "gpt2",
        setting(attention, "softmax", lambda x: functions.softmax(x.swapaxes(-1, -2))),
    ),
]
"""What is wrong, the case that tells, and how the code is made so."""


def off(case: str, change: Callable[[Architecture], Architecture] = lambda one: one) -> float:
    """How far the logits are from the reference implementation's, in units of what is allowed."""
    truth = np.load(PARITY / case / "case.npz")
    architecture = change(load(PARITY / case / "config.json"))
    with np.errstate(all="ignore"):
        try:
            found = logits(architecture, PARITY / case / "model.safetensors", truth["input_ids"])
        except GptCountError:
            return np.inf
    if found.shape != truth["logits"].shape:
        return np.inf
    allowed = max(1e-4, 2e-5 * float(np.abs(truth["logits"]).max()))
    worst = float(np.abs(found - truth["logits"]).max())
    return worst / allowed if np.isfinite(worst) else np.inf


def test_every_mutant_of_the_forward_pass_is_caught(capsys: pytest.CaptureFixture[str]):
    table = []
    for what, case, part, change in SPECIFIED:
        table.append((what, case, off(case, lambda one, part=part, change=change: everywhere(one, change, part))))
    for what, case, patch in BUILT:
        with pytest.MonkeyPatch.context() as context:
            patch(context)
            table.append((what, case, off(case)))
    with capsys.disabled():
        print(f"\n{'mutant of the forward pass':44} {'caught by':26} {'times the tolerance':>20}")
        for what, case, times in table:
            print(f"{what:44} {case:26} {times:>20,.0f}")
        print(f"{len(table)} mutants of the forward pass")
    for what, case, times in table:
        assert times > 1, f"{what}: not caught by {case}"
    assert all(off(case) <= 1 for case in {case for _, case, _ in table})
