"""A model run on the weights of its checkpoint: which tensors it used, and what it says comes next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gptcount.architecture import Architecture
from gptcount.reference import checked, finite, opened
from gptcount.reference.functions import softmax
from gptcount.reference.model import forward, scored
from gptcount.reference.weights import of_text

BEST = 5
"""How many of the most probable tokens are told."""

WITHOUT_TOKENS = 8
"""How many tokens are made up where none are given."""


class RealRun(NamedTuple):
    """What a run on real weights did. ``surplus`` are tensors of the file that the model did not use."""

    model: str
    tokens: tuple[int, ...]
    n_used: int
    surplus: tuple[str, ...]
    best: tuple[tuple[int, float], ...]
    """The most probable next tokens, or labels, each with its probability; none where the model ends without scores."""
    scores: str = "tokens"
    """What is scored: ``tokens`` or ``labels``, or nothing."""


def run(
    architecture: Architecture, checkpoint: Path, tokens: Sequence[int] | None = None, temperature: float = 1.0
) -> RealRun:
    """Run the model on its checkpoint, for ``tokens`` or made-up ones.

    Raises GptCountError where a tensor is missing, misshapen or not a plain number, or a token is none of the model's.
    """
    made_up = np.arange(min(WITHOUT_TOKENS, architecture.n_ctx or WITHOUT_TOKENS)) * 1009 % architecture.n_vocab
    text = checked(architecture, np.asarray([made_up if tokens is None else tokens]))[0]
    source = opened(architecture, checkpoint)
    w = of_text(architecture, source, len(text))
    scores = scored(architecture, forward(architecture, text, w)[-1], w)
    kind = next(iter(scores), "")
    probabilities = softmax(finite(architecture, scores[kind]).astype(np.float64), temperature) if kind else np.empty(0)
    best = np.argsort(-probabilities, kind="stable")[:BEST]
    surplus = tuple(sorted(source.unused()))
    found = tuple((int(token), float(probabilities[token])) for token in best)
    return RealRun(architecture.name, tuple(map(int, text)), len(source.drawn), surplus, found, kind)
