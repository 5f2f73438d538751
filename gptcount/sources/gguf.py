"""A GGUF file, or several parts of one, by its header alone: metadata, and for each tensor its type, shape and place.

The header is read here and not by the library's reader, which maps the whole file and makes an array of every word of
the vocabulary; whatever is not exactly a header is refused in a line, in bounded memory and time. The sizes of the
types are the library's (the extra ``gptcount[gguf]``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError, shown
from gptcount.families import metadata as words
from gptcount.families import read as read_config
from gptcount.families.gguf import library, tables
from gptcount.names import Wanted, spelled
from gptcount.sources import specification
from gptcount.sources.entries import MOST_NAME, MOST_TENSORS, Checkpoint, Entry, joined

MAGIC = b"GGUF"

MOST_HEADER = 200_000_000
"""The longest header that is read, in bytes; a vocabulary of 262,144 words with its merges takes some 10,000,000."""

MOST_WORDS, MOST_KEYS, MOST_KEPT, MOST_PARTS, MOST_DIMENSIONS = 5_000_000, 10_000, 4_096, 1_000, 4

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The letter of struct for each kind of number in the metadata."""

TEXT, ARRAY = 8, 9

BESIDE = re.compile(r"(rope_freqs|rope_factors_(long|short))\.weight")
"""What llama.cpp computes, and keeps as tensors."""

SCALED = "read from the metadata of a GGUF file; how rotary positions are scaled is not taken over"

PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf")


class Header(NamedTuple):
    """What one file says."""

    metadata: dict[str, Any]
    entries: list[Entry]


def read(path: Path) -> Checkpoint:
    """The checkpoint at the path of a GGUF file or of one of its parts. Raises InputError where it is not that."""
    origin = shown(str(path), 200)
    headers = [_header(part) for part in _parts(path)]
    metadata = headers[0].metadata
    entries = joined((header.entries for header in headers), origin)
    said = metadata.get("split.tensors.count", len(entries))
    if said != len(entries):
        raise InputError(f"{origin}: split.tensors.count says {shown(said)} tensors, and the parts have {len(entries)}")
    return Checkpoint(origin, entries, gguf=metadata)


def architecture(path: Path) -> Architecture:
    """The model that a GGUF file's metadata describe.

    Raises InputError where they describe none that is read so, or none whose tensors are exactly those of the file.
    """
    return described(read(path), shown(str(path), 200))


def described(found: Checkpoint, origin: str) -> Architecture:
    """The model that the metadata of a checkpoint describe. Raises InputError as ``architecture`` does."""
    metadata = found.gguf or {}
    data, _ = read_config(words.config(metadata, {entry.name: entry.shape for entry in found.entries}, origin), origin)
    scaled = any(".rope.scaling." in key for key in metadata) or any(
        BESIDE.fullmatch(entry.name) for entry in found.entries
    )
    notes = [*data.get("notes", []), *([SCALED] if scaled else [])]
    named = metadata.get("general.name")
    name = named if isinstance(named, str) and named.strip() else Path(origin).stem
    model = specification.validate({**data, "name": name, "notes": notes}, origin)
    faults = [_difference(wanted, found.entries) for wanted in tables(model)]
    if all(faults):
        raise InputError(
            f"{origin}: its metadata and its tensors do not describe the same model: {faults[0]}; "
            "'gptcount audit' counts its tensors, and a config.json describes the model"
        )
    return model


def _difference(wanted: Wanted, entries: Sequence[Entry]) -> str:
    """The first difference between a model's tensors and those of a file, in words; empty where there is none."""
    found: list[set[tuple[int, ...]]] = [set() for _ in wanted.tensors]
    for entry in entries:
        place, numbers = wanted.find(entry.name) or (-1, ())
        if place >= 0 and wanted.tensors[place].shape == entry.shape:
            found[place].add(numbers)
        elif not BESIDE.fullmatch(entry.name):
            shape = " × ".join(map(str, entry.shape))
            return f"{shown(entry.name)}, {shape}, {'is none of the model' if place < 0 else 'has another shape'}"
    for place, tensor in enumerate(wanted.tensors):
        n, which = wanted.missing(place, found[place])
        if n:
            return f"{spelled(tensor.name, which)} is missing"
    return ""


def in_folder(folder: Path) -> Path:
    """The GGUF file in a folder, or the first of its parts. Raises InputError where there are several models."""
    found = sorted(folder.glob("*.gguf"))
    first = [path for path in found if not (part := PART.fullmatch(path.name)) or int(part[2]) == 1] or found[:1]
    models = [path for path in first if not path.name.startswith("mmproj")] or first
    if len(models) != 1:
        names = ", ".join(shown(path.name, 60) for path in models[:4])
        raise InputError(f"{shown(str(folder), 200)}: {len(models)} GGUF files; name one of them: {names}")
    return models[0]


def _parts(path: Path) -> list[Path]:
    """All the parts of the file that a path is a part of."""
    found = PART.fullmatch(path.name)
    if not found:
        return [path]
    n = int(found[3])
    if not 0 < n <= MOST_PARTS:
        raise InputError(f"{shown(str(path), 200)}: {n} parts, and at most {MOST_PARTS} are read")
    return [path.with_name(f"{found[1]}-{part:05}-of-{n:05}.gguf") for part in range(1, n + 1)]


def _header(path: Path) -> Header:
    origin = shown(str(path), 200)
    try:
        if not path.is_file():
            raise InputError(f"{origin}: no such file" if not path.exists() else f"{origin}: not a file")
        with path.open("rb") as file:
            return _Reader(file, path.stat().st_size, origin, path).header()
    except OSError as fault:
        raise InputError(f"{origin}: {(fault.strerror or 'cannot be read').lower()}") from None


class _Reader:
    """Reads one header from its beginning to its end."""

    def __init__(self, file: BinaryIO, size: int, origin: str, path: Path) -> None:
        self.file, self.size, self.origin, self.path = file, size, origin, path
        self.at, self.words, self.order = 0, 0, "<"

    def refusal(self, why: str) -> InputError:
        return InputError(f"{self.origin}: {why}")

    def header(self) -> Header:
        """The metadata and the tensors. Raises InputError for whatever is not exactly a header."""
        if self.take(4) != MAGIC:
            raise self.refusal("not a GGUF file")
        version = self.number("I")
        if version & 0xFFFF == 0:
            self.order, version = ">", int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in (2, 3):
            raise self.refusal(f"version {version} of GGUF, and 2 and 3 are read; convert it anew with llama.cpp")
        n_tensors, n_keys = self.number("Q"), self.number("Q")
        if n_tensors > MOST_TENSORS or n_keys > MOST_KEYS:
            raise self.refusal(f"{n_tensors} tensors and {n_keys} keys, more than are read")
        metadata = dict(self.pair() for _ in range(n_keys))
        if len(metadata) < n_keys:
            raise self.refusal("a key of the metadata is given twice")
        listed = [self.tensor() for _ in range(n_tensors)]
        by_name = {entry.name: entry for _, _, entry in listed}
        twice = next((entry for _, _, entry in listed if by_name[entry.name] is not entry), None)
        if twice:
            raise self.refusal(f"{shown(twice.name)}: given twice")
        return Header(metadata, list(self.placed(listed, metadata.get("general.alignment", 32))))

    def pair(self) -> tuple[str, Any]:
        """A key of the metadata and its value; None for a long text or list."""
        return self.text(MOST_NAME, "a key"), self.value(self.number("I"), 0)

    def value(self, kind: int, depth: int) -> Any:
        if kind in NUMBERS:
            return self.number(NUMBERS[kind])
        if kind == TEXT:
            return self.kept_text()
        if kind != ARRAY or depth > 3:
            raise self.refusal(f"a value of the unknown kind {kind}")
        inner, n = self.number("I"), self.number("Q")
        if inner in NUMBERS:
            letter = NUMBERS[inner]
            width = struct.calcsize("<" + letter)
            if n > MOST_KEPT:
                self.skip(width * n)
                return None
            return list(struct.unpack(f"{self.order}{n}{letter}", self.take(width * n)))
        self.words += n
        if self.words > MOST_WORDS:
            raise self.refusal(f"more than {MOST_WORDS} words in its lists")
        if inner == TEXT:
            for _ in range(n):
                self.skip(self.number("Q"))
            return None
        return [self.value(inner, depth + 1) for _ in range(n)]

    def tensor(self) -> tuple[int, int, Entry]:
        """Where a tensor's bytes begin and end, counted from the end of the header, and its entry."""
        name = self.text(MOST_NAME, "a name")
        n = self.number("I")
        if n > MOST_DIMENSIONS:
            raise self.refusal(f"{shown(name)}: {n} dimensions, and at most {MOST_DIMENSIONS} are read")
        shape = tuple(reversed([self.number("Q") for _ in range(n)]))
        kind, begin = self.number("I"), self.number("Q")
        types = library(self.origin)
        try:
            dtype = types.GGMLQuantizationType(kind)
        except ValueError:
            raise self.refusal(f"{shown(name)}: of the type {kind}, which the library gguf does not know") from None
        block, width = types.GGML_QUANT_SIZES[dtype]
        elements = prod(shape)
        if elements >= 2**63 or (shape and shape[-1] % block):
            raise self.refusal(f"{shown(name)}: a shape that {dtype.name} cannot have")
        size = elements // block * width
        return begin, begin + size, Entry(name, dtype.name, shape, begin, self.path, size)

    def placed(self, listed: Sequence[tuple[int, int, Entry]], alignment: Any) -> Iterator[Entry]:
        """The tensors, which must fill what follows the header: one after the other, each begun at the alignment."""
        if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
            raise self.refusal(f"general.alignment: {shown(alignment)} is no power of two")
        first, end = -(-self.at // alignment) * alignment, 0
        for begin, stop, entry in sorted(listed, key=lambda one: one[:2]):
            if begin != -(-end // alignment) * alignment:
                raise self.refusal(f"{shown(entry.name)}: overlaps the tensor before it, or leaves a gap before it")
            end = stop
        if listed and first + end > self.size:
            raise self.refusal(f"truncated: {self.size} bytes, and its tensors end at {first + end}")
        for begin, _, entry in listed:
            yield entry._replace(begin=first + begin)

    def number(self, letter: str) -> Any:
        (found,) = struct.unpack(self.order + letter, self.take(struct.calcsize("<" + letter)))
        return found

    def kept_text(self) -> str | None:
        length = self.number("Q")
        if length <= MOST_NAME:
            return self.take(length).decode(errors="replace")
        self.skip(length)
        return None

    def text(self, most: int, what: str) -> str:
        length = self.number("Q")
        if length > most:
            raise self.refusal(f"{what} of {length} bytes, and at most {most} are read")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise self.refusal(f"{what} that is not UTF-8") from None

    def take(self, n: int) -> bytes:
        self.onward(n)
        found = self.file.read(n)
        if len(found) < n:
            raise self.refusal("truncated in its header")
        return found

    def skip(self, n: int) -> None:
        self.onward(n)
        self.file.seek(n, 1)

    def onward(self, n: int) -> None:
        """Raises InputError where a header does not go on for so many bytes."""
        self.at += n
        if self.at > min(self.size, MOST_HEADER):
            raise self.refusal("truncated in its header" if self.at > self.size else "a header of too many bytes")
