"""Sentences about what stands around attention and MLPs: tables, streams, branches, and how the model ends."""

from __future__ import annotations

from gptcount.explain.facts import Facts, Sentences, each, said
from gptcount.numbers import count


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
        each(facts),
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
        f"{count(facts.row.sizes[1])}. {each(facts)}"
    ]


_READ = "{{n_streams}} vectors flow for each token; of all their numbers it makes {{n_streams}}: how much of each {}."
_WRITE = "It makes {{n_streams}} numbers: how much of what {} brings is added to each vector."
_MIX = "It makes {{n_streams}} × {{n_streams}} numbers: how the vectors themselves are mixed at {}."
_DOWN = "{{n_streams}} vectors flow for each token; to gate what {} reads, they become {{d_rank}} numbers first."
_GATE = "Of the {d_rank} numbers it makes a gate for each number of the {n_streams} vectors, whose mean is then read."

AROUND: dict[str, Sentences] = {
    "embedding.token": _embedding,
    "embedding.more": said("A second table has rows for {n_more} further tokens, which are read and never scored."),
    "embedding.projection": _embedding_projection,
    "per_layer_embedding.token": said(
        "Every layer has a table of its own, looked up by token: {d_per_layer} numbers for each of {n_vocab_per_layer} "
        "tokens."
    ),
    "per_layer_embedding.projection": said(
        "What a layer looks up is added to what this makes of the embedding: {d_per_layer} numbers for each layer."
    ),
    "per_layer_embedding.gate": said(
        "Of the token's vector it makes {d_per_layer} valves for what the layer looks up."
    ),
    "per_layer_embedding.output": said("It takes the {d_per_layer} numbers that pass back to {d_model}."),
    "streams.split": said("{n_streams} vectors flow for each token, not one; this makes the others of the embedding."),
    "streams.router": said("For each token it says how the {n_streams} vectors are blended in this layer."),
    "streams.predict": said("It says what each vector would become of all {n_streams}, before the layer works on one."),
    "streams.correct": said(
        "It says how much of what the layer has changed in one vector goes to each of {n_streams}."
    ),
    "streams.join": said("After the last layer it brings the other vectors together with the first of {n_streams}."),
    "hyper-connections.attention.read": said(_READ.format("attention reads")),
    "hyper-connections.attention.write": said(_WRITE.format("attention")),
    "hyper-connections.attention.mix": said(_MIX.format("attention")),
    "hyper-connections.mlp.read": said(_READ.format("the MLP reads")),
    "hyper-connections.mlp.write": said(_WRITE.format("the MLP")),
    "hyper-connections.mlp.mix": said(_MIX.format("the MLP")),
    "hyper-connections.last.read": said(_READ.format("the unembedding reads")),
    "gated-streams.attention.down": said(_DOWN.format("what mixes tokens")),
    "gated-streams.attention.gate": said(_GATE),
    "gated-streams.attention.write": said(_WRITE.format("what mixes tokens")),
    "gated-streams.mlp.down": said(_DOWN.format("the MLP")),
    "gated-streams.mlp.gate": said(_GATE),
    "gated-streams.mlp.write": said(_WRITE.format("the MLP")),
    "gated-streams.last.down": said(_DOWN.format("the unembedding")),
    "gated-streams.last.gate": said(_GATE),
    "laurel.down": said("Beside attention a branch of low rank adds to the vector: first down to {d_rank} numbers."),
    "laurel.up": said("The branch of low rank then goes from {d_rank} numbers back to {d_model}."),
    "head": _head,
    "unembedding.projection": _unembedding_projection,
    "unembedding.token": _unembedding,
}
"""The sentences of a group, by the name of its weight."""
