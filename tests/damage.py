"""Damaged input of every kind, always the same, each by its number: specifications, configurations, settings, headers,
indices and tokens. Whatever it is, it is answered or refused in clear lines.

    python tests/damage.py 100000 [FIRST]

runs so many and says which ended otherwise: with another exception, with a warning, or in a line that is none.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from mutants import FAMILIES, NUMBERS, PER_FAMILY, TEXTS, mutant

from gptcount import GptCountError, breakdown, compare, load, verify
from gptcount.audit import load as audited
from gptcount.explain import explain
from gptcount.options import tokens_of
from gptcount.output import audit as audit_view
from gptcount.output import json as json_output
from gptcount.output import plain, records, tables
from gptcount.reference import generate, logits
from gptcount.sources.presets import names
from gptcount.sources.specification import parse, toml
from gptcount.stored import tensors

PIECES = (
    *TEXTS[:-12],
    *("{}", "[]", "[[", "]]", "{", "}", "=", ".", ",", ":", "\n", "\n\n", "#", '"""', "'''", "\\u0000", "\t", "\r\n"),
    *("nan", "inf", "-inf", "1e400", "-0", "0x7f", "1_000", "1979-05-27", "true", "null", "n_layers", "variations"),
    *("kind", "layers", "a.a.a", "0:3", "::2", "-1", ":::", "model.layers.{}.x", "1e-320", "__class__", "\ud800"),
)
KEYS = (
    "n_layers d_model n_vocab n_ctx name notes attention attention.n_heads attention.d_head attention.rotary.base "
    "attention.kind mlp mlp.d_ff mlp.kind norm.eps norm.kind unembedding unembedding.tied variations variations.0 "
    "variations.0.layers residual streams streams.kind laurel shortcut head checkpoint quantization published "
    "published.total embedding.positions embedding.scale final_norm notes.0 name.a.b a.b.c 0 . .. a. .a"
).split()


class Damaged(NamedTuple):
    """One input: what kind it is of, and what is given."""

    kind: str
    given: Any


def damaged(number: int) -> Damaged:
    """The input of this number."""
    chance = Random(number)
    kind = list(KINDS)[number % len(KINDS)]
    return Damaged(kind, MADE[kind](chance))


def tried(one: Damaged, folder: Path) -> str:
    """Whether it is answered or refused. Whatever else is raised is a fault, as is a refusal that is no plain line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            KINDS[one.kind](one.given, folder)
    except GptCountError as refusal:
        for line in str(refusal).split("\n"):
            assert line.isprintable(), repr(line)
            assert 0 < len(line) < 1200, repr(line)
        return "refused"
    return "answered"


@cache
def specifications() -> tuple[str, ...]:
    """Every preset as a text."""
    return tuple(toml(load(name)) for name in names())


def text(chance: Random, whole: str) -> str:
    """A text with some of it taken out, doubled, moved, or replaced by something odd."""
    for _ in range(chance.choice((1, 1, 1, 2, 4, 9))):
        at = chance.randrange(len(whole) + 1)
        to = min(len(whole), at + int(chance.expovariate(0.1)))
        what = chance.choice(("cut", "double", "piece", "piece", "number", "line", "end"))
        if what == "cut":
            whole = whole[:at] + whole[to:]
        elif what == "double":
            whole = whole[:to] + whole[at:]
        elif what == "piece":
            whole = whole[:at] + chance.choice(PIECES) + whole[chance.choice((at, to)) :]
        elif what == "number":
            whole = _with_a_number(chance, whole)
        elif what == "line":
            lines = whole.split("\n")
            lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))
            whole = "\n".join(lines)
        elif chance.random() < 0.1:
            whole = whole[:at]
    return whole


def _with_a_number(chance: Random, whole: str) -> str:
    digits = [at for at, c in enumerate(whole) if c.isdigit()]
    if not digits:
        return whole
    at = chance.choice(digits)
    return whole[:at] + str(chance.choice(NUMBERS)) + whole[at + 1 :]


def specification(chance: Random) -> str:
    """A preset's text, damaged."""
    return text(chance, chance.choice(specifications()))


def configuration(chance: Random) -> str:
    """A damaged configuration, perhaps damaged further."""
    whole = mutant(chance.choice(FAMILIES), chance.randrange(PER_FAMILY)).text
    return text(chance, whole) if len(whole) < 20_000 and chance.random() < 0.5 else whole


def settings(chance: Random) -> list[str]:
    """Some settings."""
    values = (*NUMBERS, *PIECES, "[]", "{}", '{kind="rms"}', '{kind="gated", d_ff=3}', '[{layers="0"}]', "'", '"x"')
    some = [f"{chance.choice(KEYS)}={chance.choice(values)}" for _ in range(chance.choice((1, 1, 2, 3)))]
    return [text(chance, one) if chance.random() < 0.3 else one for one in some]


TENSORS = (
    "model.embed_tokens.weight model.norm.weight lm_head.weight model.layers.0.self_attn.q_proj.weight "
    "model.layers.1.mlp.up_proj.weight model.layers.0.mlp.down_proj.weight_scale model.layers.0.mlp.gate_proj.qweight "
    "model.layers.0.mlp.gate_proj.scales model.layers.0.mlp.gate_proj.qzeros model.layers.{}.self_attn.k_proj.weight "
    "{} {0} {x model..layers. . 0 1.2.3 vision.x model.layers.99.mtp.x base_model.model.x.lora_A.weight w_packed"
).split()


def header(chance: Random) -> bytes:
    """A .safetensors file, its header damaged or not, all of it."""
    end, said = 0, {}
    for name in chance.sample(TENSORS, chance.randrange(len(TENSORS))):
        dtype, width = chance.choice((("F32", 4), ("BF16", 2), ("U8", 1), ("I32", 4), ("F8_E4M3", 1), ("I64", 8)))
        shape = [chance.choice((0, 1, 2, 3, 8, 16, 24)) for _ in range(chance.randrange(4))]
        size = width
        for n in shape:
            size *= n
        said[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    whole = json.dumps(said)
    if chance.random() < 0.6:
        whole = text(chance, whole)
    data = whole.encode("utf-8", "surrogatepass")
    length = len(data) if chance.random() < 0.9 else chance.choice((0, 1, 2**40, 2**64 - 1, len(data) - 1))
    return struct.pack("<Q", max(length, 0)) + data + bytes(end)


def index(chance: Random) -> str:
    """An index of a checkpoint, damaged."""
    places = {
        name: chance.choice(("a.safetensors",) * 6 + ("b.safetensors", "../a.safetensors")) for name in TENSORS[:3]
    }
    whole = json.dumps({"metadata": {"total_size": 5}, "weight_map": places})
    return text(chance, whole) if chance.random() < 0.7 else whole


@cache
def weights() -> dict[str, Any]:
    """The small model's weights, made up."""
    chance = np.random.default_rng(0)
    return {
        tensor.name.format(*places): chance.standard_normal(tensor.shape, np.float32)
        for tensor in tensors(load(SMALL))
        for places in product(*(axis.where or range(axis.n) for axis in tensor.indices))
    }


def tokens(chance: Random) -> Any:
    """Tokens as somebody may give them: to a command, or to the library."""
    if chance.random() < 0.5:
        return text(chance, "1,2,3,4")
    values = (*NUMBERS, *TEXTS[:4], None, [], [1, 2], [[1]], True)
    length = chance.randrange(4)
    return [[chance.choice(values) if chance.random() < 0.1 else 1 for _ in range(length)] for _ in "ab"]


def _answers(architecture: Any) -> None:
    ledger = breakdown(architecture)
    plain.render(tables.breakdown(ledger, True, True))
    json_output.render(records.breakdown(ledger, True), "utf-8")
    explain(ledger)


def _try_text(given: str, _: Path) -> None:
    found = parse(given, "x.toml")
    _answers(found)
    parse(toml(found), "again")
    verify(found)


def _try_configuration(given: str, folder: Path) -> None:
    (folder / "config.json").write_bytes(given.encode("utf-8", "surrogatepass"))
    _answers(load(folder / "config.json"))


def _try_settings(given: list[str], _: Path) -> None:
    changed = load(names()[len("".join(given)) % len(names())], given)
    _answers(changed)
    compare([changed, changed])
    verify(changed)


def _try_header(given: bytes, folder: Path) -> None:
    (folder / "a.safetensors").write_bytes(given)
    against = str(folder / "small.json") if len(given) % 2 else None
    if against:
        Path(against).write_text(json.dumps(SMALL))
    found = audited(str(folder / "a.safetensors"), against)
    plain.render(audit_view.parts(found))
    json_output.render(audit_view.document(found), "utf-8")


def _try_index(given: str, folder: Path) -> None:
    one = '"{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    listed = ("{" + ",".join(map(one.format, TENSORS[:3])) + "}").encode()
    (folder / "a.safetensors").write_bytes(struct.pack("<Q", len(listed)) + listed)
    (folder / "model.safetensors.index.json").write_bytes(given.encode("utf-8", "surrogatepass"))
    plain.render(audit_view.parts(audited(str(folder))))


def _try_tokens(given: Any, _: Path) -> None:
    said = [tokens_of(given)] if isinstance(given, str) else given
    logits(load(SMALL), weights(), said)
    generate(load(SMALL), weights(), said[0], 2, temperature=1e-320)


SMALL = {
    "model_type": "llama", "vocab_size": 16, "hidden_size": 8, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 8, "architectures": ["LlamaForCausalLM"],
}  # fmt: skip

KINDS: dict[str, Callable[[Any, Path], None]] = {
    "specification": _try_text,
    "configuration": _try_configuration,
    "settings": _try_settings,
    "header": _try_header,
    "index": _try_index,
    "tokens": _try_tokens,
}
MADE: dict[str, Callable[[Random], Any]] = {
    "specification": specification,
    "configuration": configuration,
    "settings": settings,
    "header": header,
    "index": index,
    "tokens": tokens,
}


def main(n: int, first: int = 0) -> int:
    """Try so many; print how they ended, and the faults."""
    ended: Counter[tuple[str, str]] = Counter()
    for number in range(first, first + n):
        one = damaged(number)
        with tempfile.TemporaryDirectory() as folder:
            try:
                how = tried(one, Path(folder))
            except Exception as fault:  # whatever it is, it is what is looked for
                how = f"{type(fault).__name__}: {str(fault)[:200]}"
                print(number, one.kind, how, flush=True)
                how = "FAULT"
        ended[one.kind, how] += 1
    for (kind, how), times in sorted(ended.items()):
        print(f"{kind:16} {how:10} {times:>8,}")
    return sum(times for (_, how), times in ended.items() if how == "FAULT")


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:])) else 0)
