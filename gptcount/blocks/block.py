"""What every block of a specification is: strict, closed, frozen fields, and an inventory that binds its sizes."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict

from gptcount.weight import NOTHING, Inventory

Size = Annotated[int, Field(gt=0, le=1_000_000_000)]
"""A size that a person can mean: 1 to 1,000,000,000."""

Real = Annotated[float, Field(allow_inf_nan=False, gt=-1e30, lt=1e30)]
"""A finite number, written with or without a decimal point; it changes what is computed and no count."""

Positive = Annotated[float, Field(allow_inf_nan=False, gt=0, lt=1e30)]
"""A finite number above 0."""

NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1e30)]
"""A finite number of at least 0."""


Name = TypeVar("Name")
Names = Annotated[tuple[Name, ...], Strict(False)]
"""A list of some of the names of a ``Literal``."""


def allowed(*unless: tuple[object, str]) -> None:
    """Raises ValueError with the reason that stands beside the first condition that is true."""
    for wrong, why in unless:
        if wrong:
            raise ValueError(why)


class Block(BaseModel):
    """A part of a specification. Its integer fields are the sizes that its inventory binds, each under its own name."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    def weights(self) -> Inventory:
        """The weights in words, sizes not yet bound. A block without weights has none."""
        return NOTHING

    def inventory(self) -> Inventory:
        """The weights, bound to the sizes that this block knows; the blocks around it bind the others."""
        return self.weights().bind(self.sizes())

    def sizes(self) -> dict[str, int]:
        """The sizes that this block gives a name."""
        return {name: value for name, value in self.__dict__.items() if type(value) is int}


class Beside(Block):
    """A block that stands beside the attention and the MLP of every layer, and perhaps beside all layers too."""

    def of_layer(self) -> Inventory:
        """The weights of one layer."""
        return self.inventory()

    def of_model(self) -> Inventory:
        """The weights that stand beside all layers."""
        return NOTHING
