"""bfloat16, which NumPy lacks: the upper half of a float32."""

from __future__ import annotations

import numpy as np

from gptcount.reference.words import Array


def widened(bits: Array) -> Array:
    """Sixteen bits each, as float32."""
    result: Array = (bits.astype(np.uint32) << 16).view(np.float32)
    return result


def rounded(x: Array) -> Array:
    """Numbers rounded to 8 bits of precision, to even, as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    result: Array = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return result
