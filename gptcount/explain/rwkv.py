"""Sentences about the matrices of RWKV-4."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

RWKV: dict[str, Sentences] = {
    "rwkv.key": said(
        "The key says for each of {d_value} channels how much a token's value counts in the running mean; it reads a "
        "blend of the token and the one before it."
    ),
    "rwkv.value": said(
        "The value is what a token brings into the running mean of each of {d_value} channels. What is kept is two "
        "sums a channel, however long the text."
    ),
    "rwkv.receptance": said("The receptance makes a valve for each of {d_value} channels: what the token takes of it."),
    "rwkv.output": said("The output matrix takes the {d_value} channels back to {d_model} numbers."),
    "channel-mixing.up": said(
        "The up-projection (the key of the paper) asks {d_ff} questions of a token, blended with the one before it; "
        "its answers are squared where they are positive."
    ),
    "channel-mixing.receptance": said(
        "The receptance makes a valve for each of {d_model} numbers: what the token takes of the MLP's answer."
    ),
    "channel-mixing.down": said(
        "The down-projection (the value of the paper) adds up what the {d_ff} neurons bring to a token's {d_model} "
        "numbers."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
