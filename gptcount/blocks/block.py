"""What every block of a specification is: strict, closed, frozen fields, and an inventory that binds its sizes.

However a block is made or changed in Python, it is checked as a file is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError, model_validator

from gptcount import settings
from gptcount.blocks import size
from gptcount.errors import shown
from gptcount.faults import checked, refusal
from gptcount.weight import NOTHING, Inventory

Size = size.Size

Real = Annotated[float, Field(allow_inf_nan=False, gt=-1e30, lt=1e30)]
"""A finite number, written with or without a decimal point; it changes what is computed and no count."""

Positive = Annotated[float, Field(allow_inf_nan=False, gt=0, lt=1e30)]
"""A finite number above 0."""

NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0, lt=1e30)]
"""A finite number of at least 0."""


def _only_false(value: object) -> object:
    if value is not False:  # 0 would do for a Literal
        raise ValueError("expected false")
    return value


Absent = Annotated[Literal[False], BeforeValidator(_only_false)]
"""There is none of what may stand here."""

Name = TypeVar("Name")
Names = Annotated[tuple[Name, ...], Strict(False)]
"""A list of some of the names of a ``Literal``."""


def allowed(*unless: tuple[object, str]) -> None:
    """Raises ValueError with the reason that stands beside the first condition that is true."""
    for wrong, why in unless:
        if wrong:
            raise ValueError(why)


class Block(BaseModel):
    """A part of a specification. The sizes among its fields are those that its inventory binds, each under its name.

    Made in Python with what is no specification, it raises InputError, one line per problem.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as faults:
            raise refusal(faults, type(self), data, type(self).__name__) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # a block inside another is validated with it

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Plain data as a block. Raises InputError as the class itself does."""
        return checked(cls, obj, cls.__name__)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with an update, ``changed``."""
        return self.changed(**update) if update else super().model_copy(deep=deep)

    def changed(self, /, *texts: str, **values: Any) -> Self:
        """The same with some keys set, checked as a file is: ``changed(n_layers=48)``.

        A dot leads into a block, ``changed(**{"attention.n_kv_heads": 8})``; a text, ``"attention.n_kv_heads=8"``, has
        its value as TOML writes it. Raises InputError, one line per problem.
        """
        if not texts and not values:
            return self
        origin = f"{shown(getattr(self, 'name', type(self).__name__))} with {settings.said(texts, values)}"
        changes = [*(settings.read(text, origin) for text in texts), *values.items()]
        data = self._kept({key.partition(".")[0] for key, _ in changes})
        for key, value in changes:
            settings.put(data, key, _data(value), origin)
        return checked(type(self), data, origin)

    def _kept(self, changed: Iterable[str]) -> dict[str, Any]:  # noqa: ARG002 - for those that override it
        """What remains of the plain data where some keys change."""
        return self.plain()

    def plain(self) -> dict[str, Any]:
        """The specification as plain data, with the keys that are not at their defaults."""
        return {
            name: _data(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if name == "kind" or field.is_required() or getattr(self, name) != field.get_default()
        }

    def weights(self) -> Inventory:
        """The weights in words, sizes not yet bound. A block without weights has none."""
        return NOTHING

    def inventory(self) -> Inventory:
        """The weights, bound to the sizes that this block knows; the blocks around it bind the others."""
        return self.weights().bind(self.sizes())

    def turned(self) -> list[tuple[Any, int, str]]:
        """What rotary positions turn: the positions, the width of the vectors, and its name. Most blocks have none."""
        return []

    def sizes(self) -> dict[str, int]:
        """The sizes that this block gives a name, and how often one is in another where that has a name too."""
        found = {}
        for name, declarations in size.declared(type(self)).items():
            if type(value := getattr(self, name)) is int:
                found[name] = value
                for one in declarations:
                    if isinstance(one, size.Multiple) and one.quotient and (of := getattr(self, one.of)):
                        found[one.quotient] = value // of
        return found

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        for misfit in size.misfits(self):
            raise ValueError(misfit)
        return self


def _data(value: Any) -> Any:
    if isinstance(value, Block):
        return value.plain()
    return [_data(item) for item in value] if isinstance(value, tuple) else value


class Beside(Block):
    """A block that stands beside the attention and the MLP of every layer, and perhaps beside all layers too."""

    def of_layer(self) -> Inventory:
        """The weights of one layer."""
        return self.inventory()

    def of_model(self) -> Inventory:
        """The weights that stand beside all layers."""
        return NOTHING
