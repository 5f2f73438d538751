"""Families that are known, and whose layers are not counted yet, are refused by name with the reason."""

import re

import pytest

from gptcount import Architecture, load
from gptcount.errors import InputError


@pytest.mark.parametrize("model_type", ["inkling2_text", "inkling2_loop_text"])
def test_layers_that_read_groups_of_layers_are_refused(model_type):
    with pytest.raises(InputError, match=f"{model_type}.*groups of layers before"):
        load({"model_type": model_type, "hidden_size": 8})


def test_rotary_positions_of_zaya_want_a_table_for_each_kind_of_layer():
    config = {"model_type": "zaya", "hidden_size": 64, "num_hidden_layers": 2}
    with pytest.raises(InputError, match=r"rope_parameters.*a table for hybrid"):
        load(config | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}})


def test_matrices_of_xlstm_that_are_stapled_are_refused():
    with pytest.raises(InputError, match="weight_mode"):
        load({"model_type": "xlstm", "hidden_size": 64, "weight_mode": "fused"})


RMS = {"kind": "rms"}
BASE = {"name": "tiny", "n_vocab": 20, "n_ctx": 12, "n_layers": 3, "d_model": 8, "norm": RMS}
BASE |= {"attention": {"kind": "multi-head", "n_heads": 2, "d_head": 4}, "mlp": {"kind": "gated", "d_ff": 6}}
BASE |= {"unembedding": {"tied": True}}
GATED = {"kind": "gated", "d_ff": 5}
MIXTURE = {"kind": "mixture", "n_experts": 4, "n_experts_per_token": 2, "expert": GATED}
SCORED = {"shared": GATED, "n_shared": 2, "scores": "sigmoid"}
HIDDEN = {"d_router": 5, "norm": RMS, "carried": True}
SANDWICH = {"residual": "sandwich"}


@pytest.mark.parametrize(
    ("part", "change", "why"),
    [
        ("", {"residual_factors": {"mlp": {"kept": 2.0}}}, "residual_factors: layers whose residual"),
        ("", SANDWICH | {"halved_every": 2}, "halved_every: layers are pre-norm"),
        ("", SANDWICH | {"branch_convolution": {"n_taps": 3}}, "branch_convolution: layers are pre-norm"),
        ("", SANDWICH | {"residual_scaling": True}, "residual_scaling: layers are pre-norm"),
        ("", {"mlp": MIXTURE | {"router_hidden": HIDDEN}}, "router_hidden.carried: no earlier router"),
        ("attention", {"gate_of": "heads"}, "gate_of: there is no gate"),
        ("attention", {"n_taps": 3, "value_is_key": True}, "n_taps: keys and values are this layer's own"),
        ("mlp", MIXTURE | {"n_shared": 2, "scores": "sigmoid"}, "n_shared: there is a shared expert"),
        ("mlp", MIXTURE | SCORED | {"scores": "softmax"}, "n_shared: scores are sigmoids"),
        ("mlp", MIXTURE | SCORED | {"n_zero_experts": 1}, "n_shared: experts are chosen"),
        ("mlp", MIXTURE | {"zero_gives": "nothing"}, "zero_gives: every expert has weights"),
        ("mlp", MIXTURE | {"expert": GATED | {"learned_scale": True}}, "learned_scale: an expert has none"),
        ("mixer", {"kind": "lightning", "n_heads": 2, "d_head": 4}, "norm"),
        ("mixer", {"kind": "mlstm", "n_heads": 2, "d_head": 4, "d_value": 4, "norm": RMS}, "gate_softcap"),
        (
            "attention",
            {"kind": "convolutional", "n_kv_heads": 1, "n_heads": 2, "d_head": 3},
            "d_head = 3 is not even",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(part, change, why):
    old = BASE.get(part, {})
    block = change if change.get("kind", old.get("kind")) != old.get("kind") else old | change
    with pytest.raises(InputError, match=re.escape(why)):
        Architecture.model_validate(BASE | ({part: block} if part else change))
