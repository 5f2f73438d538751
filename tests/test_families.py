"""Every family's reader against the reference implementation: totals, tensors, and what each single key changes.

The evidence is in authorities/reference, made by regenerate_counts.py there. An answer must be exact, and what is
refused is a list of its own, authorities/refusals.json.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import pytest
from test_spellings import SPELLED

from gptcount.errors import InputError
from gptcount.families import MODULES
from gptcount.families.others import UNREAD
from gptcount.families.wholes import wholes
from gptcount.ledger import breakdown
from gptcount.sources import config_json

REFERENCE = Path(__file__).parent / "authorities" / "reference"
FAMILIES = sorted(path.stem for path in (REFERENCE / "counts").glob("*.json"))
TOTALS = ("parameters", "stored", "active")

REFUSALS = REFERENCE.parent / "refusals.json"
"""Of each family, which cases and which single mutations are refused, and why: ``python tests/test_families.py`` writes
it anew, so that one refusal more or less is a change that somebody sees."""


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


def labelled(mutation: dict[str, Any]) -> str:
    """What a mutation does, in a few words."""
    said = "absent" if mutation.get("dropped") else json.dumps(mutation["value"])
    return f"{mutation['key']} = {said}"


def configurations(family: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every case of a family and every mutation of one: what it is called, the configuration, and what is known."""
    for case in evidence("counts", family):
        yield f"case {case['case']}", case["config"], case
    found = evidence("mutations", family)
    for mutation in found["mutations"]:
        yield labelled(mutation), mutated(found["config"], mutation), mutation


def refusals(family: str) -> dict[str, str]:
    """What is refused of it though the reference implementation builds it, and why."""
    refused = {}
    for name, config, known in configurations(family):
        try:
            config_json.parse(json.dumps(config), "case")
        except InputError as reason:
            if "error" not in known:
                refused[name] = str(reason).removeprefix("case: ")[:80]
    return refused


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_answered_is_exact(family: str):
    exact = 0
    for name, config, known in configurations(family):
        if "error" in known:
            continue
        try:
            totals, tensors = counted(config) if "tensors" in known else (totals_of(config), Counter())
        except InputError:
            continue
        want = expected(known)
        assert {total: totals[total] for total in want} == want, f"{family}: {name}"
        exact += 1
        if "tensors" in known and "corrected" not in known:
            stored = {(tensor, tuple(shape)): n for tensor, shape, n in known["tensors"] if 0 not in shape}
            assert tensors == Counter(stored), f"{family}: {name}"
    assert exact


def totals_of(config: dict[str, Any]) -> dict[str, int]:
    return breakdown(config_json.parse(json.dumps(config), "case")).totals


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_refused_is_what_was_found_right_to_refuse(family: str):
    assert refusals(family) == json.loads(REFUSALS.read_text())[family]


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


if __name__ == "__main__":
    lines = (
        f" {json.dumps(family)}: " + json.dumps(refusals(family), indent=2, ensure_ascii=False).replace("\n", "\n ")
        for family in FAMILIES
    )
    sys.exit(not REFUSALS.write_text("{\n" + ",\n".join(lines) + "\n}\n"))
