"""Sentences about the matrices of the real-gated linear recurrent unit."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

RG_LRU: dict[str, Sentences] = {
    "rg-lru.gate": said(
        "The gate makes {n_blocks} × {d_block} valves of a token's {d_model} numbers; they decide what leaves the "
        "mixer."
    ),
    "rg-lru.input": said(
        "The input turns a token's {d_model} numbers into {n_blocks} × {d_block} channels. Each is blended with its "
        "last {n_taps} values, and then keeps one number, however long the text."
    ),
    "rg-lru.input_gate": said(
        "The input gate says how much of a token each channel takes in. It looks only at the {d_block} channels of its "
        "own block."
    ),
    "rg-lru.decay_gate": said(
        "The decay gate (the recurrence gate of the paper) says how much of what it has kept each channel lets go."
    ),
    "rg-lru.output": said("The output matrix takes the {n_blocks} × {d_block} channels back to {d_model} numbers."),
}
"""The sentences of a group, by kind and name of its weight."""
