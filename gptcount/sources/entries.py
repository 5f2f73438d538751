"""What every header says of its tensors, whatever its format: entries, and the checkpoint that they make together.

It knows bounds and no format, and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from gptcount.errors import InputError, shown
from gptcount.numbers import count

BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    "F4": 4,
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
}
"""How many bits an element has."""

MOST_TENSORS, MOST_NAME, MOST_CHARACTERS = 250_000, 1_000, 20_000_000
"""Tensors of a checkpoint, characters of a name, and of all names together."""


class Entry(NamedTuple):
    """One tensor as a header lists it, and where its bytes begin, in which file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int = 0
    file: Path | None = None
    size: int | None = None
    """Its bytes, where the elements of its dtype have no bits of their own (GGUF packs them in blocks)."""

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    @property
    def bits(self) -> int:
        """How many bits one of them has."""
        return BITS[self.dtype] if self.size is None else 8 * self.size // max(self.elements, 1)

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return self.elements * self.bits // 8 if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the headers say, and the text of the config.json beside them, where there is one."""

    origin: str
    entries: tuple[Entry, ...]
    config: str | None = None
    claimed: int | None = None
    """How many parameters the metadata of an index says there are."""
    notes: tuple[str, ...] = ()
    """What a reader should know of the files."""
    gguf: Mapping[str, Any] | None = None
    """The metadata of a GGUF file."""
    adapter: str | None = None
    """The text of the adapter_config.json beside an adapter of peft."""


def joined(lists: Iterable[list[Entry]], origin: str) -> tuple[Entry, ...]:
    """The entries of all files together. Raises InputError where two have a tensor of one name, or there are none."""
    found: dict[str, Entry] = {}
    for entries in bounded(lists, origin):
        for entry in entries:
            if entry.name in found:
                raise InputError(f"{origin}: {shown(entry.name)}: two files have a tensor of this name")
            found[entry.name] = entry
    if not found:
        raise InputError(f"{origin}: no tensors in it")
    return tuple(found.values())


def bounded(lists: Iterable[list[Entry]], origin: str) -> Iterator[list[Entry]]:
    """The same lists, of which none is asked for after so many tensors, or names so long, that no more are read."""
    tensors = characters = 0
    for entries in lists:
        tensors, characters = tensors + len(entries), characters + sum(len(entry.name) for entry in entries)
        if tensors > MOST_TENSORS or characters > MOST_CHARACTERS:
            raise InputError(f"{origin}: more than {count(MOST_TENSORS)} tensors, or very long names")
        yield entries
