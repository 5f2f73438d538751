"""Sizes: what a field of a specification is annotated with where it is one, and what it depends on, declared once.

Validation reads these declarations, and so does the small likeness of a model; neither knows a size by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import BaseModel, Field


class Mark(NamedTuple):
    """What an integer is annotated with that is a size."""


Size = Annotated[int, Field(gt=0, le=1_000_000_000), Mark()]
"""A size that a person can mean: 1 to 1,000,000,000."""


class Multiple(NamedTuple):
    """A multiple of another size, where there is that other; ``quotient`` names how many times it is in it."""

    of: str
    quotient: str = ""


class AtLeast(NamedTuple):
    """Not less than another size: of this block, of a block in it (``rotary.d_rotary``) or of the model."""

    of: str


class Even(NamedTuple):
    """In a likeness it is even, or is where another field says something. A count needs it not: the forward pass says
    so where it does."""

    where: str = ""


class Spare(NamedTuple):
    """In a likeness it is more than the product of others, so that a choice leaves something over."""

    of: tuple[str, ...]


class Few(NamedTuple):
    """No axis but a number of parts: 1 stays 1, and in a likeness more are 2."""


class Wide(NamedTuple):
    """A width that little is multiplied by: a likeness of many sizes leaves the smaller numbers to others."""


class Tokens(NamedTuple):
    """Counted in tokens: a text of the likeness is longer than it."""


Declaration = Multiple | AtLeast | Even | Spare | Few | Wide | Tokens


@cache
def declared(block: type[BaseModel]) -> dict[str, tuple[Declaration, ...]]:
    """The sizes of a kind of block, each with what is declared of it, those first that others depend on."""
    left = {
        name: tuple(one for one in field.metadata if isinstance(one, Declaration))
        for name, field in block.model_fields.items()
        if _is_size(field.annotation, field.metadata)
    }
    ordered: dict[str, tuple[Declaration, ...]] = {}
    while left:
        ready = [name for name, of in left.items() if not left.keys() & set(_needed(of)) - {name}] or list(left)
        ordered |= {name: left.pop(name) for name in ready}
    return ordered


def _is_size(annotation: Any, metadata: Any = ()) -> bool:
    return any(isinstance(one, Mark) for one in metadata) or any(
        _is_size(inner, getattr(inner, "__metadata__", ())) for inner in get_args(annotation)
    )


def _needed(declarations: tuple[Declaration, ...]) -> Iterator[str]:
    for one in declarations:
        if isinstance(one, Multiple | AtLeast):
            yield one.of
        elif isinstance(one, Spare):
            yield from one.of


def at(block: Any, path: str) -> Any:
    """What stands under a dotted path in a block; None where the path leads nowhere."""
    for word in path.split("."):
        block = block.get(word) if isinstance(block, dict) else getattr(block, word, None)
    return block


def misfits(block: BaseModel) -> Iterator[str]:
    """Each declared dependence that the sizes of a block do not have, in words."""
    for name, declarations in declared(type(block)).items():
        size = getattr(block, name)
        for one in declarations if type(size) is int else ():
            other = at(block, one.of) if isinstance(one, Multiple | AtLeast) else None
            if type(other) is not int:
                continue
            if isinstance(one, Multiple) and size % other:
                yield f"{name} = {size} is not a multiple of {one.of} = {other}"
            if isinstance(one, AtLeast) and size < other:
                yield f"{name} = {size} is less than {one.of} = {other}"
