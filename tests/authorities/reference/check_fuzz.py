"""Hold gptcount's answers to damaged configurations (tests/mutants.py) against the reference implementation.

Every answered configuration that the reference implementation builds too must have the same totals; where it does not
build, nothing is compared. Run it in the environment of regenerate_counts.py, with pydantic and pillow:

    python check_fuzz.py                    all families; writes fuzz.json beside this script
    python check_fuzz.py --only llama,gpt2  some of them; the others' lines stay as they are
"""

from __future__ import annotations

import argparse
import collections
import json
import logging
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FUZZ = HERE / "fuzz.json"
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[2])]

import torch  # noqa: E402
import transformers  # noqa: E402
from mutants import FAMILIES, PER_FAMILY, mutant  # noqa: E402
from regenerate_counts import measure  # noqa: E402
from regenerate_wholes import class_of, leave_out  # noqa: E402
from regenerate_wholes import measure as measure_whole  # noqa: E402

from gptcount.errors import GptCountError  # noqa: E402
from gptcount.ledger import breakdown  # noqa: E402
from gptcount.sources import config_json  # noqa: E402

TOTALS = ("parameters", "stored", "active")
MOST_LAYERS, MOST_SECONDS = 64, 20
"""What the reference implementation builds in reasonable time; a larger model is not compared."""


def compare(text: str, totals: dict[str, int]) -> str:
    """``same``, ``not built``, or how the totals differ."""
    signal.alarm(MOST_SECONDS)
    try:
        config = json.loads(text)
        larger = "text_config" in config and class_of(config["model_type"])
        found: dict[str, Any] = (measure_whole if larger else measure)(config, tensors=False)
    except Exception:  # whatever stops the reference implementation: it has said nothing then
        return "not built"
    finally:
        signal.alarm(0)
    found |= found.get("corrected") or {}
    differ = [
        f"{total} {totals[total]:,} not {found[total]:,}"
        for total in TOTALS
        if found[total] not in (None, totals[total])
    ]
    return ", ".join(differ) or "same"


def late(*_: object) -> None:
    """The alarm."""
    raise TimeoutError


def fuzz(family: str) -> dict[str, Any]:
    """How many of a family's mutants have which outcome, and what contradicts the reference implementation."""
    found: collections.Counter[str] = collections.Counter()
    contradictions = []
    for number in range(PER_FAMILY):
        damaged = mutant(family, number)
        try:
            architecture = config_json.parse(damaged.text, "config.json")
        except GptCountError:
            found["refused"] += 1
            continue
        totals = breakdown(architecture).totals
        outcome = "too many layers" if architecture.n_layers > MOST_LAYERS else compare(damaged.text, totals)
        if outcome not in ("same", "not built", "too many layers"):
            contradictions.append({"mutant": damaged.name, "done": list(damaged.done), "differs": outcome})
            outcome = "contradicted"
        found[outcome] += 1
    return {**dict(sorted(found.items())), "contradictions": contradictions}


def main() -> int:
    """Compare, say what differs, and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="model types, separated by commas")
    only = set(filter(None, parser.parse_args().only.split(",")))
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity(logging.CRITICAL)
    signal.signal(signal.SIGALRM, late)
    leave_out()
    versions = {"torch": torch.__version__.partition("+")[0], "transformers": transformers.__version__}
    known: dict[str, Any] = json.loads(FUZZ.read_text())["families"] if only else {}
    for family in sorted(only) if only else FAMILIES:
        known[family] = fuzz(family)
        print(f"{family}: {json.dumps(known[family])}", flush=True)
        families = {each: known[each] for each in FAMILIES if each in known}
        FUZZ.write_text(json.dumps({**versions, "families": families}, indent=1, ensure_ascii=False) + "\n")
    return any(found["contradictions"] for found in known.values())


if __name__ == "__main__":
    sys.exit(main())
