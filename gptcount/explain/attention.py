"""Sentences about the matrices of attention, of every kind; they know nothing of MLPs."""

from __future__ import annotations

from gptcount.blocks.block_indexer import BlockIndexer
from gptcount.explain.facts import Facts, Sentences, each, said
from gptcount.numbers import count


def _query(facts: Facts) -> list[str]:
    n = facts.n
    heads = n["n_heads"]
    return [
        f"In each of the {heads} heads of a layer, the query matrix turns a token's {count(n['d_model'])} numbers into "
        f"{count(n['d_head'])}: what this token looks for among the others.",
        each(facts),
    ]


def _key_matrix(facts: Facts) -> list[str]:
    return [
        "The key matrix says what a token has to offer to those that look.",
        _shared_by(facts),
        "The keys are the values too: there is no value matrix." if facts.has("value_is_key") else "",
        *_pattern(facts),
    ]


def _pattern(facts: Facts) -> list[str]:
    n_ctx, heads = facts.n.get("n_ctx"), facts.n.get("n_heads", facts.n.get("n_kv_heads", 1))
    masked = (
        "a token sees those after it too"
        if facts.has("bidirectional")
        else "scores of later tokens are set to −∞ before the softmax, so that no token sees a later one"
    )
    every = all(layer.attention for layer in facts.ledger.architecture.layers())
    return [
        f"Query and key meet in a dot product, a score for each pair of tokens; {masked}, and the softmax makes of "
        "each token's scores a pattern that sums to 1.",
        f"The pattern has n_ctx² entries for each of {heads} heads and each layer{'' if every else ' with attention'}"
        f"{f' ({count(n_ctx)}² = {count(n_ctx**2)})' if n_ctx else ''}, which is why context is dear: twice the "
        "context is four times the pattern.",
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
    if "heads" in (getattr(facts.block, "gate_of", ""), getattr(facts.block, "gate", "")):
        return [
            f"The gate says for each of {count(facts.row.sizes[1])} heads how much of what it has gathered passes, "
            "from the vector of the token that looks.",
            each(facts),
        ]
    return [
        f"The gate says for each of the {count(facts.row.sizes[1])} numbers that a head has gathered how much of it "
        "passes, from the vector of the token that looks.",
        each(facts),
    ]


def _mixture_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"Each expert takes what it has gathered, {n['n_kv_heads']} × {n['d_head']} = "
        f"{count(n['n_kv_heads'] * n['d_head'])} numbers, back to {count(n['d_model'])}.",
        each(facts),
    ]


def _compressed_query(facts: Facts) -> list[str]:
    latent, d_head = facts.row.sizes
    return [
        f"Each of the {facts.n['n_heads']} heads of a layer makes its query, {count(d_head)} numbers, from the "
        f"{count(latent)} of the latent vector.",
        each(facts),
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
    several = "" if compressor.n_blocks == 1 else f", {compressor.n_blocks} of each a layer"
    return [
        f"{count(compressor.n_block)} neighbouring tokens get one key in common: this makes of every token's "
        f"{count(facts.row.sizes[0])} numbers {count(facts.row.sizes[1])} to blend{several}.",
        f"So the memory of a running model is {count(compressor.n_block)} times shorter.",
    ]


def _compressor_gate(facts: Facts) -> list[str]:
    return [f"The gate says, number by number, how much each token counts in the blend. {each(facts)}"]


def _output_down(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"What the heads have gathered is led out in {n['n_output_groups']} groups of {n['n_group_heads']} heads, each "
        f"from {count(facts.row.sizes[0])} numbers down to {count(facts.row.sizes[1])}.",
        each(facts),
    ]


def _compressed_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"The latent vectors of all groups, {n['n_output_groups']} × {count(n['d_output_latent'])} numbers, become "
        f"{count(n['d_model'])}, which are added to the token's vector.",
        each(facts),
    ]


def _index_query(facts: Facts) -> list[str]:
    n, indexer = facts.n, facts.block.indexer  # type: ignore[union-attr]
    blocks = f" blocks of {count(indexer.n_block)} tokens" if isinstance(indexer, BlockIndexer) else ""
    return [
        f"An indexer of {n['n_index_heads']} small heads scores what lies before a token, so that attention looks at "
        f"the {count(indexer.n_chosen)} best{blocks} only; this makes its queries, {n['d_index_head']} numbers a head.",
        each(facts),
    ]


def _index_key(facts: Facts) -> list[str]:
    return [f"A token has one key of {count(facts.row.sizes[1])} numbers for all heads of the indexer. {each(facts)}"]


def _pooled_query(facts: Facts) -> list[str]:
    n, indexer = facts.n, facts.block.pooled_indexer  # type: ignore[union-attr]
    return [
        f"An indexer of {n['n_index_heads']} small heads scores whole blocks of {count(indexer.n_block)} earlier "
        f"tokens by the means of their keys, so that attention looks at the {count(indexer.n_chosen)} best blocks "
        f"only; this makes its queries, {n['d_index_head']} numbers a head.",
        each(facts),
    ]


def _head_weight(facts: Facts) -> list[str]:
    return [
        f"One number for each of the {count(facts.row.sizes[1])} heads of the indexer says how much its score "
        f"counts. {each(facts)}"
    ]


def _latent_query(facts: Facts) -> list[str]:
    n = facts.n
    start = "d_query_latent" if "d_query_latent" in dict(facts.row.factors) else "d_model"
    return [
        f"Each of the {n['n_heads']} heads of a layer makes its query from {count(n[start])} numbers: {n['d_nope']} "
        f"that say what "
        "the token looks for, whatever the position.",
        each(facts),
    ]


def _query_rotary(facts: Facts) -> list[str]:
    told = "are rotated by the token's position: they say where to look"
    told = told if facts.has("rotary") else "meet the part of the key that all heads share"
    return [f"Beside them each head has {facts.n['d_rotary']} numbers that {told}. {each(facts)}"]


def _key_rotary(facts: Facts) -> list[str]:
    n = facts.n
    which = (
        f"{n['d_rotary']} rotated numbers of the key, which say where a token stands,"
        if facts.has("rotary")
        else f"{n['d_rotary']} further numbers of the key, which nothing rotates here,"
    )
    return [f"The {which} are one set for all {n['n_heads']} heads of a layer. {each(facts)}"]


def _latent_kv_down(facts: Facts) -> list[str]:
    n = facts.n
    wide = n["n_heads"] * (n["d_nope"] + n["d_value"])
    return [
        f"Keys and values of all {n['n_heads']} heads are made from one latent vector of {count(n['d_kv_latent'])} "
        f"numbers a token.",
        f"Only that, and the {'rotated' if facts.has('rotary') else 'shared part of the'} key, is remembered for each "
        f"token, in place of {n['n_heads']} × ({n['d_nope']} + {n['d_value']}) = {count(wide)} numbers: this is what "
        "latent attention is for.",
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
        f"{each(facts)} Straight from the token's {count(n['d_model'])} numbers one would be "
        f"{count(n['d_model'] * n['d_value'])}.",
    ]


def _latent_output(facts: Facts) -> list[str]:
    n = facts.n
    return [
        f"The value-ups take what the {n['n_heads']} heads of a layer have gathered, {n['n_heads']} × {n['d_value']} = "
        f"{count(n['n_heads'] * n['d_value'])} numbers, back to {count(n['d_model'])}, which are added to the "
        f"token's vector.",
        each(facts),
    ]


_QUERY_DOWN = said(
    "Latent attention takes the way to the queries in two steps: first down from {d_model} numbers to a latent vector "
    "of {d_query_latent}, one for all heads of a layer."
)

ATTENTION: dict[str, Sentences] = {
    "multi-head.query": _query,
    "multi-head.key": _key_matrix,
    "multi-head.value": _value,
    "multi-head.output": _output,
    "multi-head.gate": _attention_gate,
    "multi-head.worth": said(
        "Of the values of all {n_kv_heads} heads it makes what a token's are worth to each: that much is added to its "
        "scores, and only the tokens whose values are worth most are looked at."
    ),
    "multi-head.relative.query": said(
        "Each head of a token blends learned profiles of how much a distance counts; this matrix says, in "
        "{d_relative} numbers a head, how much of each profile."
    ),
    "multi-head.relative.profiles": said(
        "A profile has a number for each of the {n_distances} tokens that it reaches back; there are {d_relative} of "
        "them, the same for all heads of a layer."
    ),
    "cross.crossed.query": said(
        "Some layers look at what another part of the model brings, an image say: their query matrices turn a token's "
        "{d_model} numbers into the {d_head} that each of {n_heads} heads looks for there."
    ),
    "cross.crossed.key": said("The keys are made of what the other part brings, by {n_kv_heads} heads."),
    "cross.crossed.value": said("So are the values: what the other part passes on to the tokens that look at it."),
    "cross.crossed.output": said(
        "It takes what the {n_heads} heads have seen of the other part back to {d_model} numbers, which a gate lets "
        "into the token's vector."
    ),
    "attention-mixture.key": _key_matrix,
    "attention-mixture.value": _value,
    "attention-mixture.experts.query": said(
        "Queries belong to experts: each of {n_experts} has a query matrix for every one of {n_kv_heads} key and value "
        "heads, and a token looks through those of {n_experts_per_token} experts."
    ),
    "attention-mixture.experts.output": _mixture_output,
    "latent.query_down": _QUERY_DOWN,
    "latent.query": _latent_query,
    "latent.query_rotary": _query_rotary,
    "latent.kv_down": _latent_kv_down,
    "latent.key_rotary": _key_rotary,
    "latent.key": _latent_key,
    "latent.value": _latent_value,
    "latent.input_gate.down": said(
        "Of the token's {d_model} numbers attention reads as much as a gate lets through: a narrow MLP, first down to "
        "{d_input_gate} numbers."
    ),
    "latent.input_gate.up": said("The gate then has one number for each of {d_model}."),
    "latent.gate": _attention_gate,
    "latent.output": _latent_output,
    "compressed.query_down": _QUERY_DOWN,
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
    "pooled_indexer.query": _pooled_query,
    "pooled_indexer.key": _index_key,
}
"""The sentences of a group, by kind and name of its weight; those of an indexer are the same in every kind."""
