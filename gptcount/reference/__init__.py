"""What is done: the forward pass in NumPy, one file per kind of block, and the bench where it meets the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from math import inf
from pathlib import Path
from sys import maxsize
from typing import Any

import numpy as np

from gptcount.architecture import Architecture
from gptcount.blocks.attention import Rotary
from gptcount.errors import InputError, shown
from gptcount.reference.arrays import Arrays
from gptcount.reference.checkpoint import Checkpoint
from gptcount.reference.functions import softmax
from gptcount.reference.model import forward, scored
from gptcount.reference.weights import of_text
from gptcount.reference.words import Array


def __getattr__(name: str) -> Any:
    if name in ("full", "real"):  # they build on this module, and come with their first use
        return import_module(f"gptcount.reference.{name}")
    raise AttributeError(f"module 'gptcount.reference' has no attribute {name!r}")


def logits(architecture: Architecture, checkpoint: str | Path | Mapping[str, Array], tokens: Array) -> Array:
    """What the model says after each token: its scores of the next token or, of a classifier, those of the labels.

    ``checkpoint`` is a path to a safetensors file, to a sharded index or to a folder that holds one, or a mapping from
    the checkpoint's tensor names to arrays; ``tokens`` are integers (n_sequences, n_tokens). Gives float32 logits
    (n_sequences, n_tokens, n_vocab), or (n_sequences, n_tokens, n_labels): what a classifier says of a whole sequence
    stands at its last token. Raises GptCountError where tokens or tensors cannot be used, or where the model ends
    without scores."""
    kind = scores_of(architecture)
    tokens = checked(architecture, tokens)
    source = opened(architecture, checkpoint)
    found = []
    for sequence in tokens:
        w = of_text(architecture, source, len(sequence))
        found.append(finite(architecture, scored(architecture, forward(architecture, sequence, w), w)[kind]))
    return np.stack(found)


def generate(
    architecture: Architecture,
    checkpoint: str | Path | Mapping[str, Array],
    tokens: Array,
    n_new: int,
    temperature: float = 1.0,
    seed: int = 0,
) -> Array:
    """Go on where ``tokens``, integers (n_tokens,), end: the last vector gives the probabilities of the next token, one
    is drawn, and again, ``n_new`` times. At temperature 0 it is always the most probable. Gives all tokens, old and
    new. Raises GptCountError as ``logits`` does, and where the context is too short."""
    if not (isinstance(n_new, int) and isinstance(temperature, int | float)) or n_new < 0 or not 0 <= temperature < inf:
        raise InputError(f"n_new = {shown(n_new)}, temperature = {shown(temperature)}: expected numbers of at least 0")
    if not architecture.unembedding:
        raise InputError(f"{shown(architecture.name)}: it has no unembedding, so there is no next token")
    source, chance = opened(architecture, checkpoint), np.random.default_rng(seed)
    text = checked(architecture, [tokens])[0]
    for _ in range(n_new):
        checked(architecture, text[None])
        w = of_text(architecture, source, len(text))
        scores = scored(architecture, forward(architecture, text, w)[-1], w)["tokens"]
        scores = finite(architecture, scores).astype(np.float64)
        drawn = chance.choice(len(scores), p=softmax(scores, temperature)) if temperature else scores.argmax()
        text = np.append(text, drawn)
    whole: Array = text
    return whole


def finite(architecture: Architecture, scores: Array) -> Array:
    """The scores, if they are numbers. Raises InputError where they are not, and so nothing was computed."""
    if not np.isfinite(scores).all():
        raise InputError(f"{shown(architecture.name)}: with these weights the forward pass goes beyond float32")
    return scores


def scores_of(architecture: Architecture) -> str:
    """What the model scores: ``tokens``, or else ``labels``. Raises InputError where it ends without scores."""
    if not architecture.unembedding and not architecture.head:
        raise InputError(f"{shown(architecture.name)}: it ends with vectors (no unembedding and no head): no logits")
    return "tokens" if architecture.unembedding else "labels"


def opened(architecture: Architecture, checkpoint: str | Path | Mapping[str, Array]) -> Checkpoint:
    """The weights of a checkpoint, ready to be drawn. Raises InputError where its files cannot be used."""
    if not isinstance(checkpoint, str | Path | Mapping):
        raise InputError(f"{shown(checkpoint)}: expected a path, or a mapping from tensor names to arrays")
    return Checkpoint(architecture, checkpoint if isinstance(checkpoint, Mapping) else Arrays(Path(checkpoint)))


def checked(architecture: Architecture, said: Any) -> Array:
    """The tokens, if the model can take them. Raises InputError where not."""
    try:
        tokens: Array = np.asarray(said)
    except (ValueError, TypeError):  # sequences of different lengths
        raise InputError("tokens: expected integers of shape (n_sequences, n_tokens), each sequence as long") from None
    if tokens.ndim != 2 or tokens.size == 0 or not np.issubdtype(tokens.dtype, np.integer):
        raise InputError("tokens: expected integers of shape (n_sequences, n_tokens)")
    rows = (architecture.embedding.n_embedded or architecture.n_vocab) + (architecture.embedding.n_more or 0)
    if tokens.min() < 0 or tokens.max() >= rows:
        raise InputError(f"tokens: expected numbers from 0 to {rows - 1}")
    if tokens.shape[1] > longest(architecture):
        raise InputError(f"tokens: {tokens.shape[1]} are more than the context, n_ctx = {longest(architecture)}")
    return tokens


def longest(architecture: Architecture) -> int:
    """The most tokens that the model takes: its context, stretched where its rotary positions grow with the text."""
    n_ctx = architecture.n_ctx or maxsize
    rotary = getattr(architecture.attention, "rotary", None)
    scaling = rotary.scaling if isinstance(rotary, Rotary) else None
    grows = scaling is not None and scaling.kind == "dynamic"
    return int(n_ctx * (scaling.factor or 1)) if scaling and grows else n_ctx
