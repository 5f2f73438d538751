"""Hyper-connections: several vectors flow for each token; each block reads a blend of them and writes into all."""

from typing import Annotated, Literal

from pydantic import Field

from gptcount.blocks.block import Beside, Real, Size
from gptcount.weight import Inventory, linear, weight


class HyperConnections(Beside):
    """Hyper-connections (Zhu et al. 2024, arXiv:2409.19606) whose mixing matrix is made doubly stochastic
    (arXiv:2512.24880; DeepSeek-V4): what a block reads, what it writes, and how the streams are mixed."""

    kind: Literal["hyper-connections"] = "hyper-connections"
    n_streams: Size
    n_iterations: Annotated[int, Field(gt=0, le=1_000_000_000)] = 20
    """How often rows and columns of the mixing matrix are made to sum to 1."""
    eps: Real = 1e-6

    def of_layer(self) -> Inventory:
        """Those of the attention and of the MLP of a layer."""
        parts = self._part("read", "n_streams'") + self._part("write", "n_streams'")
        parts += self._part("mix", "n_streams'*n_streams''")
        return (parts.under("attention") + parts.under("mlp")).bind(self.sizes())

    def of_model(self) -> Inventory:
        """Those that bring the streams together after the last layer."""
        return self._part("read", "n_streams'").under("last").bind(self.sizes())

    def _part(self, name: str, words: str) -> Inventory:
        return linear(name, f"n_streams*d_model {words}", bias=True) + weight(f"{name}.scale", "", "other")
