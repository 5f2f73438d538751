"""Sentences about the matrices of gated delta rules."""

from __future__ import annotations

from gptcount.explain.facts import Facts, Sentences, each, said
from gptcount.numbers import count


def _key(facts: Facts) -> list[str]:
    n = facts.n
    state = n["n_value_heads"] * n["d_key"] * n["d_value"]
    return [
        f"Each of {n['n_value_heads']} value heads keeps a state of {n['d_key']} × {n['d_value']} numbers, which maps "
        "every key to a value. A token's key is what it asks the state for, and where it writes.",
        f"However long the text, a layer remembers these {count(state)} numbers, and no cache grows.",
        each(facts),
    ]


def _write(facts: Facts) -> list[str]:
    scale = facts.block.write_scale  # type: ignore[union-attr]
    return [
        f"The write strength is a number between 0 and {scale:g} for each of {facts.n['n_value_heads']} heads: how "
        "much of the difference a token writes.",
        each(facts),
    ]


def _decay(facts: Facts) -> list[str]:
    n, channel = facts.n, facts.block.decay == "channel"  # type: ignore[union-attr]
    what = f"each of the {n['d_key']} rows of a head's state" if channel else "the state of each head"
    return [
        f"The decay says how much of {what} is left at a token: a learned rate of each of {n['n_value_heads']} heads "
        "times a step that this matrix and a bias make.",
        each(facts),
    ]


DELTA: dict[str, Sentences] = {
    "delta.query": said(
        "The query is what a token looks for in the states: {d_key} numbers in each of {n_key_heads} heads. Queries, "
        "keys and values are blended with those of a few tokens before, {n_taps} in all, by a convolution."
    ),
    "delta.key": _key,
    "delta.value": said(
        "The value is what a token wants the state to say of its key: {d_value} numbers in each of {n_value_heads} "
        "heads. Only its difference from what the state says already is written: this is the delta rule."
    ),
    "delta.write": _write,
    "delta.decay_down": said("The decay is made in two steps: first down to {d_decay} numbers."),
    "delta.decay": _decay,
    "delta.gate_down": said("The gate is made in two steps: first down to {d_gate} numbers."),
    "delta.gate": said(
        "The gate opens or closes each of the {d_value} numbers that each of {n_value_heads} heads has read."
    ),
    "delta.output": said(
        "The output matrix takes what the {n_value_heads} heads have read, {d_value} numbers each, back to {d_model}."
    ),
}
"""The sentences of a group, by kind and name of its weight."""
