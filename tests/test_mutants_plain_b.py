"""What is new in further families can be caught too: whatever of it is forgotten, their logits tell."""

from typing import Any

import pytest
from test_forward_mutants import PARITY, off

from gptcount import Architecture


def wherever(data: Any, key: str, old: Any, new: Any) -> Any:
    """Plain data with the value of a key changed, wherever it is the old one."""
    if isinstance(data, list | tuple):
        return [wherever(item, key, old, new) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: new if name == key and value == old else wherever(value, key, old, new) for name, value in data.items()
    }


MUTANTS = [
    ("look at one block fewer", "minimax_m3_vl", "n_chosen", 2, 1),
    ("forget that its own block is always looked at", "minimax_m3_vl", "n_local", 1, 0),
    ("blocks of other tokens", "minimax_m3_vl", "n_block", 3, 4),
    ("turn all of a head, not half", "minimax_m3_vl-partial", "d_rotary", 2, 4),
    ("forget the clip of gate and up", "minimax_m3_vl", "limit", 0.9, None),
    ("another steepness of the gate", "minimax_m3_vl", "alpha", 1.3, 1.702),
]
"""What is wrong, the case that tells, the key, what it is and what it is made to be."""


@pytest.mark.parametrize(("what", "case", "key", "old", "new"), MUTANTS, ids=[mutant[0] for mutant in MUTANTS])
def test_a_mutant_is_caught(what: str, case: str, key: str, old: Any, new: Any):
    def changed(one: Architecture) -> Architecture:
        found = Architecture.model_validate(wherever(one.model_dump(), key, old, new))
        assert found != one, f"{what}: nothing is changed"
        return found

    assert (PARITY / case).exists()
    assert off(case) <= 1 < off(case, changed), what
