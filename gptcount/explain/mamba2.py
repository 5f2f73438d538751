"""Sentences about the matrices of Mamba-2 mixers."""

from __future__ import annotations

from gptcount.explain.facts import Facts, Sentences, each, said
from gptcount.numbers import count


def _gate(facts: Facts) -> list[str]:
    n = facts.n
    state = n["n_heads"] * n["d_head"] * n["d_state"]
    return [
        f"The mixer lets a token know of those before it without looking back at them. Each of {count(n['n_heads'])} "
        f"heads keeps a state, a table of {count(n['d_head'])} × {count(n['d_state'])} numbers; token by token it "
        "fades a little, is written into, and is read.",
        f"So a layer remembers {count(state)} numbers of a text, however long it is, where the keys and values of "
        "attention grow with every token.",
        f"The gate (z in the paper) makes {count(n['n_heads'])} × {count(n['d_head'])} valves of a token's "
        f"{count(n['d_model'])} numbers; they decide how much of what is read leaves the mixer. {each(facts)}",
    ]


def _input(facts: Facts) -> list[str]:
    n = facts.n
    blended = (
        f"Before that, a convolution blends each number with the same number of the {count(n['n_taps'] - 1)} "
        f"token{'s' if n['n_taps'] > 2 else ''} before it, with {count(n['n_taps'])} weights of its own; it does so "
        "with B and C too."
    )
    return [
        f"The input (x in the paper; attention would say value) is what a token writes: {count(n['d_head'])} numbers "
        f"for each of {count(n['n_heads'])} heads.",
        *([blended] if n["n_taps"] > 1 else []),
        each(facts),
    ]


def _shared(facts: Facts) -> str:
    heads, groups = facts.n["n_group_heads"], facts.n["n_groups"]
    if heads == 1:
        return "Each head has its own"
    return f"{'All' if groups == 1 else 'Each group of'} {count(heads)} heads share one"


def _b(facts: Facts) -> list[str]:
    return [
        f"B says where a token's input is written, as a key does in attention: how much of it goes into each of the "
        f"state's {count(facts.n['d_state'])} columns. {_shared(facts)}. {each(facts)}"
    ]


def _c(facts: Facts) -> list[str]:
    return [
        f"C says where a token reads, as a query does in attention: how much it takes of each of the state's "
        f"{count(facts.n['d_state'])} columns. {_shared(facts)}. {each(facts)}"
    ]


def _output(facts: Facts) -> list[str]:
    n = facts.n
    after = "the gate and a norm follow" if facts.has("norm") else "the gate follows"
    return [
        f"To what a head reads, its own input is added, times a learned number (D in the paper); {after}.",
        f"The output matrix takes the {count(n['n_heads'])} × {count(n['d_head'])} numbers of all heads back to "
        f"{count(n['d_model'])}. {each(facts)}",
    ]


MAMBA2: dict[str, Sentences] = {
    "mamba2.gate": _gate,
    "mamba2.input": _input,
    "mamba2.b": _b,
    "mamba2.c": _c,
    "mamba2.time_step": said(
        "The time step is a number for each of {n_heads} heads: a long one lets the old state fade far and writes the "
        "token strongly, a short one keeps the state as it is and passes the token over. A bias for each head is "
        "added to it, and a learned rate for each head (A in the paper) says how fast its state fades."
    ),
    "mamba2.output": _output,
}
"""The sentences of a group, by kind and name of its weight."""
