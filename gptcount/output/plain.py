"""Text for a pipe, a file or a chat: no colour, no bars, natural width. It needs nothing but the layout."""

from __future__ import annotations

from collections.abc import Iterable

from gptcount.output.layout import joined, lines
from gptcount.output.table import Part


def render(parts: Iterable[Part]) -> str:
    """All parts as plain text."""
    return joined(lines(parts))
