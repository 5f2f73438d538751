"""What the sweep of single keys found, kept beside the script that made it: logits that are the reference's, and none
that are not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gptcount.errors import InputError
from gptcount.families import MODULES
from gptcount.sources import config_json

REFERENCE = Path(__file__).parent / "authorities" / "reference"
FOUND = json.loads((REFERENCE / "logits.json").read_text())


def test_every_logit_that_was_compared_is_the_reference_s():
    whole = FOUND["all"]
    assert set(whole) <= {"equal", "refused", "not built"}
    assert whole["equal"] >= 20_000
    families = {family: found for family, found in FOUND.items() if family != "all"}
    assert set(families) <= set(MODULES)
    for verdict, n in whole.items():
        assert n == sum(found.get(verdict, 0) for found in families.values())
    assert all(found.get("equal") for found in families.values())


def changed(family, **keys):
    """The first small configuration of a family, with keys changed or, where None, left out."""
    base = json.loads((REFERENCE / "counts" / f"{family}.json").read_text())[0]["config"] | keys
    return config_json.parse(json.dumps({key: value for key, value in base.items() if value is not None}), "case")


LONG = {"rope_type": "longrope", "short_factor": [1.0] * 6, "long_factor": [2.0] * 6}


@pytest.mark.parametrize(
    ("family", "keys", "said"),
    [
        (
            "olmo3",
            {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0}},
            "rope_parameters: expected a table",
        ),
        ("mimo_v2_flash", {"layernorm_epsilon": 0.5}, "layernorm_epsilon: 0.5, and in this family it is 1e-05"),
        ("mimo_v2_flash", {"rope_theta": 300.0}, "rope_theta: 300.0, and in this family"),
        ("mimo_v2_flash", {"swa_rope_theta": 300.0}, "swa_rope_theta: 300.0, and in this family"),
        ("mimo_v2_flash", {"partial_rotary_factor": 1.0}, "partial_rotary_factor: 1.0, and in this family"),
        ("longcat_flash", {"router_bias": True}, "router_bias: True, and in this family"),
        ("glm4_moe_lite", {"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor: 0.5"),
        ("qwen2", {"sliding_window": 0, "use_sliding_window": True}, "sliding_window: 0 contradicts"),
        ("qwen2_moe", {"layer_types": ["sliding_attention"] * 4}, "layer_types: sliding_attention contradicts"),
        ("phi3", {"rope_scaling": LONG | {"original_max_position_embeddings": 16}}, "16 contradicts the 97"),
    ],
)
def test_what_the_sweep_found_wrong_is_refused(family, keys, said):
    changed(family)
    with pytest.raises(InputError) as refusal:
        changed(family, **keys)
    assert said in str(refusal.value)


def test_bases_are_those_of_the_reference():
    assert changed("mixtral", rope_theta=None).attention.rotary.base == 1_000_000
    bases = {
        layer.attention.window: layer.attention.rotary.base for layer in changed("olmo3", rope_theta=300.0).stack()
    }
    assert bases.pop(None) == 300
    assert set(bases.values()) == {500_000}
    scaled = changed("gpt_oss", rope_scaling={}, rope_parameters=None).attention.rotary.scaling
    assert scaled is not None
    assert scaled.factor == 32


def test_the_whole_model_runs_on_no_tokens_of_yours():
    command = [sys.executable, "-m", "gptcount", "verify-shapes", "gpt2", "--full", "--tokens", "1,2"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2
    assert "--tokens: --full runs on made-up numbers" in found.stderr
