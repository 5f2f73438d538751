"""A model run at its true size, against the bare products of the same matrices: ``python bench/true_size.py MODEL``.

Prints JSON; progress goes to stderr.
"""

import json
import sys
from time import perf_counter, process_time

import numpy as np

from gptcount import load
from gptcount.reference.full import peak_memory, run
from gptcount.reference.pool import POOL, Product


def bare(products: tuple[Product, ...]) -> None:
    """``x @ W`` for each product, W cut into blocks of the pool as the run cuts it, and nothing else."""
    numbers = np.random.default_rng(0).standard_normal(POOL, np.float32)
    for done, (rows, n, m) in enumerate(products, 1):
        x, wide = np.ones((rows, n), np.float32), min(m, POOL)
        high = POOL // wide
        for left in range(0, m, wide):
            for top in range(0, n, high):
                block = numbers[: min(high, n - top) * min(wide, m - left)].reshape(min(high, n - top), -1)
                x[:, top : top + high] @ block
        progress("bare products", done, len(products))


def progress(what: str, done: int, of: int) -> None:
    """Tell stderr, at each tenth."""
    if done * 10 // of > (done - 1) * 10 // of:
        print(f"{what}: {done * 100 // of} %", file=sys.stderr, flush=True)


def main(name: str) -> None:
    """Run both, one after the other."""
    clock, processor = perf_counter(), process_time()
    found = run(load(name), progress=lambda done, of: progress(f"{name} at its true size, layers", done, of))
    whole = (perf_counter() - clock, process_time() - processor)
    memory = peak_memory()
    clock, processor = perf_counter(), process_time()
    bare(found.products)
    products = (perf_counter() - clock, process_time() - processor)
    print(json.dumps({"whole": whole, "products": products, "peak": memory, "parameters": found.parameters}))


if __name__ == "__main__":
    main(sys.argv[1])
