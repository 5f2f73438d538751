"""What each group of a model does and why it has its size, in plain sentences with the model's own numbers.

It reads a ledger and knows what the kinds of blocks are for; it knows no model by name, and not how text is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gptcount.architecture import Architecture, Layer
from gptcount.blocks.block import Block
from gptcount.ledger import Ledger, Row
from gptcount.numbers import count


class Explanation(NamedTuple):
    """What a person should know of one group; ``part`` is the part of the model that it belongs to."""

    group: str
    part: str
    text: str


class Facts(NamedTuple):
    """One row, the block that it belongs to, and whatever a sentence about it may mention."""

    row: Row
    ledger: Ledger
    block: Block | None

    @property
    def n(self) -> dict[str, int]:
        """The named sizes: those of the model, of the block, and of the row, which come first."""
        return self.ledger.architecture.sizes() | (self.block.sizes() if self.block else {}) | dict(self.row.factors)

    def has(self, field: str) -> bool:
        """Whether the block has this field, and it says something."""
        return bool(getattr(self.block, field, None))


def explain(ledger: Ledger) -> list[Explanation]:
    """Two or three sentences for each group, in the order of the flow, and what is learned and what flows."""
    alike: dict[str, list[Facts]] = {}
    for key, facts in keyed(ledger):
        alike.setdefault(key, []).append(facts)
    groups = [
        Explanation(
            same[0].row.group, same[0].row.part, " ".join(filter(None, [*SENTENCES[key](same[0]), _vary(same)]))
        )
        for key, same in alike.items()
        if key in SENTENCES
    ]
    return [*groups, _closing(ledger)]


def keyed(ledger: Ledger) -> Iterator[tuple[str, Facts]]:
    """Each row with its block, and the key of its sentences."""
    of_layers = _of_layers(ledger.architecture)
    for row in ledger.rows:
        block = _block(row, ledger.architecture, of_layers)
        yield _key_of(row, block), Facts(row, ledger, block)


Own = tuple[str, tuple[tuple[str, int | None], ...]]
"""A weight of a layer: its name, and its axes with their sizes."""


def _of_layers(architecture: Architecture) -> dict[Own, Block]:
    """The attention or the MLP that a weight belongs to: the first that has one of its name and sizes."""
    blocks = {id(block): (part, block) for layer in architecture.layers() for part, block in _parts(layer)}
    return {
        (f"{part}.{weight.name}", tuple((axis.name, axis.size) for axis in weight.axes)): block
        for part, block in reversed(blocks.values())
        for weight in block.inventory().bind(architecture.sizes())
    }


def _parts(layer: Layer) -> tuple[tuple[str, Block], tuple[str, Block]]:
    return ("attention", layer.attention), ("mlp", layer.mlp)


def _block(row: Row, architecture: Architecture, of_layers: dict[Own, Block]) -> Block | None:
    """The block that a row belongs to."""
    part = row.weight.partition(".")[0]
    if part == "shortcut" and architecture.shortcut:
        return architecture.shortcut.mixture
    if part not in ("attention", "mlp"):
        return getattr(architecture, part, None)
    return next((of_layers[key] for at in (1, 2) if (key := (row.weight, row.factors[at:])) in of_layers), None)


def _key_of(row: Row, block: Block | None) -> str:
    """What tells a row's sentences: its name, that of an attention that is not multi-head under its kind."""
    part, _, rest = row.weight.partition(".")
    kind = getattr(block, "kind", "") if part in ("attention", "streams") else ""
    if rest.startswith("indexer."):
        return rest
    if part == "shortcut":
        return f"mlp.{rest}"
    return f"{kind}.{rest}" if kind in ("latent", "compressed", "hyper-connections") else row.weight


def _vary(same: list[Facts]) -> str:
    """Where layers differ in size under one name, what each has."""
    kinds = list(dict.fromkeys(_in_layers(facts.row) for facts in same))
    if len(kinds) < 2:
        return ""
    more = f", and {len(kinds) - 4} more kinds of layer" if len(kinds) > 4 else ""
    return f"Layers differ: there are {'; '.join(kinds[:4])}{more}."


def _in_layers(row: Row) -> str:
    layers, n = row.factors[0]
    sizes = " × ".join(map(count, row.sizes))
    each = row.matrices // n
    return f"{count(each)} of {sizes} in each of {layers}" if each > 1 else f"one of {sizes} in each of {layers}"


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
    n_vocab, width = facts.row.sizes
    positions = facts.ledger.architecture.embedding.positions
    added = (
        f"; the {'row' if positions.kind == 'learned' else 'vector'} of its position is added to it"
        if positions
        else ""
    )
    return [
        f"A table that is looked up by token: one row for each of the {count(n_vocab)} tokens of the vocabulary, "
        f"each of {count(width)} numbers.",
        "The tokens are 256 bytes + 50,000 merges + 1 that ends a text." if n_vocab == 50_257 else "",
        f"The row of a token is what flows into the layers{added}. Nothing is multiplied with the table.",
    ]


def _embedding_projection(facts: Facts) -> list[str]:
    return [
        f"The table is narrower than the model: its {count(facts.row.sizes[0])} numbers a token become "
        f"{count(facts.row.sizes[1])}.",
        _each(facts),
    ]


def _query(facts: Facts) -> list[str]:
    n = facts.n
    heads = n["n_heads"]
    return [
        f"In each of the {heads} heads of a layer, the query matrix turns a token's {count(n['d_model'])} numbers into "
        f"{count(n['d_head'])}: what this token looks for among the others.",
        _each(facts),
    ]


def _key_matrix(facts: Facts) -> list[str]:
    return [
        "The key matrix says what a token has to offer to those that look.",
        _shared_by(facts),
        "The keys are the values too: there is no value matrix." if facts.has("value_is_key") else "",
        *_pattern(facts),
    ]


def _pattern(facts: Facts) -> list[str]:
    n_ctx, heads = facts.n["n_ctx"], facts.n.get("n_heads", facts.n.get("n_kv_heads", 1))
    masked = (
        "a token sees those after it too"
        if facts.has("bidirectional")
        else "scores of later tokens are set to −∞ before the softmax, so that no token sees a later one"
    )
    return [
        f"Query and key meet in a dot product, a score for each pair of tokens; {masked}, and the softmax makes of "
        "each token's scores a pattern that sums to 1.",
        f"The pattern has n_ctx² entries for each of {heads} heads and each layer ({count(n_ctx)}² = "
        f"{count(n_ctx**2)}), which is why context is dear: twice the context is four times the pattern.",
        _windows(facts),
    ]


def _windows(facts: Facts) -> str:
    attentions = {layer.attention for layer in facts.ledger.architecture.layers()}
    seen = {getattr(attention, "window", None) or getattr(attention, "chunk", None) for attention in attentions}
    widths = sorted(width for width in seen if width)
    if not widths:
        return ""
    some = "In some layers" if None in seen else "Here"
    return f"{some} a token sees only the last {' or '.join(map(count, widths))} tokens at most, which saves the rest."


def _shared_by(facts: Facts) -> str:
    heads, kv_heads = _heads(facts)
    if kv_heads == heads:
        return ""
    return (
        f"Here {heads} query heads share {kv_heads} {'key and value heads' if kv_heads > 1 else 'key and value head'}, "
        f"{heads // kv_heads} to one (grouped queries), so that keys and values are {heads // kv_heads} times fewer, "
        "in the weights and in the memory of a running model."
    )


def _value(facts: Facts) -> list[str]:
    d_model, d_value = facts.row.sizes
    return [
        "The value is what a token passes on to those that look at it.",
        f"One value matrix from d_model to d_model would be {count(d_model)}² = {count(d_model**2)} parameters a "
        f"head; it is made of two factors, value-down to {count(d_value)} numbers and value-up back: 2 × "
        f"{count(d_model * d_value)}{_fewer(d_model**2, 2 * d_model * d_value)}",
        _value_shared(facts),
    ]


def _value_shared(facts: Facts) -> str:
    heads, kv_heads = _heads(facts)
    if kv_heads == heads:
        return ""
    return f"The value-down is shared like the key, by {heads // kv_heads} heads; the value-up is each head's own."


def _heads(facts: Facts) -> tuple[int, int]:
    """Heads, and key and value heads; where experts bring the queries, each looks through every key and value head."""
    kv_heads = facts.n.get("n_kv_heads", facts.n.get("n_heads", 1))
    return facts.n.get("n_heads", kv_heads), kv_heads


def _fewer(whole: int, factors: int) -> str:
    if whole < 2 * factors:
        return "."
    times = count(whole // factors) if whole % factors == 0 else f"{whole / factors:.1f}"
    return f", {times} times fewer."


def _output(facts: Facts) -> list[str]:
    heads, width, d_model = facts.n["n_heads"], facts.n.get("d_value", facts.n["d_head"]), facts.row.sizes[-1]
    how = (
        f"The value-ups of a layer's {heads} heads, stapled together: they take the {heads} × {width} = "
        f"{count(heads * width)} numbers of the heads back to {count(d_model)}"
        if "*" in facts.row.shape[0]
        else f"Each head's value-up takes what its pattern has gathered, {width} numbers, back to {count(d_model)}"
    )
    return [f"{how}, which are added to the token's vector.", _one_head(facts)]


def _one_head(facts: Facts) -> str:
    d_model, d_head, (heads, kv_heads) = facts.n["d_model"], facts.n["d_head"], _heads(facts)
    one = d_model * d_head
    if facts.n.get("d_value", d_head) != d_head or facts.has("value_is_key") or facts.has("shares_kv"):
        return ""
    if kv_heads == heads:
        return (
            "One head of one layer, query, key, value-down and value-up, has "
            f"4 × {count(one)} = {count(4 * one)} parameters."
        )
    others = heads // kv_heads - 1
    return (
        f"One head of one layer has a query and a value-up of its own, 2 × {count(one)} = {count(2 * one)} parameters, "
        f"and shares as many for key and value-down with {others} other{'s' if others > 1 else ''}."
    )


def _attention_gate(facts: Facts) -> list[str]:
    return [
        f"The gate says for each of the {count(facts.row.sizes[1])} numbers that a head has gathered how much of it "
        "passes, from the vector of the token that looks.",
        _each(facts),
    ]


def _mixture_query(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Queries belong to experts: each of {n['n_experts']} has a query matrix for every one of {n['n_kv_heads']} "
        f"key and value heads, and a token looks through those of {n['n_experts_per_token']} experts.",
        _each(facts),
    ]


def _mixture_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Each expert takes what it has gathered, {n['n_kv_heads']} × {n['d_head']} = "
        f"{count(n['n_kv_heads'] * n['d_head'])} numbers, back to {count(n['d_model'])}.",
        _each(facts),
    ]


def _compressed_query(facts: Facts) -> list[str]:
    latent, d_head = facts.row.sizes
    return [
        f"Each of the {facts.n['n_heads']} heads of a layer makes its query, {count(d_head)} numbers, from the "
        f"{count(latent)} of the latent vector.",
        _each(facts),
    ]


def _compressed_key(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"One vector of {count(n['d_head'])} numbers a token is key and value of all {n['n_heads']} heads.",
        f"Of the last {count(n['window'])} tokens each is looked at by itself, of those before them at most what a "
        "compressor makes of them.",
        "Query and key meet in a dot product, a score for each pair; the softmax makes of each token's scores a "
        "pattern that sums to 1.",
    ]


def _compressor(facts: Facts) -> list[str]:
    compressor = facts.block.compressor  # type: ignore[union-attr]
    each = "" if compressor.n_blocks == 1 else f", {compressor.n_blocks} of each a layer"
    return [
        f"{count(compressor.n_block)} neighbouring tokens get one key in common: this makes of every token's "
        f"{count(facts.row.sizes[0])} numbers {count(facts.row.sizes[1])} to blend{each}.",
        f"So the memory of a running model is {count(compressor.n_block)} times shorter.",
    ]


def _compressor_gate(facts: Facts) -> list[str]:
    return [f"The gate says, number by number, how much each token counts in the blend. {_each(facts)}"]


def _output_down(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"What the heads have gathered is led out in {n['n_output_groups']} groups of {n['n_group_heads']} heads, each "
        f"from {count(facts.row.sizes[0])} numbers down to {count(facts.row.sizes[1])}.",
        _each(facts),
    ]


def _compressed_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"The latent vectors of all groups, {n['n_output_groups']} × {count(n['d_output_latent'])} numbers, become "
        f"{count(n['d_model'])}, which are added to the token's vector.",
        _each(facts),
    ]


def _index_query(facts: Facts) -> list[str]:
    n, indexer = facts.n, facts.block.indexer  # type: ignore[union-attr]
    return [
        f"An indexer of {n['n_index_heads']} small heads scores what lies before a token, so that attention looks at "
        f"the {count(indexer.n_chosen)} best only; this makes its queries, {n['d_index_head']} numbers a head.",
        _each(facts),
    ]


def _index_key(facts: Facts) -> list[str]:
    return [f"A token has one key of {count(facts.row.sizes[1])} numbers for all heads of the indexer. {_each(facts)}"]


def _head_weight(facts: Facts) -> list[str]:
    return [
        f"One number for each of the {count(facts.row.sizes[1])} heads of the indexer says how much its score "
        f"counts. {_each(facts)}"
    ]


def _latent_query_down(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Latent attention takes the way to the queries in two steps: first down from {count(n['d_model'])} numbers "
        f"to a latent "
        f"vector of {count(n['d_query_latent'])}, one for all heads of a layer.",
        _each(facts),
    ]


def _latent_query(facts: Facts) -> list[str]:
    n = facts.n
    start = "d_query_latent" if "d_query_latent" in dict(facts.row.factors) else "d_model"
    return [
        f"Each of the {n['n_heads']} heads of a layer makes its query from {count(n[start])} numbers: {n['d_nope']} "
        f"that say what "
        "the token looks for, whatever the position.",
        _each(facts),
    ]


def _latent_query_rotary(facts: Facts) -> list[str]:
    return [
        f"Beside them each head has {facts.n['d_rotary']} numbers that are rotated by the token's position: they "
        f"say where to look.",
        _each(facts),
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
        _each(facts),
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
        f"{_each(facts)} Straight from the token's {count(n['d_model'])} numbers one would be "
        f"{count(n['d_model'] * n['d_value'])}.",
    ]


def _latent_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"The value-ups take what the {n['n_heads']} heads of a layer have gathered, {n['n_heads']} × {n['d_value']} = "
        f"{count(n['n_heads'] * n['d_value'])} numbers, back to {count(n['d_model'])}, which are added to the "
        f"token's vector.",
        _each(facts),
    ]


def _up(facts: Facts) -> list[str]:
    d_model, d_ff = facts.row.sizes
    aside = facts.ledger.architecture.residual.startswith("parallel")
    return [
        "Beside attention, which moves information between tokens, the MLP works on each token by itself."
        if aside
        else "After attention has moved information between tokens, the MLP works on each token by itself.",
        f"The up-projection asks {count(d_ff)} questions of the token's {count(d_model)} numbers, "
        f"{'one' if d_ff == 1 else 'each'} a column of weights"
        + (f": d_ff is {_ratio(d_ff, d_model)} times d_model." if d_ff > d_model else "."),
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
        f"{_each(facts)} That is as many as the up-projection has: the shape is turned round.",
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
        f"is: for these the router has scores too. {_each(facts)}"
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
            _each(facts),
        ]

    return sentences


def _shared_gate(facts: Facts) -> list[str]:
    return [
        f"One number a token says how much the shared expert counts, from {count(facts.n['d_model'])} weights a layer."
    ]


def _unembedding(facts: Facts) -> list[str]:
    width, n_vocab = facts.row.sizes
    return [
        f"To say what comes next, the unembedding reads the last vector only and turns its {count(width)} numbers "
        f"into a score for each of the {count(n_vocab)} tokens.",
        "The softmax makes of the scores a probability for each token; a temperature divides the scores first, and "
        "a high one makes the choice more even.",
        "It is the embedding itself, turned round: the two are tied and stored once."
        if getattr(facts.ledger.architecture.unembedding, "tied", False)
        else "It is not tied to the embedding: the model stores both.",
    ]


def _head(facts: Facts) -> list[str]:
    width, n_labels = facts.row.sizes
    return [
        f"The score head turns the {count(width)} numbers of a token's last vector into "
        f"{'a single score' if n_labels == 1 else f'a score for each of {count(n_labels)} labels'}. A classifier of "
        "whole sequences reads the last token only."
    ]


def _unembedding_projection(facts: Facts) -> list[str]:
    return [
        f"It leads the last vector back to the width of the table, from {count(facts.row.sizes[0])} numbers to "
        f"{count(facts.row.sizes[1])}. {_each(facts)}"
    ]


def _said(text: str) -> Sentences:
    """Sentences that say, after what a matrix does, how large one is."""
    return lambda facts: [text.format_map({name: count(n) for name, n in facts.n.items()}), _each(facts)]


def _each(facts: Facts) -> str:
    row = facts.row
    sizes = " × ".join(map(count, row.sizes))
    sizes += f" = {count(row.parameters // row.matrices)}" if len(row.sizes) > 1 else ""
    return (
        f"One such matrix is {sizes} parameters, and there {'are' if row.matrices > 1 else 'is'} {count(row.matrices)}."
    )


def _ratio(a: int, b: int) -> str:
    return count(a // b) if a % b == 0 else f"{a / b:.2f}".rstrip("0").rstrip(".")


_READ = "{{n_streams}} vectors flow for each token; of all their numbers it makes {{n_streams}}: how much of each {}."
_WRITE = "It makes {{n_streams}} numbers: how much of what {} brings is added to each vector."
_MIX = "It makes {{n_streams}} × {{n_streams}} numbers: how the vectors themselves are mixed at {}."

SENTENCES: dict[str, Sentences] = {
    "embedding.token": _embedding,
    "embedding.projection": _embedding_projection,
    "per_layer_embedding.token": _said(
        "Every layer has a table of its own, looked up by token: {d_per_layer} numbers for each of {n_vocab_per_layer} "
        "tokens."
    ),
    "per_layer_embedding.projection": _said(
        "What a layer looks up is added to what this makes of the embedding: {d_per_layer} numbers for each layer."
    ),
    "per_layer_embedding.gate": _said(
        "Of the token's vector it makes {d_per_layer} valves for what the layer looks up."
    ),
    "per_layer_embedding.output": _said("It takes the {d_per_layer} numbers that pass back to {d_model}."),
    "streams.split": _said("{n_streams} vectors flow for each token, not one; this makes the others of the embedding."),
    "streams.router": _said("For each token it says how the {n_streams} vectors are blended in this layer."),
    "streams.predict": _said(
        "It says what each vector would become of all {n_streams}, before the layer works on one."
    ),
    "streams.correct": _said(
        "It says how much of what the layer has changed in one vector goes to each of {n_streams}."
    ),
    "streams.join": _said("After the last layer it brings the other vectors together with the first of {n_streams}."),
    "hyper-connections.attention.read": _said(_READ.format("attention reads")),
    "hyper-connections.attention.write": _said(_WRITE.format("attention")),
    "hyper-connections.attention.mix": _said(_MIX.format("attention")),
    "hyper-connections.mlp.read": _said(_READ.format("the MLP reads")),
    "hyper-connections.mlp.write": _said(_WRITE.format("the MLP")),
    "hyper-connections.mlp.mix": _said(_MIX.format("the MLP")),
    "hyper-connections.last.read": _said(_READ.format("the unembedding reads")),
    "laurel.down": _said("Beside attention a branch of low rank adds to the vector: first down to {d_rank} numbers."),
    "laurel.up": _said("The branch of low rank then goes from {d_rank} numbers back to {d_model}."),
    "attention.query": _query,
    "attention.key": _key_matrix,
    "attention.value": _value,
    "attention.output": _output,
    "attention.gate": _attention_gate,
    "attention.crossed.query": _said(
        "Some layers look at what another part of the model brings, an image say: their query matrices turn a token's "
        "{d_model} numbers into the {d_head} that each of {n_heads} heads looks for there."
    ),
    "attention.crossed.key": _said("The keys are made of what the other part brings, by {n_kv_heads} heads."),
    "attention.crossed.value": _said("So are the values: what the other part passes on to the tokens that look at it."),
    "attention.crossed.output": _said(
        "It takes what the {n_heads} heads have seen of the other part back to {d_model} numbers, which a gate lets "
        "into the token's vector."
    ),
    "attention.router": _router,
    "attention.experts.query": _mixture_query,
    "attention.experts.output": _mixture_output,
    "latent.query_down": _latent_query_down,
    "latent.query": _latent_query,
    "latent.query_rotary": _latent_query_rotary,
    "latent.kv_down": _latent_kv_down,
    "latent.key_rotary": _latent_key_rotary,
    "latent.key": _latent_key,
    "latent.value": _latent_value,
    "latent.output": _latent_output,
    "compressed.query_down": _latent_query_down,
    "compressed.query": _compressed_query,
    "compressed.key": _compressed_key,
    "compressed.compressor.key": _compressor,
    "compressed.compressor.gate": _compressor_gate,
    "compressed.output_down": _output_down,
    "compressed.output": _compressed_output,
    "indexer.query": _index_query,
    "indexer.key": _index_key,
    "indexer.compressor.key": _compressor,
    "indexer.compressor.gate": _compressor_gate,
    "indexer.head_weight": _head_weight,
    "mlp.gate": _gate,
    "mlp.up": _up,
    "mlp.down": _down,
    "mlp.router": _router,
    "mlp.router_zero": _router_zero,
    "mlp.experts.gate": _expert("gate-projection"),
    "mlp.experts.up": _expert("up-projection"),
    "mlp.experts.down": _expert("down-projection"),
    "mlp.shared.gate": _shared("gate-projection"),
    "mlp.shared.up": _shared("up-projection"),
    "mlp.shared.down": _shared("down-projection"),
    "mlp.shared_gate": _shared_gate,
    "head": _head,
    "unembedding.projection": _unembedding_projection,
    "unembedding.token": _unembedding,
}
"""The sentences of a group, by the name of its weight."""
