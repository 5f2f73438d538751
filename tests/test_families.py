"""Every family's reader against the reference implementation: totals, tensors, and what each single key changes.

The evidence is in authorities/reference, made by regenerate_counts.py there. An answer must be exact; a refusal is
right where the configuration contradicts itself, and is counted.
"""

import json
import re
from collections import Counter
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import pytest
from test_spellings import SPELLED

from gptcount.errors import InputError
from gptcount.families import LATER, MODULES
from gptcount.families.others import UNREAD
from gptcount.families.wholes import wholes
from gptcount.ledger import breakdown
from gptcount.sources import config_json

REFERENCE = Path(__file__).parent / "authorities" / "reference"
FAMILIES = sorted(path.stem for path in (REFERENCE / "counts").glob("*.json"))
TOTALS = ("parameters", "stored", "active")

CONTRADICTORY = re.compile(
    "contradicts|in this family|do not (divide|agree|make|fill)|not a multiple|of only n_experts|expected|missing|"
    "an encoder's attention|of another kind|absent, and|not a whole number|wide here|not known"
)
"""What a refusal says where a written case contradicts itself, or asks for what is no part of a decoder."""


@cache
def evidence(kind: str, family: str) -> Any:
    return json.loads((REFERENCE / kind / f"{family}.json").read_text())


def counted(config: dict[str, Any]) -> tuple[dict[str, int], Counter[tuple[str, tuple[int, ...]]]]:
    """The totals and the stored tensors of a configuration."""
    ledger = breakdown(config_json.parse(json.dumps(config), "case"), "stored")
    assert all(row.parameters == row.copies * prod(row.sizes) for row in ledger.stored)
    tensors = Counter({(row.tensor, row.sizes): row.copies for row in ledger.stored})
    return ledger.totals, tensors


def expected(case: dict[str, Any]) -> dict[str, int]:
    """The totals that the reference implementation is sure of; ``corrected`` where it is itself mistaken."""
    said = case | (case.get("corrected") or {})
    return {total: said[total] for total in TOTALS if said.get(total) is not None}


def mutated(config: dict[str, Any], mutation: dict[str, Any]) -> dict[str, Any]:
    """The configuration with one key, whose dots lead into nested objects, dropped or set."""
    changed = json.loads(json.dumps(config))
    *path, last = mutation["key"].split(".")
    table = changed
    for word in path:
        table = table[word]
    if mutation.get("dropped"):
        table.pop(last, None)
    else:
        table[last] = mutation["value"]
    return changed


def test_there_is_evidence_for_every_family():
    larger = {wholes()[family].text for family in FAMILIES if family in wholes()}
    assert set(FAMILIES) - set(wholes()) | larger | SPELLED >= set(MODULES)


@pytest.mark.parametrize("family", FAMILIES)
def test_cases_are_exact(family: str):
    exact = 0
    for case in evidence("counts", family):
        name = f"{family} {case['case']}"
        try:
            totals, tensors = counted(case["config"])
        except InputError as refusal:
            if not CONTRADICTORY.search(str(refusal)):
                raise
            continue
        want = expected(case)
        assert {total: totals[total] for total in want} == want, name
        exact += 1
        if "corrected" in case:
            continue
        stored = {(tensor, tuple(shape)): n for tensor, shape, n in case["tensors"] if 0 not in shape}
        assert tensors == Counter(stored), name
    assert exact


@pytest.mark.parametrize("family", FAMILIES)
def test_a_changed_key_changes_the_count_as_in_the_reference(family: str):
    found = evidence("mutations", family)
    for mutation in found["mutations"]:
        config = mutated(found["config"], mutation)
        try:
            totals = breakdown(config_json.parse(json.dumps(config), "case")).totals
        except InputError:
            continue
        if "error" not in mutation:
            want = expected(mutation)
            assert {total: totals[total] for total in want} == want, f"{family}: {mutation}"


@pytest.mark.parametrize("model_type", sorted(LATER))
def test_layers_without_attention_are_refused_by_name(model_type: str):
    with pytest.raises(InputError, match=f"{model_type}.*not counted yet"):
        config_json.parse(json.dumps({"model_type": model_type}), "config.json")


@pytest.mark.parametrize("model_type", sorted(UNREAD))
def test_a_decoder_that_is_not_read_says_why(model_type: str):
    with pytest.raises(InputError, match=f"{model_type}' {UNREAD[model_type][:20]}.*not counted yet"):
        config_json.parse(json.dumps({"model_type": model_type}), "config.json")


def test_an_unknown_family_is_refused_with_the_closest():
    with pytest.raises(InputError, match=r"'lama' is not known; did you mean llama.*TOML"):
        config_json.parse('{"model_type": "lama"}', "config.json")


def test_an_unknown_key_is_refused_by_name():
    config = evidence("counts", "llama")[0]["config"] | {"n_extra_experts": 3}
    with pytest.raises(InputError, match="n_extra_experts: not known for model_type 'llama'"):
        config_json.parse(json.dumps(config), "config.json")


def test_code_beside_a_configuration_is_never_run(tmp_path: Path):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    config = evidence("counts", "llama")[0]["config"] | {"auto_map": {"AutoConfig": "evil.Config"}}
    config_json.parse(json.dumps(config), "config.json")
    assert not (tmp_path / "ran").exists()
