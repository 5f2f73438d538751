"""What could be forgotten of Mamba-2 and of the hybrids that have it, each caught by the logits of a named case."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_forward_mutants import Patch, everywhere, off, setting

from gptcount.reference import mamba2
from gptcount.reference.weights import Weights

PARTS = {"gate": 0.9, "input": 0.8, "b": 0.7, "c": 1.3, "time_step": 1.4}
"""The factors that the cases of Falcon-H1 have."""

SPECIFIED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("forget the mixer's norm", "mamba2", "mixer", {"norm": None}),
    ("gate after the norm", "mamba2", "mixer", {"norm_before_gate": True}),
    ("forget the least time step", "mamba2-short-steps", "mixer", {"time_step_least": 0.0}),
    ("forget the most time step", "mamba2-short-steps", "mixer", {"time_step_most": None}),
    ("forget the biases of the projections", "mamba2-limits-biases", "mixer", {"biases": ()}),
    ("another activation of what is convolved", "mamba2", "mixer", {"activation": "gelu"}),
    ("forget Nemotron-H's least time step", "nemotron_h-dense-biases", "mixer", {"time_step_least": 0.0}),
    ("turn what has no positions", "nemotron_h", "attention", {"rotary": {"base": 10_000.0}}),
    ("forget the factor of Nemotron-H's experts", "nemotron_h", "mlp", {"scale": 1.0}),
    ("forget to turn half of each head", "bamba", "attention", {"rotary": None}),
    ("turn the whole head", "bamba", "attention", {"rotary": {"base": 200.0}}),
    ("forget the scale of Granite's scores", "granitemoehybrid", "attention", {"scale": None}),
    ("forget Granite's factor of branches", "granitemoehybrid", "", {"residual_scale": 1.0}),
    ("forget Granite's shared MLP", "granitemoehybrid", "mlp", {"shared": None}),
    ("forget Granite's limits", "granitemoehybrid-dense-biases", "mixer", {"time_step_most": None}),
    ("forget the attention beside the mixer", "falcon_h1", "", {"attention": False}),
    ("forget the mixer beside the attention", "falcon_h1", "", {"mixer": False}),
    ("forget the factor of keys", "falcon_h1", "attention", {"scale": None}),
    ("forget the factor into attention", "falcon_h1", "attention", {"input_scale": 1.0}),
    ("forget the factor out of attention", "falcon_h1", "attention", {"output_scale": 1.0}),
    ("forget the factor into the mixer", "falcon_h1", "mixer", {"input_scale": 1.0}),
    ("forget the factor out of the mixer", "falcon_h1", "mixer", {"output_scale": 1.0}),
    ("forget the factors of the mixer's parts", "falcon_h1-no-norm", "mixer", {"part_scales": None}),
    *(
        (f"forget the factor of the mixer's {part}", "falcon_h1-no-norm", "mixer", {"part_scales": PARTS | {part: 1.0}})
        for part in PARTS
    ),
    ("forget the factor of the MLP's gate", "falcon_h1", "mlp", {"gate_scale": 1.0}),
    ("forget the factor out of the MLP", "falcon_h1", "mlp", {"output_scale": 1.0}),
    ("gate before the norm", "falcon_h1-norm-before", "mixer", {"norm_before_gate": False}),
    ("forget the bias of the output alone", "falcon_h1-norm-before", "mixer", {"biases": ("input", "convolution")}),
    ("forget the biases around the experts", "nemotron_h-latent-biases", "mlp", {"latent_bias": False}),
]
"""What is wrong, the case that tells, the part and its fields."""

OPEN = np.float32(1.2784645)
"""Where x times its sigmoid is 1: a gate that is open."""


def drawn_as(which: str, value: float) -> Patch:
    """A weight is drawn as so many numbers, all alike."""
    real = Weights.drawn

    def drawn(w: Weights, name: str, *words: Any) -> Any:
        array = real(w, name, *words)
        return np.full_like(array, value) if name == which else array

    return lambda patch: patch.setattr(Weights, "drawn", drawn)


def of_gated(change: Callable[[Any], Any]) -> Patch:
    real = mamba2.gated
    return setting(mamba2, "gated", lambda x, gate, w, spec: real(x, change(gate), w, spec))


def one_group(patch: pytest.MonkeyPatch) -> None:
    """Every head reads and writes along B and C of the first group."""
    real = mamba2.scanned
    patch.setattr(
        mamba2,
        "scanned",
        lambda given, b, c, *rest: real(
            given, np.broadcast_to(b[:, :1], b.shape), np.broadcast_to(c[:, :1], c.shape), *rest
        ),
    )


BUILT: list[tuple[str, Patch]] = [
    ("forget the decay", drawn_as("log_decay", -np.inf)),
    ("forget the skip", drawn_as("skip", 0.0)),
    ("forget the time step's bias", drawn_as("time_step_bias", 0.0)),
    ("forget the convolution", setting(mamba2, "convolved", lambda x, *rest: x)),
    ("forget the gate", of_gated(lambda gate: np.full_like(gate, OPEN))),
    ("one group for all heads", one_group),
]
"""What is wrong of every mixer, and how the code is made so."""

CASES = ("mamba2", "nemotron_h", "nemotron_h-dense-biases", "granitemoehybrid", "bamba", "falcon_h1-no-norm")
"""The cases that tell each of them."""


@pytest.mark.parametrize(
    ("what", "case", "part", "change"), SPECIFIED, ids=lambda one: one if isinstance(one, str) else ""
)
def test_what_a_specification_forgets_is_caught(what: str, case: str, part: str, change: dict[str, Any]):
    assert off(case) <= 1
    assert off(case, lambda one: everywhere(one, change, part)) > 1, f"{what}: not caught by {case}"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("what", "patch"), BUILT, ids=[what for what, _ in BUILT])
def test_what_the_forward_pass_forgets_is_caught(what: str, patch: Patch, case: str, monkeypatch: pytest.MonkeyPatch):
    assert off(case) <= 1
    patch(monkeypatch)
    assert off(case) > 1, f"{what}: not caught by {case}"
