"""What could be forgotten of Mamba, of the hybrids that have it and of the transformer block that layers share, each
caught by the logits of a named case."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest
from test_forward_mutants import Patch, everywhere, off, setting

from gptcount.reference import layer, mamba, mamba2, shared_transformer
from gptcount.reference.weights import Weights

RMS = {"kind": "rms", "eps": 1e-6}

SPECIFIED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("another activation of what is convolved", "mamba", "mixer", {"activation": "gelu"}),
    ("the usual activation, not the file's", "mamba-biases", "mixer", {"activation": "silu"}),
    ("forget the biases of the projections", "mamba-biases", "mixer", {"biases": ()}),
    ("forget the bias of the output alone", "mamba-biases", "mixer", {"biases": ("input",)}),
    ("forget the bias of input and gate alone", "mamba-biases", "mixer", {"biases": ("output",)}),
    ("forget the convolution's bias", "mamba", "mixer", {"biases": ()}),
    ("forget the norms of time step, B and C", "falcon_mamba", "mixer", {"norm": None}),
    ("the usual epsilon of those norms", "falcon_mamba", "mixer", {"norm": RMS | {"gain": False}}),
    ("forget every bias", "falcon_mamba", "mixer", {"biases": ()}),
    ("forget the convolution's bias", "falcon_mamba", "mixer", {"biases": ("input", "output")}),
    ("forget the norms of time step, B and C", "jamba", "mixer", {"norm": None}),
    ("forget the gains of those norms", "jamba", "mixer", {"norm": {"kind": "rms", "eps": 1e-2, "gain": False}}),
    ("the usual epsilon of those norms", "jamba", "mixer", {"norm": RMS}),
    ("forget the convolution's bias", "jamba", "mixer", {"biases": ("input", "output")}),
    ("turn what has no positions", "jamba", "attention", {"rotary": {"base": 10_000.0}}),
    ("shares of the chosen experts that add up to 1", "jamba", "mlp", {"normalize": True}),
    ("one expert fewer", "jamba", "mlp", {"n_experts_per_token": 1}),
    ("turn what has no positions", "zamba", "shared", {"rotary": {"base": 10_000.0}}),
    ("another activation of the shared MLP", "zamba", "shared", {"mlp": {"kind": "gated", "d_ff": 29}}),
    ("heads of half their width", "zamba", "shared", {"n_heads": 8, "n_kv_heads": 4, "d_head": 6}),
    ("forget the positions of the shared attention", "zamba2-adapters", "shared", {"rotary": None}),
    ("positions by another base", "zamba2-adapters", "shared", {"rotary": {"base": 10_000.0}}),
    ("forget the adapters of queries, keys and values", "zamba2-adapters", "shared", {"attention_adapters": False}),
    ("forget every adapter", "zamba2-plain", "shared", {"d_adapter": None}),
    ("forget the least time step", "zamba2-adapters", "mixer", {"time_step_least": 0.0}),
    ("forget the biases of the projections", "zamba2-plain", "mixer", {"biases": ("convolution",)}),
    ("the usual epsilon of the norms", "zamba2-adapters", "", {"norm": RMS}),
    ("the usual epsilon of the shared block's norms", "zamba2-adapters", "shared", {"norm": RMS}),
]
"""What is wrong, the case that tells, the part and its fields."""

MIXED = ("mamba", "mamba-biases", "falcon_mamba", "jamba", "zamba")
"""The cases whose mixer is Mamba."""
NORMED = ("falcon_mamba", "jamba")
"""Those of them that norm what the channels make."""
SHARED = ("zamba", "zamba2-adapters", "zamba2-plain")
"""The cases in which layers share a transformer block."""
ADAPTED = ("zamba2-adapters", "zamba2-plain")
"""Those of them whose layers adapt its MLP."""


def drawn_as(which: str, value: float) -> Patch:
    """A weight is drawn as so many numbers, all alike."""
    real = Weights.drawn

    def drawn(w: Weights, name: str, *words: Any) -> Any:
        array = real(w, name, *words)
        return np.full_like(array, value) if name == which else array

    return setting(Weights, "drawn", drawn)


def contracted(change: Callable[[Any, Any], Any], *names: str) -> Patch:
    """What weights of these names make of x is changed: ``change(x, made)``."""
    real = Weights.einsum

    def einsum(w: Weights, words: str, x: Any, other: Any, does: str = "") -> Any:
        made = real(w, words, x, other, does)
        return change(x, made) if isinstance(other, str) and other in names else made

    return setting(Weights, "einsum", einsum)


def unnormed(owner: Any, *names: str) -> Patch:
    """Norms of these names give back what they get."""
    real = owner.norm
    return setting(
        owner, "norm", lambda x, w, name, *rest: x if name in names or not names else real(x, w, name, *rest)
    )


def of_scan(change: Callable[..., tuple[Any, ...]]) -> Patch:
    """The scan is given something else: ``change(given, b, c, step)``."""
    real = mamba.scanned
    return setting(mamba, "scanned", lambda given, b, c, step, *rest: real(*change(given, b, c, step), *rest))


def without_bias(patch: pytest.MonkeyPatch) -> None:
    for owner in (mamba, mamba2):
        real = owner.convolved
        patch.setattr(
            owner, "convolved", lambda x, w, name, channels, bias, real=real: real(x, w, name, channels, False)
        )


def written_first(given: Any, b: Any, c: Any, step: Any, w: Weights, inner: str) -> Any:
    """What a token writes decays at once, with what stood there."""
    rate = -np.exp(w.drawn("log_decay", f"{inner} d_state"))
    times = given.shape[-1] // (b.shape[1] if b.ndim == 3 else 1)
    b, c = (np.repeat(part.reshape(len(given), -1, part.shape[-1]), times, axis=1) for part in (b, c))
    state, seen = np.zeros(rate.shape, given.dtype), np.empty_like(given)
    for token in range(len(given)):
        written = (step[token] * given[token])[:, None] * b[token]
        state = np.exp(step[token, :, None] * rate) * (state + written)
        seen[token] = (state * c[token]).sum(axis=-1)
    return seen


BUILT: list[tuple[str, tuple[str, ...], Patch]] = [
    ("forget the decay", MIXED, drawn_as("log_decay", -np.inf)),
    ("a decay that each channel has alike", MIXED, drawn_as("log_decay", 0.0)),
    ("forget the skip", MIXED, drawn_as("skip", 0.0)),
    ("skip what is read as it is", MIXED, drawn_as("skip", 1.0)),
    ("forget the time step's bias", MIXED, drawn_as("time_step.bias", 0.0)),
    ("a time step cut off at zero", MIXED, setting(mamba, "softplus", lambda x: np.maximum(x, 0))),
    ("write without the time step", MIXED, of_scan(lambda given, b, c, step: (given / step, b, c, step))),
    ("forget along what is written", MIXED, of_scan(lambda given, b, c, step: (given, np.ones_like(b), c, step))),
    ("forget along what is read", MIXED, of_scan(lambda given, b, c, step: (given, b, np.ones_like(c), step))),
    ("write along C and read along B", MIXED, of_scan(lambda given, b, c, step: (given, c, b, step))),
    ("decay what is just written", MIXED, setting(mamba, "scanned", written_first)),
    ("forget the convolution", MIXED, setting(mamba, "convolved", lambda x, *rest: x)),
    ("forget the gate", MIXED, setting(mamba, "silu", np.ones_like)),
    ("a gate that is not bent", MIXED, setting(mamba, "silu", lambda x: x)),
    ("forget the convolution's bias", ("mamba", "falcon_mamba", "jamba"), without_bias),
    ("forget the norm of the time step", NORMED, unnormed(mamba, "time_step_norm")),
    ("forget the norm of B", NORMED, unnormed(mamba, "b_norm")),
    ("forget the norm of C", NORMED, unnormed(mamba, "c_norm")),
    ("forget the norm before the mixer", (*MIXED, *ADAPTED), unnormed(layer, "mixer_norm")),
    (
        "one head's B and C for all",
        ("zamba",),
        of_scan(lambda given, b, c, step: (given, *(np.broadcast_to(x[:, :1], x.shape) for x in (b, c)), step)),
    ),
]
"""What is wrong of the mixer, the cases that tell, and how the code is made so."""


def of_block(change: Callable[..., Any]) -> Patch:
    """The shared block is used otherwise: ``change(real, x, embedded, w, stored, spec)``."""
    real = layer.shared_transformer
    return setting(layer, "shared_transformer", lambda *given: change(real, *given))


def added_to_the_stream(patch: pytest.MonkeyPatch) -> None:
    """What the block brings stays, and is not only what the mixer of its layer reads."""
    left: list[Any] = []
    real, brought = layer.shared_transformer, layer.brought

    def shared(*given: Any) -> Any:
        left.append(real(*given))
        return left[-1]

    patch.setattr(layer, "shared_transformer", shared)
    patch.setattr(layer, "brought", lambda *given: brought(*given) + (left.pop() if left else 0))


def of_the_first_use(patch: pytest.MonkeyPatch) -> None:
    """Every layer has the adapters of the first."""
    heads, thought = shared_transformer.heads_of, shared_transformer.thought
    patch.setattr(shared_transformer, "heads_of", lambda read, w, own, *rest: heads(read, w, own.at(0), *rest))
    patch.setattr(shared_transformer, "thought", lambda x, w, own, spec: thought(x, w, own.at(0), spec))


BLOCKS: list[tuple[str, tuple[str, ...], Patch]] = [
    ("forget the shared block", SHARED, of_block(lambda real, x, *rest: np.zeros_like(x))),
    ("forget the embedding beside it", SHARED, of_block(lambda real, x, e, *rest: real(x, np.zeros_like(e), *rest))),
    ("the vector twice, not the embedding", SHARED, of_block(lambda real, x, e, *rest: real(x, x, *rest))),
    ("the embedding before the vector", SHARED, of_block(lambda real, x, e, *rest: real(e, x, *rest))),
    ("add the block to the stream", SHARED, added_to_the_stream),
    ("forget the layer's own matrix", SHARED, contracted(lambda x, made: x, "linear")),
    ("forget the norm of what is read", SHARED, unnormed(shared_transformer, "norm")),
    ("forget the norm before the shared MLP", SHARED, unnormed(shared_transformer, "mlp_norm")),
    ("scores by the root of a whole head", SHARED, setting(shared_transformer, "sqrt", lambda n: sqrt(2 * n))),
    (
        "let tokens look ahead",
        SHARED,
        setting(shared_transformer, "mask", lambda w: np.zeros((len(w.here), len(w.there)), np.float32)),
    ),
    ("forget the adapter of the MLP", ADAPTED, contracted(lambda x, made: 0 * made, "mlp_adapter.down")),
    ("forget the adapter of the gate", ADAPTED, contracted(lambda x, made: 0 * made, "mlp_adapter.gate")),
    ("forget the adapter of up", ADAPTED, contracted(lambda x, made: 0 * made, "mlp_adapter.up")),
    ("forget the adapter of queries", ("zamba2-adapters",), contracted(lambda x, made: 0 * made, "query_adapter.down")),
    ("forget the adapter of keys", ("zamba2-adapters",), contracted(lambda x, made: 0 * made, "key_adapter.down")),
    ("forget the adapter of values", ("zamba2-adapters",), contracted(lambda x, made: 0 * made, "value_adapter.down")),
    ("the first layer's adapters in each", ADAPTED, of_the_first_use),
    (
        "one block where two take turns",
        ("zamba2-adapters",),
        of_block(lambda real, x, e, w, stored, spec: real(x, e, w, 0, spec)),
    ),
]
"""What is wrong of the shared block, the cases that tell, and how the code is made so."""

EACH = [(what, case, patch) for what, cases, patch in BUILT + BLOCKS for case in cases]


@pytest.mark.parametrize(
    ("what", "case", "part", "change"), SPECIFIED, ids=[f"{what}-{case}" for what, case, *_ in SPECIFIED]
)
def test_what_a_specification_forgets_is_caught(what: str, case: str, part: str, change: dict[str, Any]):
    assert off(case, lambda one: everywhere(one, change, part)) > 1, f"{what}: not caught by {case}"


@pytest.mark.parametrize(("what", "case", "patch"), EACH, ids=[f"{what}-{case}" for what, case, _ in EACH])
def test_what_the_forward_pass_forgets_is_caught(what: str, case: str, patch: Patch, monkeypatch: pytest.MonkeyPatch):
    patch(monkeypatch)
    assert off(case) > 1, f"{what}: not caught by {case}"


@pytest.mark.parametrize("case", sorted({*MIXED, *SHARED}))
def test_what_is_not_changed_has_the_logits_of_the_reference_implementation(case: str):
    assert off(case) <= 1
