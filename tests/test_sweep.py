"""What the sweep of single keys found, kept beside the script that made it: logits that are the reference's, and none
that are not."""

import json
from pathlib import Path

from gptcount.families import MODULES

FOUND = json.loads((Path(__file__).parent / "authorities" / "reference" / "logits.json").read_text())


def test_every_logit_that_was_compared_is_the_reference_s():
    whole = FOUND["all"]
    assert set(whole) <= {"equal", "refused", "not built"}
    assert whole["equal"] >= 20_000
    families = {family: found for family, found in FOUND.items() if family != "all"}
    assert set(families) <= set(MODULES)
    for verdict, n in whole.items():
        assert n == sum(found.get(verdict, 0) for found in families.values())
    assert all(found.get("equal") for found in families.values())
