"""Sentences about MLPs and experts, and about routers, wherever one stands."""

from __future__ import annotations

from gptcount.explain.facts import Facts, Sentences, each, ratio, said
from gptcount.numbers import count


def _up(facts: Facts) -> list[str]:
    d_model, d_ff = facts.row.sizes
    architecture = facts.ledger.architecture
    layers, aside = list(architecture.layers()), architecture.residual.startswith("parallel")
    mixing = ["attention"] if any(layer.attention for layer in layers) else []
    moved = " or ".join([*mixing, "a mixer"] if any(layer.mixer for layer in layers) else mixing)
    return [
        f"Beside {moved}, which moves information between tokens, the MLP works on each token by itself."
        if aside
        else f"After {moved} has moved information between tokens, the MLP works on each token by itself.",
        f"The up-projection asks {count(d_ff)} questions of the token's {count(d_model)} numbers, "
        f"{'one' if d_ff == 1 else 'each'} a column of weights"
        + (f": d_ff is {ratio(d_ff, d_model)} times d_model." if d_ff > d_model else "."),
        "Each answer is multiplied by the gate's, so that the gate decides what passes."
        if getattr(facts.block, "kind", "") == "gated"
        else "The activation then keeps the answers that say yes.",
    ]


def _gate(facts: Facts) -> list[str]:
    d_model, d_ff = facts.row.sizes
    return [
        f"A gated MLP has a third matrix: the gate turns the token's {count(d_model)} numbers into {count(d_ff)} "
        f"valves, which "
        "after the activation are multiplied with what the up-projection brings.",
        f"So it has 3 × {count(d_model * d_ff)} = {count(3 * d_model * d_ff)} parameters a layer, where a plain MLP "
        f"of this width "
        "has two thirds of that.",
    ]


def _down(facts: Facts) -> list[str]:
    d_ff, d_model = facts.row.sizes
    return [
        f"The down-projection adds up, for the answers that passed, {count(d_ff)} directions of {count(d_model)} "
        f"numbers each, and "
        "the sum is added to the token's vector.",
        f"{each(facts)} That is as many as the up-projection has: the shape is turned round.",
    ]


def _router(facts: Facts) -> list[str]:
    n = facts.n
    chosen = (
        f"the {n['n_experts_per_token']} that a table has for it are visited"
        if facts.has("hashed")
        else f"the {n['n_experts_per_token']} best are visited"
        if n["n_experts_per_token"] > 1
        else "the best one is visited"
    )
    return [
        f"The router gives each of {n['n_experts']} experts a score for a token, and {chosen}.",
        f"A column of {count(facts.row.sizes[0])} numbers for each expert is all that it needs.",
    ]


def _router_zero(facts: Facts) -> list[str]:
    return [
        f"Beside the experts there are {count(facts.row.sizes[1])} that have no weights and give a token back as it "
        f"is: for these the router has scores too. {each(facts)}"
    ]


def _router_shared(facts: Facts) -> list[str]:
    return [
        f"The router scores the {count(facts.row.sizes[1])} shared experts too: they take their part of what the "
        f"chosen ones would have, and every token visits them. {each(facts)}"
    ]


def _expert(role: str) -> Sentences:
    def sentences(facts: Facts) -> list[str]:
        row, n = facts.row, facts.n
        ends = f"from {count(row.sizes[0])} to {count(row.sizes[1])} numbers"
        zero = f" and {n['n_zero_experts']} without weights" if "n_zero_experts" in n else ""
        return [
            f"Each of a layer's {n['n_experts']} experts is a small MLP of its own; this is its {role}, {ends}.",
            f"A token visits {n['n_experts_per_token']} of {n['n_experts']}{zero}: of {count(row.parameters)} "
            f"parameters {count(row.active)} are active{' at most' if zero else ''}.",
        ]

    return sentences


def _shared(role: str) -> Sentences:
    def sentences(facts: Facts) -> list[str]:
        row = facts.row
        return [
            f"The shared expert is an MLP that every token visits beside those chosen for it; this is its {role}, "
            f"from {count(row.sizes[0])} to {count(row.sizes[1])} numbers.",
            each(facts),
        ]

    return sentences


def _shared_gate(facts: Facts) -> list[str]:
    return [
        f"One number a token says how much the shared expert counts, from {count(facts.n['d_model'])} weights a layer."
    ]


def _latent_down(facts: Facts) -> list[str]:
    d_model, d_latent = facts.row.sizes
    return [
        f"Experts read not the token's {count(d_model)} numbers but {count(d_latent)}, which this matrix makes of them "
        f"once for all experts: each expert's matrices are {ratio(d_model, d_latent)} times smaller for it. "
        f"{each(facts)}"
    ]


def _latent_up(facts: Facts) -> list[str]:
    return [
        f"What the chosen experts bring together, {count(facts.row.sizes[0])} numbers, is made as wide as the token's "
        f"vector again. {each(facts)}"
    ]


MLP: dict[str, Sentences] = {
    "attention-mixture.router": _router,
    "plain.up": _up,
    "plain.down": _down,
    "gated.gate": _gate,
    "gated.up": _up,
    "gated.down": _down,
    "mixture.input_gate.down": said(
        "Of the token's {d_model} numbers the experts read as much as a gate lets through: a narrow MLP, first down to "
        "{d_input_gate} numbers."
    ),
    "mixture.input_gate.up": said("The gate then has one number for each of {d_model}."),
    "mixture.router": _router,
    "mixture.router_zero": _router_zero,
    "mixture.router_shared": _router_shared,
    "mixture.router.hidden.narrow": said(
        "The router is an MLP of its own: this matrix makes a token's {d_model} numbers {d_router}, which the router "
        "of the next layer sees too."
    ),
    "mixture.router.hidden.first": said("The first of two hidden matrices of the router."),
    "mixture.router.hidden.second": said("The second hidden matrix of the router; the experts' scores follow."),
    "mixture.experts.gate": _expert("gate-projection"),
    "mixture.experts.up": _expert("up-projection"),
    "mixture.experts.down": _expert("down-projection"),
    "mixture.shared.gate": _shared("gate-projection"),
    "mixture.shared.up": _shared("up-projection"),
    "mixture.shared.down": _shared("down-projection"),
    "mixture.shared_gate": _shared_gate,
    "mixture.latent_down": _latent_down,
    "mixture.latent_up": _latent_up,
}
"""The sentences of a group, by kind and name of its weight."""
