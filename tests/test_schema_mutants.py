"""Every field that a specification sets bears on the logits: set back to its default, some family's case tells.

The mutants come from the schema: of each case of the reference implementation, each field that is not at its default.
A field that no case sets, or whose change no case sees, is listed here with the reason, and the list is exact.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel
from test_forward_mutants import off

from gptcount import Architecture, load
from gptcount.blocks.block import Block
from gptcount.blocks.size import declared
from gptcount.errors import InputError

PARITY = Path(__file__).parent / "authorities" / "reference" / "parity"
CASES = sorted(path.parent.name for path in PARITY.glob("*/case.npz"))

NO_BEARING = {
    "Architecture": {"name", "notes", "published", "checkpoint", "quantization", "variations", "head"}
    | {"uses_shared"},
    "Embedding": {"n_frequencies"},
    "RotaryScaling": {"kind"},
    "Head": {"tensor", "bias"},
}
"""Fields that say nothing of the flow of tokens to scores, or that only say which other fields there are."""

UNSEEN = {
    "CrossAttention.query_key_norm",  # of text alone, nothing is seen through it
    "Mixture.outside",  # where it matters, experts whose score is 0 are alike, and either may be chosen
    "Unembedding.unit_vectors",  # Baichuan 2, which the reference implementation does not build
}
"""Fields of which no case of the reference implementation knows."""


def fields(kind: type[BaseModel]) -> set[str]:
    """The fields of a kind of block that are neither sizes nor without bearing."""
    sizes, none = declared(kind), NO_BEARING.get(kind.__name__, set())
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    return set(kind.model_fields) - set(sizes) - none - required - {"kind"}


def kinds(annotation: Any, found: set[type[Block]]) -> set[type[Block]]:
    """Every kind of block that a specification may have."""
    if isinstance(annotation, type) and issubclass(annotation, Block) and annotation not in found:
        found.add(annotation)
        for field in annotation.model_fields.values():
            kinds(field.annotation, found)
    for inner in get_args(annotation):
        kinds(inner, found)
    return found


def mutants(block: Block, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Each field of a specification that is not at its default: its kind and name, its dotted key, and the default."""
    for name in type(block).model_fields:
        value = getattr(block, name)
        if name in fields(type(block)) and value != (default := type(block).model_fields[name].get_default()):
            yield f"{type(block).__name__}.{name}", f"{path}{name}", default
        if isinstance(value, Block):
            yield from mutants(value, f"{path}{name}.")
        elif name == "variations":
            for place, variation in enumerate(value):
                yield from mutants(variation, f"{path}{name}.{place}.")


def changed(architecture: Architecture, key: str, value: Any) -> Architecture:
    """The specification with a key set, or taken out where the value is None."""
    data = architecture.plain()
    table: Any = data
    *path, last = key.split(".")
    for word in path:
        table = table[int(word)] if isinstance(table, list) else table[word]
    table.pop(last, None)
    if value is not None:
        table[last] = value.plain() if isinstance(value, Block) else value
    return Architecture.model_validate(data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_field_is_seen_by_some_case():
    seen: set[str] = set()
    tried: set[str] = set()
    for case in CASES:
        for field, key, default in mutants(load(PARITY / case / "config.json")):
            tried.add(field)
            if field in seen:
                continue
            try:
                if off(case, lambda one, key=key, default=default: changed(one, key, default)) > 1:
                    seen.add(field)
            except InputError:
                seen.add(field)  # the rest of the specification cannot do without it
    every = {f"{kind.__name__}.{name}" for kind in kinds(Architecture, set()) for name in fields(kind)}
    print(f"{len(tried)} fields set in {len(CASES)} cases, {len(seen)} seen, of {len(every)}")
    of_the_flow = {field for field in every if not field.startswith(("Quantization.", "Scheme.", "Published."))}
    assert sorted(of_the_flow - seen) == sorted(UNSEEN)


if __name__ == "__main__":
    np.seterr(all="ignore")
    test_every_field_is_seen_by_some_case()
