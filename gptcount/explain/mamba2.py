"""Sentences about the matrices of Mamba-2 mixers."""

from __future__ import annotations

from gptcount.explain.facts import Sentences, said

MAMBA2: dict[str, Sentences] = {
    "mamba2.gate": said(
        "The gate (z in the paper) makes {n_heads} × {d_head} valves of a token's {d_model} numbers; they decide what "
        "leaves the mixer."
    ),
    "mamba2.input": said(
        "The input (x in the paper) is what a token writes into the states of {n_heads} heads, {d_head} numbers each. "
        "A state is {d_head} × {d_state} numbers a head, however long the text: no cache grows with it."
    ),
    "mamba2.b": said(
        "B says into which of the {d_state} columns of a state a token's input is written; {n_group_heads} heads share "
        "one B."
    ),
    "mamba2.c": said(
        "C says which of the {d_state} columns a token reads; like B it is shared by the heads of a group."
    ),
    "mamba2.time_step": said(
        "The time step, a number for each of {n_heads} heads, says how far a token lets the old state decay and how "
        "much of its own it writes."
    ),
    "mamba2.output": said("The output matrix takes the {n_heads} × {d_head} numbers of all heads back to {d_model}."),
}
"""The sentences of a group, by kind and name of its weight."""
