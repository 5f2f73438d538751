"""What each group of a model does and why it has its size, in plain sentences with the model's own numbers.

It reads a ledger and knows what the kinds of blocks are for; it knows no model by name, and not how text is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gptcount.ledger import Ledger, Row
from gptcount.output.text import count


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person should know of one group; ``part`` is the part of the model that it belongs to."""

    group: str
    part: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One row, and whatever a sentence about it may mention."""

    row: Row
    ledger: Ledger

    @property
    def n(self) -> dict[str, int]:
        """The named sizes of the row's part of the model, the row's own first."""
        beside = [row for row in self.ledger.rows if row.part == self.row.part]
        return dict(factor for row in [*reversed(beside), self.row] for factor in row.factors)

    @property
    def one(self) -> int:
        """The parameters of one matrix."""
        return self.row.parameters // self.row.matrices

    def has(self, weight: str) -> bool:
        """Whether the model has a weight of that name."""
        return any(row.weight == weight for row in self.ledger.rows)

    def row_of(self, weight: str) -> Row | None:
        """The first row of a weight."""
        return next((row for row in self.ledger.rows if row.weight == weight), None)


def explain(ledger: Ledger) -> list[Explanation]:
    """Two or three sentences for each group, in the order of the flow, and what is learned and what flows."""
    first = {row.weight: row for row in reversed(ledger.rows)}
    groups = [
        Explanation(row.group, row.part, " ".join(filter(None, SENTENCES[_key(row)](Facts(row, ledger)))))
        for weight, row in ((row.weight, row) for row in ledger.rows)
        if first[weight] is row and _key(row) in SENTENCES
    ]
    return [*groups, _closing(ledger)]


def _key(row: Row) -> str:
    """What tells a row's sentences: its name without its part, and ``latent`` before those of latent attention."""
    part, _, rest = row.weight.partition(".")
    latent = part == "attention" and any(
        label in ("d_kv_latent", "d_query_latent", "d_nope", "d_value") for label, _ in row.factors
    )
    return f"latent.{rest}" if latent else row.weight


def _closing(ledger: Ledger) -> Explanation:
    totals, d_model = ledger.totals, ledger.architecture.d_model
    return Explanation(
        "weights and data",
        "",
        f"Weights are what is learned: these {count(totals['parameters'])} numbers stay the same for every text. "
        f"Data is what flows through them: for each token a vector of {count(d_model)} numbers, different for every "
        f"text.",
    )


Sentences = Callable[[Facts], list[str]]


def _embedding(facts: Facts) -> list[str]:
    n_vocab, d_model = facts.n["n_vocab"], facts.n["d_model"]
    merges = "It is 256 bytes + 50,000 merges + 1 token that ends a text." if n_vocab == 50_257 else ""
    return [
        f"A table that is looked up by token: one row for each of the {count(n_vocab)} tokens of the vocabulary, "
        f"each of "
        f"{count(d_model)} numbers.",
        merges,
        "The row is the vector that then flows through the layers; nothing is multiplied here.",
    ]


def _query(facts: Facts) -> list[str]:
    n = facts.n
    heads = n["n_heads"]
    return [
        f"In each of the {heads} heads of a layer, the query matrix turns a token's {count(n['d_model'])} numbers into "
        f"{count(n['d_head'])}: what this token looks for among the others.",
        f"{_each(facts)}.",
    ]


def _key_matrix(facts: Facts) -> list[str]:
    return ["The key matrix says what a token has to offer to those that look.", _shared_by(facts), *_pattern(facts)]


def _pattern(facts: Facts) -> list[str]:
    n_ctx = facts.ledger.architecture.n_ctx
    heads = facts.n["n_heads"]
    return [
        "Query and key meet in a dot product, a score for each pair of tokens; scores of later tokens are set to −∞ "
        "before the "
        "softmax, so that no token sees a later one, and the softmax makes the scores a pattern that sums to 1.",
        f"The pattern has n_ctx² entries for each of {heads} heads and each layer ({count(n_ctx)}² = "
        f"{count(n_ctx**2)}), which is "
        "why context is dear: twice the context is four times the pattern.",
        _windows(facts),
    ]


def _windows(facts: Facts) -> str:
    attentions = {layer.attention for layer in facts.ledger.architecture.layers()}
    windows = sorted({window for attention in attentions if (window := getattr(attention, "window", None))})
    if not windows:
        return ""
    some = "Here" if all(getattr(attention, "window", None) for attention in attentions) else "In some layers"
    return f"{some} a token sees only the last {' or '.join(map(count, windows))} tokens, which saves the rest."


def _shared_by(facts: Facts) -> str:
    heads, kv_heads = facts.n["n_heads"], facts.n.get("n_kv_heads", facts.n["n_heads"])
    if kv_heads == heads:
        return ""
    return (
        f"Here {heads} query heads share {kv_heads} {'key and value heads' if kv_heads > 1 else 'key and value head'}, "
        f"{heads // kv_heads} to one (grouped queries), so that keys and values are {heads // kv_heads} times fewer, "
        "in the weights and in the memory of a running model."
    )


def _value(facts: Facts) -> list[str]:
    d_model, d_head = facts.n["d_model"], facts.n["d_head"]
    return [
        "The value is what a token passes on to those that look at it.",
        f"One value matrix from d_model to d_model would be {count(d_model)}² = {count(d_model**2)} parameters a "
        f"head; it is made "
        f"of two factors, value-down to {count(d_head)} numbers and value-up back: 2 × {count(d_model * d_head)}"
        + _fewer(d_model**2, 2 * d_model * d_head),
        _value_shared(facts),
    ]


def _value_shared(facts: Facts) -> str:
    heads, kv_heads = facts.n["n_heads"], facts.n.get("n_kv_heads", facts.n["n_heads"])
    return (
        f"The value-down is shared like the key, by {heads // kv_heads} heads; the value-up is each head's own."
        if kv_heads != heads
        else ""
    )


def _fewer(whole: int, factors: int) -> str:
    if whole < 2 * factors:
        return "."
    times = count(whole // factors) if whole % factors == 0 else f"{whole / factors:.1f}"
    return f", {times} times fewer."


def _output(facts: Facts) -> list[str]:
    n = facts.n
    stapled = len(facts.row.factors) > len(facts.row.shape) + 1 and facts.row.shape[0] != "d_head"
    d_out = count(n["d_model"])
    how = (
        f"The value-ups of a layer's {n['n_heads']} heads, stapled together: they take the {n['n_heads']} × "
        f"{n['d_head']} = "
        f"{count(n['n_heads'] * n['d_head'])} numbers of the heads back to {d_out}"
        if stapled
        else f"Each head's value-up takes what its pattern has gathered, {n['d_head']} numbers, back to {d_out}"
    )
    return [f"{how}, which are added to the token's vector.", _one_head(facts)]


def _one_head(facts: Facts) -> str:
    d_model, d_head, heads = facts.n["d_model"], facts.n["d_head"], facts.n["n_heads"]
    kv_heads = facts.n.get("n_kv_heads", heads)
    if kv_heads == heads:
        four = 4 * d_model * d_head
        return (
            "One head of one layer, query, key, value-down and value-up, has "
            f"4 × {count(d_model * d_head)} = {count(four)} parameters."
        )
    own = 2 * d_model * d_head
    return (
        f"One head of one layer has a query and a value-up of its own, 2 × {count(d_model * d_head)} = {count(own)} "
        f"parameters, "
        f"and shares as many for key and value-down with {heads // kv_heads - 1} "
        f"other{'s' if heads // kv_heads > 2 else ''}."
    )


def _latent_query_down(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Latent attention takes the way to the queries in two steps: first down from {count(n['d_model'])} numbers "
        f"to a latent "
        f"vector of {count(n['d_query_latent'])}, one for all heads of a layer.",
        f"{_each(facts)}.",
    ]


def _latent_query(facts: Facts) -> list[str]:
    n = facts.n
    start = "d_query_latent" if "d_query_latent" in dict(facts.row.factors) else "d_model"
    return [
        f"Each of the {n['n_heads']} heads of a layer makes its query from {count(n[start])} numbers: {n['d_nope']} "
        f"that say what "
        "the token looks for, whatever the position.",
        f"{_each(facts)}.",
    ]


def _latent_query_rotary(facts: Facts) -> list[str]:
    return [
        f"Beside them each head has {facts.n['d_rotary']} numbers that are rotated by the token's position: they "
        f"say where to look.",
        f"{_each(facts)}.",
    ]


def _latent_kv_down(facts: Facts) -> list[str]:
    n = facts.n
    wide = n["n_heads"] * (n["d_nope"] + n["d_value"])
    return [
        f"Keys and values of all {n['n_heads']} heads are made from one latent vector of {count(n['d_kv_latent'])} "
        f"numbers a token.",
        f"Only that, and the rotated key, is remembered for each token, in place of {n['n_heads']} × ({n['d_nope']} + "
        f"{n['d_value']}) = {count(wide)} numbers: this is what latent attention is for.",
    ]


def _latent_key_rotary(facts: Facts) -> list[str]:
    return [
        f"The {facts.n['d_rotary']} rotated numbers of the key, which say where a token stands, are one set for all "
        f"{facts.n['n_heads']} heads of a layer.",
        f"{_each(facts)}.",
    ]


def _latent_key(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Each head makes its key, {n['d_nope']} numbers that say what a token has to offer, from the "
        f"{count(n['d_kv_latent'])} of "
        "the latent vector.",
        *_pattern(facts),
    ]


def _latent_value(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Each head makes what a token passes on, {n['d_value']} numbers, from the same latent vector of "
        f"{count(n['d_kv_latent'])}.",
        f"{_each(facts)}; straight from the token's {count(n['d_model'])} numbers it would be "
        f"{count(n['d_model'] * n['d_value'])}.",
    ]


def _latent_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"The value-ups take what the {n['n_heads']} heads of a layer have gathered, {n['n_heads']} × {n['d_value']} = "
        f"{count(n['n_heads'] * n['d_value'])} numbers, back to {count(n['d_model'])}, which are added to the "
        f"token's vector.",
        f"{_each(facts)}.",
    ]


def _up(facts: Facts) -> list[str]:
    d_model, d_ff = facts.row.sizes
    gated = facts.has(facts.row.weight.replace(".up", ".gate"))
    return [
        "After attention has moved information between tokens, the MLP works on each token by itself.",
        f"The up-projection asks {count(d_ff)} questions of the token's {count(d_model)} numbers, "
        f"{'one' if d_ff == 1 else 'each'} a row of weights"
        + (f": d_ff is {_ratio(d_ff, d_model)} times d_model." if d_ff > d_model else "."),
        "Each answer is multiplied by the gate's, so that the gate decides what passes."
        if gated
        else "The activation then keeps the answers that say yes.",
    ]


def _gate(facts: Facts) -> list[str]:
    d_model, d_ff = facts.row.sizes
    return [
        f"A gated MLP has a third matrix: the gate turns the token's {count(d_model)} numbers into {count(d_ff)} "
        f"valves, which "
        "after the activation are multiplied with the up-projection.",
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
        f"{_each(facts)}, as many as the up-projection: the shape is turned round.",
    ]


def _router(facts: Facts) -> list[str]:
    n = facts.n
    chosen = _chosen(facts)
    return [
        f"The router gives each of {n['n_experts']} experts a score for a token, and the {chosen} best are visited.",
        f"A row of {count(n['d_model'])} numbers for each expert is all that it needs.",
    ]


def _chosen(facts: Facts) -> int:
    """How many experts a token visits: read off the counts, active to all."""
    experts = next((row for row in facts.ledger.rows if row.weight.startswith("mlp.experts.")), facts.row)
    return experts.active * dict(experts.factors).get("n_experts", 1) // experts.parameters


def _expert(role: str) -> Sentences:
    def sentences(facts: Facts) -> list[str]:
        row, n_experts, chosen = facts.row, facts.n["n_experts"], _chosen(facts)
        ends = f"from {count(row.sizes[0])} to {count(row.sizes[1])} numbers"
        return [
            f"Each of a layer's {n_experts} experts is a small MLP of its own; this is its {role}, {ends}.",
            f"A token visits {chosen} of {n_experts}: of {count(row.parameters)} parameters {count(row.active)} are "
            f"active.",
        ]

    return sentences


def _shared(role: str) -> Sentences:
    def sentences(facts: Facts) -> list[str]:
        row = facts.row
        return [
            f"The shared expert is an MLP that every token visits beside those chosen for it; this is its {role}, "
            f"from {count(row.sizes[0])} to {count(row.sizes[1])} numbers.",
            f"{_each(facts)}.",
        ]

    return sentences


def _shared_gate(facts: Facts) -> list[str]:
    return [
        f"One number a token says how much the shared expert counts, from {count(facts.n['d_model'])} weights a layer."
    ]


def _unembedding(facts: Facts) -> list[str]:
    n_vocab, d_model = facts.n["n_vocab"], facts.n["d_model"]
    tied = facts.ledger.architecture.unembedding.tied
    return [
        f"To say what comes next, the unembedding reads the last vector only and turns its {count(d_model)} numbers "
        f"into a score "
        f"for each of the {count(n_vocab)} tokens.",
        "The softmax makes of the scores a probability for each token; a temperature divides the scores first, and "
        "a high one "
        "makes the choice more even.",
        "It is the embedding itself, turned round: the two are tied and stored once."
        if tied
        else "It is not tied to the embedding: the model stores both.",
    ]


def _each(facts: Facts) -> str:
    row = facts.row
    sizes = " × ".join(map(count, row.sizes))
    there = f"there {'are' if row.matrices > 1 else 'is'} {count(row.matrices)}"
    return f"One such matrix is {sizes} = {count(facts.one)} parameters, and {there}"


def _ratio(a: int, b: int) -> str:
    return count(a // b) if a % b == 0 else f"{a / b:.2f}".rstrip("0").rstrip(".")


SENTENCES: dict[str, Sentences] = {
    "embedding.token": _embedding,
    "attention.query": _query,
    "attention.key": _key_matrix,
    "attention.value": _value,
    "attention.output": _output,
    "latent.query_down": _latent_query_down,
    "latent.query": _latent_query,
    "latent.query_rotary": _latent_query_rotary,
    "latent.kv_down": _latent_kv_down,
    "attention.key_rotary": _latent_key_rotary,
    "latent.key": _latent_key,
    "latent.value": _latent_value,
    "latent.output": _latent_output,
    "mlp.gate": _gate,
    "mlp.up": _up,
    "mlp.down": _down,
    "mlp.router": _router,
    "mlp.experts.gate": _expert("gate-projection"),
    "mlp.experts.up": _expert("up-projection"),
    "mlp.experts.down": _expert("down-projection"),
    "mlp.shared.gate": _shared("gate-projection"),
    "mlp.shared.up": _shared("up-projection"),
    "mlp.shared.down": _shared("down-projection"),
    "mlp.shared_gate": _shared_gate,
    "unembedding.token": _unembedding,
}
"""The sentences of a group, by the name of its weight."""
