"""What is forgotten of lightning attention, RG-LRU, mLSTM, RWKV and the layers of LFM2, LFM3, Inkling and ZAYA1: the
logits tell."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_forward_mutants import everywhere, off, setting

from gptcount.reference import convolutional_attention, lightning, mlstm, rg_lru, rwkv, short_convolution
from gptcount.reference.weights import Weights

LAYER_NORM = {"kind": "layer", "bias": True, "eps": 1e-2}

SPECIFIED = [
    ("forget the gate of each head", "lfm3", "attention", {"gate": False, "gate_of": "numbers"}),
    ("forget the norms after", "lfm3", "", {"residual": "pre-norm"}),
    ("forget the window of some layers", "lfm3", "attention", {"window": None}),
    ("forget the convolution's bias", "lfm2_moe-plain", "mixer", {"bias": False}),
    ("forget the correction of the choice", "lfm2_moe", "mlp", {"router_correction": None}),
    ("forget the experts' scale", "lfm2_moe", "mlp", {"scale": 1.0}),
    ("forget the residual's factors", "minimax", "", {"residual_factors": None}),
    ("keep what is not normed", "minimax", "", {"residual": "pre-norm", "residual_factors": None}),
    ("forget the activation", "minimax", "mixer", {"activation": "relu"}),
    ("forget the window", "minimax-one-chunk", "attention", {"window": None}),
    ("forget the embedding's scale", "recurrent_gemma", "embedding", {"scale": 1.0}),
    ("forget the window", "recurrent_gemma", "attention", {"window": None}),
    ("another activation of the gate", "recurrent_gemma", "mixer", {"activation": "gelu_quick"}),
    ("forget the gain's one", "recurrent_gemma", "", {"norm": {"kind": "rms", "eps": 1e-6}, "final_norm": True}),
    ("forget the gates' cap", "xlstm", "mixer", {"gate_softcap": 1e9}),
    ("forget the last cap", "xlstm", "unembedding", {"softcap": None}),
    ("forget the biases", "xlstm-biases-chunks", "mixer", {"biases": ()}),
    ("forget to halve", "rwkv", "", {"halved_every": None}),
    ("halve too late", "rwkv", "", {"halved_every": 2}),
    ("forget the embedding's norm", "rwkv", "embedding", {"norm": None}),
    ("forget the convolutions in attention", "inkling_text", "attention", {"n_taps": None}),
    ("forget the relative positions", "inkling_text", "attention", {"relative": None}),
    ("forget the convolutions after", "inkling_text", "", {"branch_convolution": None}),
    ("scores by the root of d_head", "inkling_text", "attention", {"scale": None}),
    ("the shared experts take no part", "inkling_text", "mlp", {"n_shared": None}),
    ("forget the router's number", "inkling_text", "mlp", {"learned_scale": False}),
    ("forget the queries' length", "inkling_text-scaled", "attention", {"temperature": None}),
    ("forget the embedding's gain", "zaya", "embedding", {"scaling": False}),
    ("forget the gains of branches", "zaya", "", {"residual_scaling": False}),
    ("forget the window", "zaya-windows-biases", "attention", {"window": None}),
    ("experts that give a token back", "zaya", "mlp", {"zero_gives": "token"}),
    ("the last norm like the others", "rwkv", "", {"final_norm": LAYER_NORM}),
]
"""What is wrong, the case that tells, the part and its fields."""

Patch = Callable[[pytest.MonkeyPatch], None]


def given(**weights: float) -> Patch:
    """Weights of these names are a number each, whatever a checkpoint has."""
    drawn, linear = Weights.drawn, Weights.linear

    def constant(w: Any, name: str, words: str, *op: Any) -> Any:
        found = drawn(w, name, words, *op)
        return np.full_like(found, weights[name.replace(".", "_")]) if name.replace(".", "_") in weights else found

    def made(w: Any, words: str, x: Any, name: str, bias: bool = False) -> Any:
        found = linear(w, words, x, name, bias)
        return np.full_like(found, weights[name]) if name in weights else found

    def patch(context: pytest.MonkeyPatch) -> None:
        context.setattr(Weights, "drawn", constant)
        context.setattr(Weights, "linear", made)

    return patch


BUILT: list[tuple[str, str, Patch]] = [
    ("forget the convolution", "lfm3", setting(short_convolution, "convolved", lambda x, *rest: x)),
    ("forget the input gate", "lfm2_moe", given(input_gate=1.0)),
    ("forget the output gate", "lfm2_moe", given(output_gate=1.0)),
    ("forget the norm", "minimax", setting(lightning, "norm", lambda x, *rest: x)),
    ("forget the gate", "minimax", given(gate=0.0)),
    ("forget the decay of the state", "minimax", given(decay=0.0)),
    ("forget the decay for queries", "minimax", given(query_decay=1.0)),
    ("forget the decay for keys", "minimax", given(key_decay=1.0)),
    ("forget the decay within a chunk", "minimax-one-chunk", given(chunk_decay=1.0)),
    ("forget the convolution", "recurrent_gemma", setting(rg_lru, "convolved", lambda x, *rest: x)),
    ("forget the gate", "recurrent_gemma", given(gate=1.0)),
    ("forget the input gate", "recurrent_gemma", given(input_gate=1e9)),
    ("forget the decay gate", "recurrent_gemma", given(decay_gate=0.0)),
    ("forget the decay", "recurrent_gemma", given(log_decay=0.0)),
    ("decay another constant", "recurrent_gemma", setting(rg_lru, "SHARPNESS", 7)),
    ("forget the norm", "xlstm", setting(mlstm, "norm_of_groups", lambda x, *rest: x)),
    ("forget the input gate", "xlstm", given(input_gate=0.0)),
    ("forget the forget gate", "xlstm", given(forget_gate=0.0)),
    ("forget the output gate", "xlstm", given(gate=0.0)),
    ("forget the queries' scale", "xlstm", setting(mlstm, "sqrt", lambda n: 1.0)),
    ("forget the token before", "rwkv", setting(rwkv, "blended", lambda x, *rest: x)),
    ("forget the decay", "rwkv", given(log_decay=-1e9)),
    ("forget the bonus", "rwkv", given(bonus=0.0)),
    ("forget the receptance", "rwkv", given(receptance=0.0)),
    ("forget what is carried from router to router", "zaya", given(carried=0.0)),
    ("forget to convolve", "zaya", setting(convolutional_attention, "convolved_twice", lambda x, *rest: x)),
    ("forget the one length", "zaya", setting(convolutional_attention, "of_one_length", lambda x: x)),
    ("forget the keys' length", "zaya", given(key_length=1.0)),
    ("forget the values of the token before", "zaya", given(value_before=0.0)),
    ("forget the square", "rwkv", setting(rwkv, "relu_squared", lambda x: np.maximum(x, 0))),
]
"""What is wrong, the case that tells, and how the code is made so."""


@pytest.mark.parametrize(("what", "case", "part", "change"), SPECIFIED, ids=lambda value: str(value)[:40])
def test_what_is_forgotten_of_a_specification_is_caught(what, case, part, change):
    assert off(case, lambda one: everywhere(one, change, part)) > 1, what


@pytest.mark.parametrize(("what", "case", "patch"), BUILT, ids=[f"{what}-{case}" for what, case, _ in BUILT])
def test_what_is_forgotten_of_the_code_is_caught(what, case, patch):
    with pytest.MonkeyPatch.context() as context:
        patch(context)
        assert off(case) > 1, what
    assert off(case) <= 1
