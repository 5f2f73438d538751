"""The arrays of a checkpoint's files, by tensor name: read when they are asked for, widened to float32."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
        checkpoint.read(path)
        self.places: dict[str, tuple[Path, int, str, list[int]]] = {}
        for file in checkpoint.files(path):
            with file.open("rb") as opened:
                length = int.from_bytes(opened.read(8), "little")
                header = json.loads(opened.read(length))
            for name, said in header.items():
                if name != "__metadata__":
                    self.places[name] = (file, 8 + length + said["data_offsets"][0], said["dtype"], said["shape"])

    def __getitem__(self, name: str) -> Array:
        file, begin, dtype, shape = self.places[name]
        if dtype not in TYPES:
            raise InputError(
                f"{self.origin}: {shown(name)}: of type {dtype}, and float32, float16 or bfloat16 is wanted"
            )
        count = int(np.prod(shape, dtype=np.int64))
        found = np.memmap(file, TYPES[dtype], "r", begin, (count,)) if count else np.empty(0, TYPES[dtype])
        return (widened(found) if dtype == "BF16" else np.asarray(found)).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
