"""Damaged configurations: each is answered or refused in clear lines, nothing else, whatever was done to it.

authorities/reference/check_fuzz.py holds the answers against the reference implementation.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mutants import FAMILIES, PER_FAMILY, Mutant, mutant
from test_spellings import SPELLED

from gptcount.errors import GptCountError
from gptcount.families import MODULES
from gptcount.families.wholes import wholes
from gptcount.ledger import breakdown
from gptcount.sources import config_json

SUMMARY = Path(__file__).parent / "authorities" / "reference" / "fuzz.json"
HANGS = 10
"""Seconds: far beyond what any takes, so that a test ends that would never."""


@contextmanager
def alarm(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(damaged: Mutant) -> str:
    """Whether it is answered or refused; fails where it is neither, or not said clearly."""
    try:
        with alarm(HANGS):
            totals = breakdown(config_json.parse(damaged.text, "config.json")).totals
    except GptCountError as refusal:
        for line in str(refusal).split("\n"):
            assert line.startswith("config.json: "), f"{damaged}: {line!r}"
            assert line.isprintable(), f"{damaged}: {line!r}"
            assert len(line) < 600, f"{damaged}: {line!r}"
        return "refused"
    assert not damaged.unknown, f"answered, and nobody knows one of its keys: {damaged}"
    assert 0 < totals["active"] <= totals["parameters"] <= totals["stored"], damaged
    return "answered"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_damaged_configuration_is_answered_or_refused(family: str):
    found = Counter(outcome(mutant(family, number)) for number in range(PER_FAMILY))
    assert found["answered"] > 10, found
    assert found["refused"] > 10, found


def test_ten_thousand_are_damaged_and_of_every_family():
    larger = {wholes()[family].text for family in FAMILIES if family in wholes()}
    assert set(FAMILIES) | larger | SPELLED >= set(MODULES)
    assert len(FAMILIES) * PER_FAMILY >= 10_000
    assert mutant("llama", 7) == mutant("llama", 7)


def test_the_reference_implementation_contradicts_no_answer():
    held = json.loads(SUMMARY.read_text())["families"]
    assert list(held) == FAMILIES
    for family, outcomes in held.items():
        assert outcomes.pop("contradictions") == [], family
        assert sum(outcomes.values()) == PER_FAMILY, family
    assert sum(outcomes.get("same", 0) for outcomes in held.values()) >= 4000
