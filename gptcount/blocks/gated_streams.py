"""Gated streams: several vectors flow for each token; a block reads a blend of them, gated number by number."""

from typing import Literal

from gptcount.blocks.block import Beside, Size
from gptcount.blocks.norm import Norm
from gptcount.weight import Inventory, linear


class GatedStreams(Beside):
    """Hyper-connections without mixing (Qwen4-Exp): each stream is normed, gated number by number through a bottleneck,
    and their mean is what a block reads; what it brings is written into each stream, as much as a matrix says."""

    kind: Literal["gated-streams"] = "gated-streams"
    n_streams: Size
    d_rank: Size
    """The width of the bottleneck through which the gates are made."""
    norm: Norm
    """Of each stream, with gains of its own; blocks have no norm beside it."""

    def of_layer(self) -> Inventory:
        """Those of what mixes tokens and of the MLP of a layer."""
        write = linear("write", "n_streams*d_model n_streams'")
        return ((self._read() + write).under("attention") + (self._read() + write).under("mlp")).bind(self.sizes())

    def of_model(self) -> Inventory:
        """Those that bring the streams together after the last layer."""
        return self._read().under("last").bind(self.sizes())

    def _read(self) -> Inventory:
        return (
            self.norm.across("n_streams*d_model").under("norm")
            + linear("down", "n_streams*d_model d_rank")
            + linear("gate", "d_rank n_streams*d_model")
        )
