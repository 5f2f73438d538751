"""What a person can write holds together or is refused: counted, drawn, stored and written alike, for all blocks.

``python tests/test_random_specifications.py 10000`` tries so many, and says what it found.
"""

import random
import sys
import warnings
from collections import Counter
from math import prod

import pytest

import gptcount
from gptcount.errors import InputError
from gptcount.ledger import breakdown
from gptcount.reference.bench import verify
from gptcount.sources.specification import parse, toml, validate
from gptcount.stored import tensors

sys.path.insert(0, str(__import__("pathlib").Path(__file__).parent))
from specifications import drawn

UNRUNNABLE = ("are turned in pairs", "and there is one", "sinusoids fill pairs")
"""What the bench says of a specification that could not run at its own sizes: no contradiction."""


def verdict(seed: int) -> str:
    """What is found of one specification; anything but the first four words is a fault."""
    try:
        architecture = validate(drawn(seed), "random")
    except InputError:
        return "refused"
    ledger = breakdown(architecture)
    if parse(toml(architecture), "again") != architecture:
        return "written and read again it is another"
    if ledger.totals["matrix_parameters"] != sum(row.parameters for row in ledger.rows):
        return "its rows do not add up"
    failures = verify(architecture).failures
    if failures:
        return "not runnable" if all(map(_unrunnable, failures)) else f"contradicted: {failures[0]}"
    if architecture.checkpoint is None:
        return "holds"
    try:
        stored = tensors(architecture)
    except InputError:
        return "holds, with no names"
    if any(prod(tensor.shape) * tensor.copies != tensor.parameters for tensor in stored):
        return "a stored row does not hold its parameters"
    same = sum(tensor.parameters for tensor in stored) == ledger.totals["stored"]
    return "holds" if same else "its tensors do not add up"


def _unrunnable(failure: str) -> bool:
    return any(said in failure for said in UNRUNNABLE)


SOUND = ("refused", "not runnable", "holds", "holds, with no names")


@pytest.mark.parametrize("batch", range(8))
def test_random_specifications_hold_or_are_refused(batch: int):
    found = Counter(verdict(seed) for seed in range(100 * batch, 100 * batch + 100))
    assert set(found) <= set(SOUND), found
    assert found["holds"] + found["holds, with no names"] > 20, found


def test_the_seeds_reach_every_kind_of_block():
    said = repr([drawn(seed) for seed in range(800)])
    kinds = [
        "multi-head",
        "latent",
        "compressed",
        "attention-mixture",
        "mixture",
        "altup",
        "hyper-connections",
        "gated-streams",
        "xielu",
        "delta",
        "mamba",
        "mamba2",
        "short-convolution",
        "lightning",
        "rg-lru",
        "mlstm",
        "rwkv",
        "channel-mixing",
        "convolutional",
    ]
    assert [kind for kind in kinds if f"'{kind}'" not in said] == []


def main() -> int:
    """Try many, and say what was found."""
    warnings.filterwarnings("error")
    found: Counter[str] = Counter()
    first = random.randrange(10**9)
    for seed in range(first, first + int(sys.argv[1])):
        try:
            said = verdict(seed)
        except Exception as fault:
            said = f"CRASHED: {type(fault).__name__}: {str(fault)[:90]}"
        found[said] += 1
        if said not in SOUND:
            print(seed, said)
    print(f"gptcount {gptcount.__version__}: {dict(found.most_common())}")
    return int(bool(set(found) - set(SOUND)))


if __name__ == "__main__":
    sys.exit(main())
