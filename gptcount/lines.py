"""Lines: the table in which a family says what its checkpoints call each tensor, and what lies in it.

A line a tensor: the weights that it holds, its name, and its dimensions in words:

    attention.query          model.layers.{}.self_attn.q_proj    |, d_model
    attention.query+key+value    transformer.h.{}.attn.c_attn    d_model, |

Commas part the dimensions, a star multiplies, and ``|`` is whatever axes of a weight the other words do not name;
several weights are laid side by side there. ``{}`` counts copies: layers, then experts; ``{+1}`` counts layers from 1.
``@1,3`` behind the weights says that a line speaks of these layers alone. A weight's name ends in ``.weight``, its
bias in ``.bias``; ``[A|B]`` at the end of a name gives other endings. It knows no family and no model.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a table."""

    weights: tuple[str, ...]
    tensor: str
    endings: tuple[str, str]
    dimensions: tuple[tuple[str, ...], ...]
    first: int
    """The number of the first layer."""
    layers: frozenset[int]
    """The only layers that it speaks of; none where it speaks of all."""


@cache
def parsed(table: str) -> tuple[Line, ...]:
    """The lines of a table."""
    return tuple(_line(*text.split(None, 2)) for text in table.splitlines() if text.strip())


def _line(weights: str, tensor: str, dimensions: str = "") -> Line:
    weights, _, layers = weights.partition("@")
    first, *others = weights.split("+")
    name, bracket, ending = tensor.partition("[")
    plain, _, bias = ending.rstrip("]").partition("|")
    return Line(
        (first, *(".".join([*first.split(".")[: -1 - other.count(".")], other]) for other in others)),
        name.replace("{+1}", "{}"),
        (plain, bias) if bracket else (".weight", ".bias"),
        tuple(tuple(word.split("*")) for word in dimensions.replace(" ", "").split(",")) if dimensions else (),
        int("{+1}" in name),
        frozenset(map(int, filter(None, layers.split(",")))),
    )


def renamed(table: str, lines: str) -> str:
    """A table of tensor names with other lines, or further ones, for the weights that ``lines`` name."""
    others = {weight for line in parsed(lines) for weight in line.weights}
    kept = [text for text in table.splitlines() if text and others.isdisjoint(parsed(text)[0].weights)]
    return "\n".join(kept) + lines
