"""Sentences about the matrices of lightning attention."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

LIGHTNING: dict[str, Sentences] = {
    "lightning.query": said(
        "A query says which of the {d_head} rows of its head's state a token reads. There is no softmax: a token sees "
        "the sum of all values before it, each by how its key fits and by how long ago it was."
    ),
    "lightning.key": said("A key says into which of the {d_head} rows of its head's state a token's value is written."),
    "lightning.value": said(
        "The value is what a token writes: {d_head} numbers a head. A state is {d_head} × {d_head} numbers, however "
        "long the text, and decays by a rate that each head has and nothing learns."
    ),
    "lightning.gate": said(
        "The gate makes {n_heads} × {d_head} valves of a token's {d_model} numbers; they decide what leaves the mixer."
    ),
    "lightning.output": said(
        "The output matrix takes the {n_heads} × {d_head} numbers of all heads back to {d_model}."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
