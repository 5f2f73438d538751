"""The arrays of a checkpoint's files, by tensor name: read when they are asked for, widened to float32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np

from gptcount.errors import InputError, shown
from gptcount.reference.bfloat16 import widened
from gptcount.reference.words import Array
from gptcount.sources import checkpoint

TYPES = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "BF16": np.uint16, "I64": np.int64, "I32": np.int32}
"""How the elements lie; bfloat16 is the upper half of a float32."""


class Arrays(Mapping[str, Array]):
    """Tensor names to arrays, out of a .safetensors file, those that an index names, or those of a folder.

    Raises InputError for files that are not exactly that, and for a tensor of a type that is not a plain float.
    """

    def __init__(self, path: Path) -> None:
        self.origin = shown(str(path), 200)
        self.entries = {entry.name: entry for entry in checkpoint.read(path).entries}

    def __getitem__(self, name: str) -> Array:
        _, dtype, shape, begin, file, _ = self.entries[name]
        if dtype not in TYPES or file is None:
            raise InputError(f"{self.origin}: {shown(name)}: of type {dtype}; expected float32, float16 or bfloat16")
        count = prod(shape)
        found = np.memmap(file, TYPES[dtype], "r", begin, (count,)) if count else np.empty(0, TYPES[dtype])
        return (widened(found) if dtype == "BF16" else np.asarray(found)).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
