"""A model run at its true size on made-up numbers: every product is done, and counted as it is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from math import prod
from time import perf_counter
from typing import NamedTuple

import numpy as np

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.numbers import size
from gptcount.reference.functions import softmax
from gptcount.reference.model import forward, scored
from gptcount.reference.pool import Pool
from gptcount.reference.weights import Step, of_text
from gptcount.weight import Weight

N_TOKENS = 8
"""How many tokens go through the model."""

COPIES = 6
"""How often a block has its widest vectors at once: what goes in, what comes out, and what is made between."""


class FullRun(NamedTuple):
    """What a run at true size did."""

    model: str
    n_tokens: int
    matrices: int
    """Matrices multiplied by; of experts, those that a token chose."""
    parameters: int
    """The numbers in them."""
    products: tuple[tuple[int, int, int], ...]
    """Every product of a matrix: rows of what goes in, what is summed over, what comes out."""
    seconds: float
    total_probability: float | None
    """None of a model that does not score tokens."""
    peak: int
    """The most memory that the process has had, in bytes."""


def run(
    architecture: Architecture,
    temperature: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    n_tokens: int = N_TOKENS,
) -> FullRun:
    """Run ``n_tokens`` through the model at its true size; ``progress`` is told of each layer done, and of how many.

    Raises InputError where that needs more memory than the machine has.
    """
    n_tokens = min(n_tokens, architecture.n_ctx or n_tokens)
    if (needed := memory_of(architecture, n_tokens)) > (there := memory()):
        raise InputError(
            f"{shown(architecture.name)}: --full would need about {size(needed)} of memory, and there are {size(there)}"
        )
    steps: list[Step] = []
    source = Pool(architecture)
    w = of_text(architecture, source, n_tokens, steps.append)
    begin = perf_counter()
    tokens = np.arange(n_tokens) * 1009 % architecture.n_vocab
    vectors = forward(architecture, tokens, w, progress)
    scores = scored(architecture, vectors[-1], w).get("tokens")
    probability = None if scores is None else float(softmax(scores, temperature).sum(dtype=np.float64))
    seconds = perf_counter() - begin

    matrices = parameters = 0
    counted: set[tuple[str, int | None]] = set()
    for step in steps:
        if source.is_matrix(step.weight, step.layer) and (step.weight, step.layer) not in counted:
            sizes = [prod(step.sizes[word.rstrip("'")] for word in dimension) for dimension in step.weight_words]
            matrices += prod(sizes[:-2])
            parameters += prod(sizes)
            if not step.copies:  # what several layers share is stored once; of experts, each step has its own
                counted.add((step.weight, step.layer))
    products = tuple(source.products)
    return FullRun(architecture.name, n_tokens, matrices, parameters, products, seconds, probability, peak_memory())


def memory_of(architecture: Architecture, n_tokens: int = N_TOKENS) -> int:
    """About how many bytes a run needs: the widest that comes out of a weight, in as many copies as a block makes of
    it."""

    def numbers(weight: Weight) -> int:
        copies = (axis.n for axis in weight.per if axis.name != "n_layers" and not axis.chosen)
        rows = 1 if weight.name == "unembedding.token" else n_tokens
        return rows * prod(copies) * max(weight.sizes[-1:], default=1)

    return 4 * COPIES * max(map(numbers, architecture.inventory()))


def memory() -> int:
    """How many bytes of memory there are for this process; more than any, where the system does not tell."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, ValueError, OSError, AttributeError):
        return sys.maxsize
    return there if limit == resource.RLIM_INFINITY else min(there, limit)


def peak_memory() -> int:
    """The most memory that this process has had, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
