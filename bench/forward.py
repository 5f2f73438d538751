"""A forward pass of a GPT-2 of 124 M random weights over 64 tokens: ``python bench/forward.py gptcount|torch``.

Prints JSON: the median seconds of a pass, by the clock and of the processor. Leaves with code 1 where the library is
not installed.
"""

import json
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

N_TOKENS, RUNS = 64, 5


def gptcount() -> Callable[[], object]:
    """The pass through gptcount.reference, from a mapping of tensor names to arrays."""
    from itertools import product

    import numpy as np

    from gptcount import load
    from gptcount.reference import logits
    from gptcount.stored import tensors

    model, chance = load("gpt2"), np.random.default_rng(0)
    checkpoint = {
        tensor.name.format(*places): chance.standard_normal(tensor.shape, np.float32) * np.float32(0.02)
        for tensor in tensors(model)
        for places in product(*(axis.where or range(axis.n) for axis in tensor.indices))
    }
    tokens = chance.integers(0, model.n_vocab, (1, N_TOKENS))
    return lambda: logits(model, checkpoint, tokens)


def torch() -> Callable[[], object]:
    """The same through transformers, whose weights are random too."""
    try:
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        sys.exit(1)
    model = GPT2LMHeadModel(GPT2Config()).eval()
    tokens = torch.arange(N_TOKENS)[None] * 701
    return torch.no_grad()(lambda: model(tokens).logits)


def main(which: str) -> None:
    """Time the passes; the first only warms up."""
    run, clock, processor = {"gptcount": gptcount, "torch": torch}[which](), [], []
    run()
    for _ in range(RUNS):
        begin, used = perf_counter(), process_time()
        run()
        clock.append(perf_counter() - begin)
        processor.append(process_time() - used)
    print(json.dumps([median(clock), median(processor)]))


if __name__ == "__main__":
    main(sys.argv[1])
