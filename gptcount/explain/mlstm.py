"""Sentences about the matrices of mLSTM."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

MLSTM: dict[str, Sentences] = {
    "mlstm.query": said("A query says which of the {d_head} rows of its head's state a token reads."),
    "mlstm.key": said("A key says into which of the {d_head} rows of its head's state a token's value is written."),
    "mlstm.value": said(
        "The value is what a token writes: {d_value} numbers a head. A state is {d_head} × {d_value} numbers and "
        "{d_head} more, however long the text."
    ),
    "mlstm.input_gate": said(
        "The input gate, a number for each of {n_heads} heads, says how strongly a token is written; it is "
        "exponential, so that one token can outweigh all before it."
    ),
    "mlstm.forget_gate": said(
        "The forget gate, a number for each of {n_heads} heads, says how much of the old state stays."
    ),
    "mlstm.gate": said(
        "The output gate makes {n_heads} × {d_value} valves of a token's {d_model} numbers; they decide what leaves "
        "the mixer."
    ),
    "mlstm.output": said("The output matrix takes the {n_heads} × {d_value} numbers of all heads back to {d_model}."),
}
"""The sentences of a group, by kind and name of its weight."""
