"""How an account shows itself, in a notebook and on a terminal: whoever draws is made known here, and asked.

It knows no account and no format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Draw = Callable[[Any, str], Any]
"""Draws an account, as ``html``, for a terminal (``rich``) or as a ``plot``."""

_known: list[Draw] = []


def drawn_by(draw: Draw) -> None:
    """Make known who draws."""
    _known[:] = [draw]


def drawn(account: Any, form: str) -> Any:
    """An account in one of the forms."""
    return _known[0](account, form)


def as_html(self: Any) -> str:
    """An account as HTML, as notebooks ask for it."""
    return str(drawn(self, "html"))


def as_rich(self: Any) -> Any:
    """An account as rich asks for it."""
    return drawn(self, "rich")
