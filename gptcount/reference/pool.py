"""Weights of any size out of one small pool of numbers, so that a model runs at its true size on a laptop.

A matrix that is larger than the pool is multiplied block by block, each block a view into the pool: every product is
done, at its true size, and only the numbers are made up. It knows sizes and no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from gptcount.architecture import Architecture
from gptcount.errors import ShapeError
from gptcount.reference.words import Array
from gptcount.weight import Inventory, Weight

POOL = 1 << 22
"""Numbers in the pool: 16 MiB of float32, so that it stays near the processor."""


Product = tuple[int, int, int]
"""A product that was done: the rows that go in, how many numbers are summed over, and how many come out."""


class Pool:
    """Hands out the weights of an inventory by name, layer and copy, all of them made of the same few numbers."""

    def __init__(self, architecture: Architecture, seed: int = 0) -> None:
        self.numbers = np.random.default_rng(seed).standard_normal(POOL, np.float32)
        self.numbers *= np.float32(architecture.d_model**-0.5)
        self.products: list[Product] = []
        self.weights: dict[tuple[str, int | None], Weight] = {}
        inventory: Inventory = architecture.inventory()
        for weight in inventory:
            layered = bool(weight.per) and weight.per[0].name == "n_layers"
            for layer in (weight.per[0].where or range(weight.per[0].n)) if layered else (None,):
                self.weights[weight.name, layer] = weight

    def __call__(self, name: str, layer: int | None, copy: int | None) -> Any:
        """The array of a weight. Raises ShapeError where the inventory has none."""
        if (name, layer) not in self.weights:
            raise ShapeError(f"{name}: the forward pass needs it and the inventory has none")
        weight = self.weights[name, layer]
        per = [axis.n for axis in weight.per[(layer is not None) + (copy is not None) :]]
        shape = (*per, *weight.sizes)
        if weight.role in ("matrix", "position"):
            return Blocks(self.numbers, shape, self.products)
        n = prod(shape)
        return (self.numbers[:n] if n <= len(self.numbers) else np.resize(self.numbers, n)).reshape(shape)

    def is_matrix(self, name: str, layer: int | None) -> bool:
        """Whether a weight is a matrix of the flow."""
        return (name, layer) in self.weights and self.weights[name, layer].role == "matrix"


class Blocks:
    """An array of made-up numbers that takes no memory: it can be turned, looked up in, and multiplied by."""

    __array_ufunc__ = None

    def __init__(self, numbers: Array, shape: Sequence[int], products: list[Product]) -> None:
        self.numbers, self.shape, self.products = numbers, tuple(shape), products

    def reshape(self, shape: Sequence[int]) -> Blocks:
        """The same numbers in another shape."""
        if prod(shape) != prod(self.shape):
            raise ShapeError(f"{self.shape} cannot be made {tuple(shape)}")
        return Blocks(self.numbers, shape, self.products)

    def transpose(self, order: Sequence[int]) -> Blocks:
        """Its axes in another order."""
        return Blocks(self.numbers, [self.shape[place] for place in order], self.products)

    def __getitem__(self, rows: Array) -> Array:
        """These rows of a table, (n, width)."""
        width = self.shape[1]
        starts = np.asarray(rows) * 7919 % max(len(self.numbers) - width, 1)
        return self.numbers[(starts[:, None] + np.arange(width)) % len(self.numbers)]

    def __rmatmul__(self, x: Array) -> Array:
        """x (..., n) times this (n, m), block by block; of several matrices (k, n, m), each times its own of x."""
        if len(self.shape) == 3:
            return np.stack([part @ Blocks(self.numbers, self.shape[1:], self.products) for part in x])
        n, m = self.shape
        self.products.append((prod(x.shape[:-1]), n, m))
        wide = min(m, len(self.numbers))
        high = max(len(self.numbers) // wide, 1)
        result = np.zeros((*x.shape[:-1], m), np.float32)
        for left in range(0, m, wide):
            columns = min(wide, m - left)
            for top in range(0, n, high):
                rows = min(high, n - top)
                block = self.numbers[: rows * columns].reshape(rows, columns)
                result[..., left : left + columns] += x[..., top : top + rows] @ block
        return result
