"""The colours of a model's parts, the same on a terminal, on a page and in a picture.

The one table of colours. Each stands at 3:1 or more against a white and against a dark page, and black text on it at
4.5:1 or more, so that one table serves both.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour as a terminal calls it, and as a page does."""

    terminal: str
    page: str


PALETTE = {
    "embedding": Colour("cyan", "#1793a5"),
    "attention": Colour("green", "#3c9a4a"),
    "mixer": Colour("bright_blue", "#5b86e5"),
    "mlp": Colour("yellow", "#b98a0e"),
    "unembedding": Colour("magenta", "#c25fb0"),
}
"""A colour for each of GROUPS."""

OTHER = Colour("", "#7f868d")
"""What is of no such part."""

LESS = Colour("", "#d1604d")
"""What is taken off."""

INK = "#000000"
"""Text on any of them."""


def page(part: str) -> str:
    """The colour of a part on a page."""
    return PALETTE.get(part, OTHER).page


def css(part: str) -> str:
    """The name that a style sheet has for the colour of a part."""
    return part if part in PALETTE else "other"
