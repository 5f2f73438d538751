"""Sentences about the matrices of Mamba mixers."""

from __future__ import annotations

from gptcount.explain.facts import Facts, Sentences, each, said
from gptcount.numbers import count


def _input(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"The input turns a token's {count(n['d_model'])} numbers into {count(n['d_inner'])} channels. A convolution "
        f"blends each channel with its own values at the {n['n_taps'] - 1} tokens before; then each keeps a state of "
        f"{n['d_state']} numbers: what it remembers of all tokens before.",
        f"There is no pattern of scores, and no cache that grows: {count(n['d_inner'])} × {n['d_state']} numbers a "
        "layer are all that a text leaves behind, however long it is.",
        each(facts),
    ]


def _gate(facts: Facts) -> list[str]:
    return [
        f"The gate makes {count(facts.n['d_inner'])} valves, one for each channel, which decide what leaves the mixer.",
        each(facts),
    ]


MAMBA: dict[str, Sentences] = {
    "mamba.input": _input,
    "mamba.gate": _gate,
    "mamba.time_step_down": said(
        "A time step says how much a channel's state decays at a token, and how much the token writes into it. It is "
        "made in two steps: this matrix first makes {d_time_step} numbers for all channels."
    ),
    "mamba.time_step": said("The second step makes of those {d_time_step} numbers a time step for each channel."),
    "mamba.b": said("B says where in the {d_state} numbers of a state a token is written, the same for all channels."),
    "mamba.c": said("C says which of the {d_state} numbers of a state a token reads, the same for all channels."),
    "mamba.output": said(
        "The output matrix takes what the channels have read and the gate has passed back to {d_model}."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
