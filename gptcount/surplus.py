"""Surplus: what lies in a checkpoint beside the model's own tensors, kind by kind, and how a name tells each.

It knows names alone. Whether a model lacks a tensor is judged in judged.py.
"""

from __future__ import annotations

import re
from math import prod
from typing import NamedTuple

MASK = "attention masks, stored as tensors"
ROTARY = "rotary tables, stored as tensors"
POSITIONS = "indices of positions, stored as tensors"
SCALE = "scales of 8-bit weights"
TABLES = "scales and tables of packed weights"
CACHE = "scales of cached keys and values"
TIED = "unembedding, stored although tied"
SHARED = "keys and values of layers that use an earlier layer's"
COPY = "a second copy, under other names"
ADAPTER = "an adapter that is not merged"
PREDICTION = "multi-token-prediction layers"
OTHER_PARTS = "other parts of a larger model"
BIASES = "biases of packed weights that the model has without"
EMPTY = "tensors without elements"
UNREAD = "packed in a way that headers do not tell"
LAYER = "surplus, in layers beyond the last"
UNKNOWN = "surplus, of no known kind"

KNOWN = (
    MASK, ROTARY, POSITIONS, SCALE, TABLES, CACHE, BIASES, TIED, SHARED, COPY, ADAPTER, PREDICTION, OTHER_PARTS, EMPTY,
)  # fmt: skip
"""The kinds that are no disagreement."""


class Pattern(NamedTuple):
    """A kind of surplus that a name tells, whatever the model."""

    kind: str
    name: re.Pattern[str]


BY_NAME = (
    Pattern(MASK, re.compile(r"\.(attn|attention|self_attention)(\.attention)?\.(bias|masked_bias|causal_mask)$")),
    Pattern(ROTARY, re.compile(r"\.(\w*inv_freq|\w*cos_cached|\w*sin_cached|attn\.embed_positions)$")),
    Pattern(ROTARY, re.compile(r"^(rope_freqs|rope_factors_(long|short)|rope\.freqs)(\.weight)?$")),
    Pattern(POSITIONS, re.compile(r"(^|\.)position_ids$")),
    Pattern(CACHE, re.compile(r"\.([qkv]|kv|prob)_scale$")),
    Pattern(PREDICTION, re.compile(r"(^|\.)(mtp|nextn)[._]")),
    Pattern(
        ADAPTER,
        re.compile(
            r"\.(lora_(A|B|embedding_A|embedding_B|magnitude_vector)|modules_to_save|ia3_l|vera_lambda_[bd]|"
            r"hada_w[12]_[ab]|lokr_(w1|w2|t2)(_[ab])?|oft_[rs]|boft_[rs])(\.|$)"
        ),
    ),
)

PREDICTING = re.compile(r"\.(eh_proj|enorm|hnorm)\.")
"""What a layer has that predicts a further token, and no other layer."""

ELSEWHERE = re.compile(
    r"vision|visual|image|video|audio|speech|multi_?modal|connector|projector|resampler|aligner|merger|perceiver|qformer|"
    r"(^|\.)(vit|mm_\w+|vpm|apm|tts|talker|code2wav|query_tokens|language_projection|view_separator|vqmodel|"
    r"generation_(head|aligner|embeddings)|protein_encoder)(\.|$)"
)
"""What a larger model has that is not its language model."""

LANGUAGE = re.compile(r"(^|\.)(language_model|text_model|language|thinker|llm)\.$")
"""How the names of a language model begin that is part of a larger model."""

HEADS = re.compile(r"(^|\.)(lm_head|v_head|value_head|score|classifier)\.")
"""What may stand outside the language model and is yet on top of it."""

GUESSES = (
    ("unembedding", re.compile(r"lm_head|embed_out|unembed|^output\.")),
    ("norm", re.compile(r"norm|(^|[._])ln(_|\.|$)")),
    ("attention", re.compile(r"attn|attention")),
    ("mlp", re.compile(r"mlp|ffn|feed_forward|expert|moe|(^|\.)fc\d|dense_")),
    ("embedding", re.compile(r"embed|embd|wte|wpe")),
)
"""The group that a name suggests."""


def named(name: str, shape: tuple[int, ...]) -> str:
    """The kind of surplus that a name tells; empty where it tells none. A mask is square, or one number."""
    square = prod(shape) == 1 or (len(shape) > 1 and shape[-1] == shape[-2])
    found = (kind for kind, pattern in BY_NAME if pattern.search(name) and (kind != MASK or square))
    return next(found, "")


def elsewhere(name: str, stem: str) -> bool:
    """Whether a name is of another part of a larger model than its language model, whose names begin with ``stem``."""
    part = LANGUAGE.search(stem)
    return bool(ELSEWHERE.search(name)) or (
        part is not None and not name.startswith(stem[: part.end()]) and not HEADS.search(name)
    )


def guessed(name: str) -> str:
    """The group that a name suggests, where no model says it."""
    return next((group for group, pattern in GUESSES if pattern.search(name)), "other")
