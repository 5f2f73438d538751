"""Damaged input of every kind is answered or refused in clear lines: some hundreds here, 100,000 by ``damage.py``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from damage import KINDS, MADE, damaged, tried

EACH = 60


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_input_is_answered_or_refused(kind: str, tmp_path: Path):
    ended: Counter[str] = Counter()
    for number in range(list(KINDS).index(kind), EACH * len(KINDS), len(KINDS)):
        one = damaged(number)
        assert one.kind == kind
        ended[tried(one, tmp_path)] += 1
    assert ended["refused"] > 5, ended
    assert sum(ended.values()) == EACH


def test_the_same_number_is_the_same_input():
    assert KINDS.keys() == MADE.keys()
    assert damaged(3) == damaged(3)
    assert damaged(3) != damaged(3 + len(KINDS))
