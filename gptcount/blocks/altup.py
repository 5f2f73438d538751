"""Alternating updates: several vectors flow for each token; a layer works on one and predicts the others."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gptcount.blocks.block import Beside, Size, allowed
from gptcount.blocks.norm import Norm
from gptcount.weight import Inventory, linear, per, weight


class AltUp(Beside):
    """AltUp (Baykal et al. 2023, arXiv:2301.13310), as Gemma 3n has it: of ``n_streams`` vectors one is active."""

    kind: Literal["altup"] = "altup"
    n_streams: Size
    active: Annotated[int, Field(ge=0)] = 0
    """Which of them a layer works on, from 0."""
    scaled: bool = True
    """What the layer brings is scaled, number by number, before it meets the per-layer embedding; the gains are
    stored either way."""
    norm: Norm

    @model_validator(mode="after")
    def _one_is_active(self) -> "AltUp":
        allowed(
            (self.n_streams < 2, "n_streams: at least two vectors flow"),
            (self.active >= self.n_streams, f"active = {self.active} is none of n_streams = {self.n_streams}"),
        )
        return self

    def sizes(self) -> dict[str, int]:
        """The streams, and those that are not the embedding itself."""
        return super().sizes() | {"n_other_streams": self.n_streams - 1}

    def of_model(self) -> Inventory:
        """The weights that make the other streams of the embedding, and those that bring them together at the end."""
        return per("n_other_streams", linear("split", "d_model d_model'") + linear("join", "d_model d_model'")).bind(
            self.sizes()
        )

    def weights(self) -> Inventory:
        """Those of one layer."""
        return (
            self.norm.across("d_model").under("router_norm")
            + linear("router", "d_model n_streams")
            + linear("predict", "n_streams n_streams'*n_streams''")
            + linear("correct", "n_streams n_streams'")
            + weight("scale", "d_model", "other")
        )
