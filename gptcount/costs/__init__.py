"""What a model costs to run: readings of the words in which the forward pass says its products.

No kind of block is known here.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("flops", "products"):  # with their first use: they import NumPy
        return import_module(f"gptcount.costs.{name}")
    raise AttributeError(f"module 'gptcount.costs' has no attribute {name!r}")
