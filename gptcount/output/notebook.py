"""What an account shows of itself in a notebook or by rich: which parts, by the name of its class."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PARTS = {
    "Architecture": ("tables", "specification"),
    "Ledger": ("tables", "breakdown"),
    "Comparison": ("tables", "comparison"),
    "Flops": ("flops", "parts"),
    "Adapter": ("adapter", "parts"),
    "Audit": ("audit", "parts"),
    "Verification": ("verification", "of_one"),
}
"""The module of this room, and its function that makes the parts."""


def draw(account: Any, form: str) -> Any:
    """An account as ``html``, for ``rich``, or as a ``plot``, the treemap of a ledger. Raises GptCountError where
    plotly is not installed."""
    if form == "plot":
        return _room("charts").treemap(account)
    module, function = PARTS[type(account).__name__]
    parts = getattr(_room(module), function)(account)
    return _room("html").render(parts) if form == "html" else _room("terminal").Drawing(parts)


def _room(name: str) -> Any:
    return import_module(f"gptcount.output.{name}")
