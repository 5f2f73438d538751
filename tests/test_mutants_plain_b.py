"""What is new in further families can be caught too: whatever of it is forgotten, their logits tell."""

from typing import Any

import numpy as np
import pytest
from test_forward_mutants import PARITY, Patch, off, setting

from gptcount import Architecture
from gptcount.blocks.attention import Temperature
from gptcount.blocks.mixture import Mixture
from gptcount.reference import attention, latent_attention, mixture


def wherever(data: Any, key: str, old: Any, new: Any) -> Any:
    """Plain data with the value of a key changed, wherever it is the old one."""
    if isinstance(data, list | tuple):
        return [wherever(item, key, old, new) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: new if name == key and value == old else wherever(value, key, old, new) for name, value in data.items()
    }


PLAIN = {"kind": "rms", "gain": False, "bias": False, "eps": 1e-5, "plus_one": False}
OWN = PLAIN | {"gain": True, "plus_one": True, "eps": 0.3}

MUTANTS = [
    ("look at one block fewer", "minimax_m3_vl", "n_chosen", 2, 1),
    ("forget that its own block is always looked at", "minimax_m3_vl", "n_local", 1, 0),
    ("blocks of other tokens", "minimax_m3_vl", "n_block", 3, 4),
    ("turn all of a head, not half", "minimax_m3_vl-partial", "d_rotary", 2, 4),
    ("forget the clip of gate and up", "minimax_m3_vl", "limit", 0.9, None),
    ("look at one key fewer", "doge", "n_kept", 4, 3),
    ("forget the window", "doge-window-biases", "window", 5, None),
    ("forget the gain of what comes in", "doge", "residual", "gained", "pre-norm"),
    ("turn layers with a window by the base of the others", "step3p7", "base", 90.0, 200.0),
    ("forget that gains are stored less one", "step3p7", "plus_one", True, False),
    ("clip gates before their activation", "step3p7-limits", "limits", "activated", "gate"),
    ("forget what scores are scaled by", "step3p7-limits", "scale", 1 / 3, None),
    ("forget the window of latent attention", "dots3_note_text", "window", 5, None),
    ("forget the scale of the latent vector", "dots3_note_text", "kv_scale", (16 / 11) ** 0.5, 1.0),
    ("correct scores, not what the router says", "kolibri1", "corrected", "logits", "scores"),
    ("forget the window of a mixture's attention", "flint", "window", 5, None),
    ("look at something always", "flint", "sinks", True, False),
    ("add branches as they are", "beam", "residual", "averaged", "sandwich"),
    ("forget the bias of a gate", "beam", "gate_bias", True, False),
    ("forget the cap of a mixture's scores", "beam", "softcap", 2.0, None),
    ("norm all heads at once, not each", "molmo2-norm-after", "over", "all-heads", "head"),
    ("stretch no layer", "molmo2-norm-after", "factor", 3.0, 1.0),
    ("forget that norms after a branch are others", "muse_glimmer", "output_norm", OWN, None),
    ("forget the norm of the embedding", "muse_glimmer", "norm", PLAIN, None),
    ("forget what scores are multiplied by", "muse_glimmer", "scale", 0.7, 1.0),
    ("another steepness of the gate", "minimax_m3_vl", "alpha", 1.3, 1.702),
    ("forget the sinks", "granite_swa", "sinks", True, False),
    ("one base for all layers", "granite_swa", "base", 500.0, 100.0),
    ("forget the window", "granitemoe_swa", "window", 5, None),
    ("forget the router's scale", "hy_v3", "scale", 1.7, 1.0),
    ("forget the correction", "hy_v3", "router_correction", "buffer", None),
    ("forget that the sum is halved", "cohere2_moe", "output_scale", 0.5, 1.0),
    ("make sigmoids add up to one", "cohere2_moe-sigmoids", "normalize", False, True),
    ("open gates by a sigmoid", "laguna", "gate_activation", "softplus", "sigmoid"),
    ("forget the cap of the router", "laguna-heads", "router_softcap", 0.7, None),
    ("forget the window of some layers", "mellum", "window", 5, None),
    ("make shares add up to one", "mellum", "normalize", False, True),
    ("turn all of a head", "laguna", "d_rotary", 4, None),
]
"""What is wrong, the case that tells, the key, what it is and what it is made to be."""


def forgotten(room: Any, function: str, name: str = "") -> Patch:
    """A function gives back what it gets: always, or where it is asked for the weight of a name."""
    real = getattr(room, function)

    def without(x: Any, *rest: Any, **more: Any) -> Any:
        return x if not name or name in rest else real(x, *rest, **more)

    return lambda patch: patch.setattr(room, function, without)


BUILT: list[tuple[str, str, Patch]] = [
    ("forget the gate of what attention reads", "axk2", forgotten(latent_attention, "let_in")),
    ("forget the gate of what a mixture reads", "axk2", forgotten(mixture, "let_in")),
    ("forget the sigmoid of the heads' gate", "axk2", forgotten(latent_attention, "sigmoid")),
    ("forget what values are worth", "doge", setting(attention, "beside_scores", lambda *rest: None)),
    ("forget the sigmoid of each head's gate", "step3p7", forgotten(attention, "sigmoid")),
    ("forget the sigmoid of each head's gate, latent", "dots3_note_text", forgotten(latent_attention, "sigmoid")),
    ("forget the norm of the rotated key", "dots3_note_text", forgotten(latent_attention, "norm", "key_rotary_norm")),
    ("forget the norm of what a mixture brings", "axk1", forgotten(mixture, "norm", "output_norm")),
]
"""What is wrong, the case that tells, and how the code is made so."""


@pytest.mark.parametrize(("what", "case", "patch"), BUILT, ids=[mutant[0] for mutant in BUILT])
def test_what_is_built_otherwise_is_caught(what: str, case: str, patch: Patch, monkeypatch: pytest.MonkeyPatch):
    assert off(case) <= 1, what
    patch(monkeypatch)
    assert off(case) > 1, what


def test_an_expert_outside_the_chosen_groups_goes_before_one_below_zero():
    """As modeling_axk2.py has it: outside, 0 is written over what an expert is preferred with."""
    preference = np.array([[0.9, -0.2, 0.3, 0.1]], np.float32)
    data = {"kind": "mixture", "n_experts": 4, "n_experts_per_token": 2, "expert": {"kind": "gated", "d_ff": 3}}
    for outside, chosen in (("zero", [0, 2]), ("never", [0, 1])):
        grouped = Mixture.model_validate(data | {"n_groups": 2, "n_groups_per_token": 1, "outside": outside})
        assert mixture.choose(preference, grouped)[0].tolist() == chosen


def test_queries_grow_by_a_power_of_their_position():
    """As modeling_beam.py has it (compute_attention_scaling): in 13 tokens it hardly shows."""
    positions = np.arange(100_000)
    grown = attention.lengths(positions, Temperature(scale=0.1, n_positions=2048, offset=1, power=True))
    assert np.allclose(grown[:, 0], np.exp(0.1 * np.log1p((positions + 1) / 2048)), rtol=1e-6)


@pytest.mark.parametrize(("what", "case", "key", "old", "new"), MUTANTS, ids=[mutant[0] for mutant in MUTANTS])
def test_a_mutant_is_caught(what: str, case: str, key: str, old: Any, new: Any):
    def changed(one: Architecture) -> Architecture:
        found = Architecture.model_validate(wherever(one.model_dump(), key, old, new))
        assert found != one, f"{what}: nothing is changed"
        return found

    assert (PARITY / case).exists()
    assert off(case) <= 1 < off(case, changed), what
