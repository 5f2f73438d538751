"""Sentences about the matrices of gated delta rules."""

from __future__ import annotations

from gptcount.explain.facts import Facts, Sentences, each, said
from gptcount.numbers import count


def _key(facts: Facts) -> list[str]:
    n = facts.n
    state = n["n_value_heads"] * n["d_key"] * n["d_value"]
    return [
        f"Each of {n['n_value_heads']} value heads keeps a state of {n['d_key']} × {n['d_value']} numbers, which says "
        "a value for every key. A token's key is what it asks the state for, and under which it writes.",
        f"However long the text, a layer remembers these {count(state)} numbers, and no cache grows.",
        each(facts),
    ]


DELTA: dict[str, Sentences] = {
    "delta.query": said(
        "The query is what a token looks for in the states: {d_key} numbers in each of {n_key_heads} heads. Queries, "
        "keys and values are blended with those of the last {n_taps} tokens by a convolution."
    ),
    "delta.key": _key,
    "delta.value": said(
        "The value is what a token wants the state to say of its key: {d_value} numbers in each of {n_value_heads} "
        "heads. Only the difference to what the state says already is written: this is the delta rule."
    ),
    "delta.write": said("It says, by a number for each of {n_value_heads} heads, how strongly a token writes."),
    "delta.decay_down": said("The decay is made in two steps: first down to {d_decay} numbers."),
    "delta.decay": said("It says how much of the state of each of {n_value_heads} heads a token lets decay."),
    "delta.gate_down": said("The gate is made in two steps: first down to {d_gate} numbers."),
    "delta.gate": said(
        "The gate makes a valve for each of the {d_value} numbers that each of {n_value_heads} heads has read."
    ),
    "delta.output": said(
        "The output matrix takes what the {n_value_heads} heads have read, {d_value} numbers each, back to {d_model}."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
