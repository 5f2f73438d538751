"""What could be forgotten of the gated delta rule, of Kimi's, and of the hybrids that have it, each caught by the
logits of a named case."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_forward_mutants import Patch, everywhere, off, setting

from gptcount import Architecture
from gptcount.reference import attention, delta, gated_streams, layer, mixture, pooled_indexer
from gptcount.reference.functions import silu
from gptcount.reference.weights import Weights

RMS = {"kind": "rms", "eps": 1e-6}
TURNED = {"base": 10_000.0}

QWEN = ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text")
GROUPED = (*QWEN, "lara_mini")
"""Cases in which two value heads have the queries and keys of one key head."""
CASES = (*GROUPED, "olmo_hybrid", "kimi_linear")
QWEN4 = ("qwen4_exp_text", "qwen4_exp_text-sigmoid")

SPECIFIED: list[tuple[str, str, str, dict[str, Any]]] = [
    *(("forget the indexer of pooled keys", case, "attention", {"pooled_indexer": None}) for case in QWEN4),
    ("open the gate by SiLU", "qwen4_exp_text-sigmoid", "mixer", {"gate_activation": "silu"}),
    ("forget the strength's factor", "olmo_hybrid", "mixer", {"write_scale": 1.0}),
    *(("write twice as strongly", case, "mixer", {"write_scale": 2.0}) for case in (*GROUPED, "kimi_linear")),
    ("open the gate by SiLU", "kimi_linear", "mixer", {"gate_activation": "silu"}),
    *(
        ("open the gate by a sigmoid", case, "mixer", {"gate_activation": "sigmoid"})
        for case in (*GROUPED, "olmo_hybrid")
    ),
    ("the usual activation, not the file's", "qwen3_5_text", "mixer", {"activation": "silu"}),
    ("another activation of what is convolved", "qwen3_next", "mixer", {"activation": "gelu"}),
    ("another activation of what is convolved", "kimi_linear", "mixer", {"activation": "gelu"}),
    *(("the usual epsilon of the mixer's norm", case, "mixer", {"norm": RMS}) for case in (*GROUPED, "kimi_linear")),
    ("the model's epsilon in the mixer's norm", "olmo_hybrid", "mixer", {"norm": RMS | {"eps": 1e-2}}),
    *(
        ("a gain with one in the mixer too", case, "mixer", {"norm": RMS | {"eps": 1e-2, "plus_one": True}})
        for case in QWEN
    ),
    *(("forget the gains' one", case, "norm", {"plus_one": False}) for case in QWEN),
    *(("forget the norm of queries and keys", case, "attention", {"query_key_norm": None}) for case in GROUPED),
    *(("turn the whole head", case, "attention", {"rotary": {"base": 200.0}}) for case in QWEN),
    *(("forget the positions", case, "attention", {"rotary": None}) for case in (*GROUPED, "olmo_hybrid")),
    ("forget the biases of attention", "qwen3_5_text", "attention", {"biases": ()}),
    *(
        ("forget the gate of the shared expert", case, "mlp", {"shared_gate": False})
        for case in ("qwen3_next", "qwen3_5_moe_text")
    ),
    *(
        ("forget the shared expert", case, "mlp", {"shared": None, "shared_gate": False})
        for case in ("qwen3_next", "qwen3_5_moe_text", "lara_mini", "kimi_linear")
    ),
    *(
        ("shares that do not add up to 1", case, "mlp", {"normalize": False})
        for case in ("qwen3_next", "qwen3_5_moe_text", "lara_mini", "kimi_linear")
    ),
    ("forget the norm of queries and keys", "olmo_hybrid", "attention", {"query_key_norm": None}),
    ("forget the window", "lara_mini", "attention", {"window": None}),
    ("a window one token wider", "lara_mini", "attention", {"window": 6}),
    ("turn the attention without window too", "lara_mini", "attention", {"rotary": {"base": 200.0}}),
    ("turn what has no positions", "kimi_linear", "attention", {"rotary": TURNED}),
    ("the model's epsilon in the latent's norm", "kimi_linear", "attention", {"norm": RMS | {"eps": 1e-2}}),
    ("forget the experts' factor", "kimi_linear", "mlp", {"scale": 1.0}),
    ("forget the correction of the choice", "kimi_linear", "mlp", {"router_correction": None}),
    ("softmax for sigmoid scores", "kimi_linear", "mlp", {"scores": "softmax"}),
]
"""What is wrong, the case that tells, the part and its fields."""


def drawn_as(which: str, value: float) -> Patch:
    """A weight is drawn as so many numbers, all alike."""
    real = Weights.drawn

    def drawn(w: Weights, name: str, *words: Any) -> Any:
        array = real(w, name, *words)
        return np.full_like(array, value) if name == which else array

    return setting(Weights, "drawn", drawn)


def of_scan(change: Callable[..., tuple[Any, ...]]) -> Patch:
    """The scan is given something else: ``change(query, key, value, strength, left)``."""
    real = delta.scanned
    return setting(delta, "scanned", lambda *given: real(*change(*given)))


def scanned(before: bool = True, corrected: bool = True, own: bool = True) -> Patch:
    """The scan, otherwise: decayed after a token has written, not before; written without what the state says
    already; read before the token itself has written."""

    def scan(query: Any, key: Any, value: Any, strength: Any, left: Any) -> Any:
        state, seen = np.zeros((*key.shape[1:], value.shape[-1]), value.dtype), np.empty_like(value)
        for token in range(len(value)):
            decay = left[token, :, :, None]
            state = state * decay if before else state
            reads = (query[token, :, None] @ state)[:, 0]
            said = (key[token, :, None] @ state)[:, 0] if corrected else 0
            written = strength[token, :, None] * (value[token] - said)
            state = state + key[token, :, :, None] * written[:, None]
            state = state if before else state * decay
            seen[token] = (query[token, :, None] @ state)[:, 0] if own else reads
        return seen

    return setting(delta, "scanned", scan)


def unblended(*names: str) -> Patch:
    """Queries, keys or values are not convolved."""
    real = delta.convolved
    names = tuple(f"convolution.{name}" for name in names)
    return setting(delta, "convolved", lambda x, w, name, *rest: x if name in names else real(x, w, name, *rest))


def of_low(change: Callable[[Any], Any], which: str) -> Patch:
    """What one matrix or two make of x, the decay or the gate, is changed."""
    real = delta.low
    return setting(
        delta,
        "low",
        lambda x, w, name, *rest: change(real(x, w, name, *rest)) if name == which else real(x, w, name, *rest),
    )


def swapped(patch: pytest.MonkeyPatch) -> None:
    real = delta.scanned
    patch.setattr(delta, "scanned", lambda query, key, *rest: real(key, query, *rest))


def in_turn(x: Any) -> Any:
    """x: (n_tokens, 4, width), of two key heads twice each; as if value heads had them in turn."""
    return x[:, [0, 2, 1, 3]]


def unnormed(owner: Any, name: str) -> Patch:
    """The norm of this name gives back what it gets."""
    real = owner.norm
    return setting(owner, "norm", lambda x, w, called, *rest: x if called == name else real(x, w, called, *rest))


def gate_first(patch: pytest.MonkeyPatch) -> None:
    """What heads read is normed after it is gated, not before."""
    kept: list[Any] = []
    norm, einsum = delta.norm, Weights.einsum
    patch.setattr(delta, "norm", lambda x, *rest: kept.append((norm, rest)) or x)

    def contracted(w: Weights, words: str, x: Any, other: Any, does: str = "") -> Any:
        if kept and isinstance(other, str) and other == "output":
            real, rest = kept.pop()
            x = real(x, *rest)
        return einsum(w, words, x, other, does)

    patch.setattr(Weights, "einsum", contracted)


OPEN = np.float32(1.2784645)
"""Where x times its sigmoid is 1: a gate that is open."""


def plain(x: np.ndarray, *_: Any) -> np.ndarray:
    """Streams side by side, not normed."""
    return x.reshape(len(x), -1)


BUILT: list[tuple[str, tuple[str, ...], Patch]] = [
    ("gate the streams before their norm", QWEN4, setting(gated_streams, "normed", plain)),
    ("open the bottleneck by nothing", QWEN4, setting(gated_streams, "ACTIVATIONS", {"silu": lambda x: x})),
    ("open the streams' gates by SiLU", QWEN4, setting(gated_streams, "sigmoid", silu)),
    ("forget the norms of the indexer", QWEN4, setting(pooled_indexer, "norm", lambda x, *given: x)),
    ("forget the positions of the indexer", QWEN4, setting(pooled_indexer, "rotate", lambda x, *given: x)),
    ("forget the decay", CASES, setting(delta, "decay", lambda x, w, spec: np.ones((len(x), 1, 1), np.float32))),
    ("a rate of decay that all heads have", CASES, drawn_as("log_decay", 0.0)),
    ("forget the bias of the decay", CASES, drawn_as("decay_bias", 0.0)),
    ("forget what a token says of its decay", CASES, of_low(np.zeros_like, "decay")),
    ("a decay cut off at zero", CASES, setting(delta, "softplus", lambda x: np.maximum(x, 0))),
    (
        "one decay for a head, not for each channel",
        ("kimi_linear",),
        of_scan(lambda q, k, v, s, left: (q, k, v, s, left.mean(axis=-1, keepdims=True))),
    ),
    ("decay what is just written", CASES, scanned(before=False)),
    ("forget the strength of writing", CASES, of_scan(lambda q, k, v, s, left: (q, k, v, np.ones_like(s), left))),
    ("write without correcting", CASES, scanned(corrected=False)),
    ("read before writing", CASES, scanned(own=False)),
    ("swap queries and keys", CASES, swapped),
    ("forget the length of queries and keys", CASES, setting(delta, "unit", lambda x: x)),
    ("forget the queries' scale", (*GROUPED, "kimi_linear"), setting(delta, "sqrt", lambda n: 1.0)),
    ("forget the convolutions", CASES, unblended("query", "key", "value")),
    ("forget the convolution of queries", CASES, unblended("query")),
    ("forget the convolution of keys", CASES, unblended("key")),
    ("forget the convolution of values", CASES, unblended("value")),
    ("forget the mixer's norm", CASES, unnormed(delta, "norm")),
    ("gate before the norm", CASES, gate_first),
    ("forget the gate", (*GROUPED, "olmo_hybrid"), of_low(lambda x: np.full_like(x, OPEN), "gate")),
    ("forget the gate", ("kimi_linear",), of_low(lambda x: np.full_like(x, 1e3), "gate")),
    (
        "queries and keys for value heads in turn",
        GROUPED,
        of_scan(lambda q, k, v, s, left: (in_turn(q), in_turn(k), v, s, left)),
    ),
    ("forget the norm before the mixer", CASES, unnormed(layer, "mixer_norm")),
    ("forget the norm before the MLP", CASES, unnormed(layer, "mlp_norm")),
    ("forget the gate of attention", QWEN, setting(attention, "gates", lambda *given: np.float32(1e3))),
    ("open attention's gate by SiLU", QWEN, setting(attention, "sigmoid", silu)),
    ("forget the norm before attention", GROUPED, unnormed(layer, "attention_norm")),
    ("forget the norm after attention", ("olmo_hybrid",), unnormed(layer, "attention_output_norm")),
    (
        "the least preferred experts",
        ("qwen3_next", "qwen3_5_moe_text", "lara_mini", "kimi_linear"),
        setting(mixture, "choose", lambda p, spec: np.argsort(p)[:, : spec.n_experts_per_token]),
    ),
]
"""What is wrong, the cases that tell, and how the code is made so."""

EACH = [(what, case, patch) for what, cases, patch in BUILT for case in cases]


def normed_before(one: Architecture) -> Architecture:
    """Attention and its MLP are normed as the others are, before and not behind."""
    data = one.model_dump()
    data["variations"] = [variation for variation in data["variations"] if "residual" not in variation]
    return Architecture.model_validate(data)


@pytest.mark.parametrize(
    ("what", "case", "part", "change"), SPECIFIED, ids=[f"{what}-{case}" for what, case, *_ in SPECIFIED]
)
def test_what_a_specification_forgets_is_caught(what: str, case: str, part: str, change: dict[str, Any]):
    assert off(case, lambda one: everywhere(one, change, part)) > 1, f"{what}: not caught by {case}"


def test_attention_of_olmo_hybrid_is_normed_behind():
    assert off("olmo_hybrid", normed_before) > 1


@pytest.mark.parametrize(("what", "case", "patch"), EACH, ids=[f"{what}-{case}" for what, case, _ in EACH])
def test_what_the_forward_pass_forgets_is_caught(what: str, case: str, patch: Patch, monkeypatch: pytest.MonkeyPatch):
    patch(monkeypatch)
    assert off(case) > 1, f"{what}: not caught by {case}"


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_changed_has_the_logits_of_the_reference_implementation(case: str):
    assert off(case) <= 1
