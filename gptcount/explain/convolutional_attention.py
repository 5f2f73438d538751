"""Sentences about the matrices of compressed convolutional attention."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

CONVOLUTIONAL: dict[str, Sentences] = {
    "convolutional.query": said(
        "A query says what a token looks for. Here it is blended with the last few, channel by channel and then head "
        "by head, and has the mean of query and key added."
    ),
    "convolutional.key": said(
        "The key says what a token has to offer; it is convolved as queries are, and {n_heads} heads share "
        "{n_kv_heads}."
    ),
    "convolutional.value": said("One half of what a token passes on: {n_kv_heads} × {d_half} numbers of its own."),
    "convolutional.value_before": said(
        "The other half of what a token passes on: {n_kv_heads} × {d_half} numbers of the token before it."
    ),
    "convolutional.output": said(
        "The output matrix takes the {n_heads} × {d_head} numbers that all heads have gathered back to {d_model}."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
