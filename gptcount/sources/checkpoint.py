"""A checkpoint's tensors, by its headers alone: a .safetensors file, several with their index, or a folder of them.

A file begins with the length of its header (8 bytes) and the header, JSON: for each tensor its dtype, its shape and
where its bytes lie. Whatever is not exactly that is refused in a line, in bounded memory and time, before it is
handed to the ``safetensors`` library, which has the last word. No weight is read, and what the tensors mean is not
known here.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gptcount.errors import InputError, shown
from gptcount.numbers import count
from gptcount.sources import foreign, gguf
from gptcount.sources.entries import BITS, MOST_NAME, MOST_TENSORS, Checkpoint, Entry, bounded, joined
from gptcount.sources.files import CONFIGURATIONS, names_in, read_text

MOST_HEADER, MOST_INDEX = 25_000_000, 40_000_000
"""The longest header that is read, in bytes, as in huggingface_hub (published ones have some 100,000); the longest
index (that of a mixture with 200,000 tensors has 23,000,000)."""

MOST_SHARDS, MOST_DIMENSIONS = 10_000, 64
LEAST_ENTRY = 16
"""A header has at most one bracket in so many bytes: an entry has three, and at least 49 bytes."""

GGUF = ".gguf"
INDEX, WHOLE = "model.safetensors.index.json", "model.safetensors"
ADAPTER, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
OF_A_MODEL = ("model_type", "architectures", "dim", "peft_type")
"""Keys that tell a configuration from an index."""

STRAY = f"A {WHOLE} lies beside the index and is passed over; transformers would load it instead."


Read = dict[tuple[int, int], list[Entry]]
"""The tensors of files, by what is the same whatever name a file is called by."""


def read(path: Path) -> Checkpoint:
    """The checkpoint at a path: a file, an index or a folder. Raises InputError where it is not exactly that."""
    origin = shown(str(path), 200)
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        folder = path if kind == stat.S_IFDIR else path.parent
        found = _in_folder(folder, origin) if kind == stat.S_IFDIR else [path]
        beside = beside_it(folder)
    except (OSError, ValueError) as fault:
        raise InputError(f"{origin}: {_reason(fault)}") from None

    def of_shards(names: Sequence[str]) -> Iterable[list[Entry]]:
        read: Read = {}
        return (_of_file(_inside(folder, name), read) for name in names)

    if kind != stat.S_IFDIR and (what := foreign.named(path.name)):
        raise InputError(f"{origin}: {what}")
    if found[0].suffix.lower() == GGUF:
        return replace(gguf.read(found[0]), origin=origin, config=beside)
    if found[0].suffix != ".json":
        lists = [_of_file(found[0])] if len(found) == 1 else of_shards([file.name for file in found])
        is_adapter = [path.name for path in found] == [ADAPTER] and (folder / ADAPTER_CONFIG).is_file()
        adapter = read_text(folder / ADAPTER_CONFIG) if is_adapter else None
        return Checkpoint(origin, joined(lists, origin), beside, adapter=adapter)
    indexed = sharded(index_text(found[0], origin), shown(str(found[0]), 200), of_shards, beside)
    stray = found[0].name == INDEX and (folder / WHOLE).is_file()
    return replace(indexed, notes=(*indexed.notes, STRAY)) if stray else indexed


def beside_it(folder: Path) -> str | None:
    """The text of the configuration in a folder, a config.json or else a params.json, where there is one."""
    found = next((folder / name for name in CONFIGURATIONS if (folder / name).is_file()), None)
    return read_text(found) if found else None


def index_text(path: Path, origin: str) -> str:
    """The text of an index, which is longer than other files of names and numbers may be."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_INDEX:
            raise InputError(f"{origin}: an index is a file of at most {MOST_INDEX} bytes")
        return path.read_text("utf-8")
    except (OSError, ValueError) as fault:
        raise InputError(f"{origin}: {_reason(fault)}") from None


def sharded(
    index: str, origin: str, of_shards: Callable[[Sequence[str]], Iterable[list[Entry]]], config: str | None
) -> Checkpoint:
    """The checkpoint that an index describes; ``of_shards`` gives the entries of each file that it names, in order.

    Where several files have a tensor of one name, the one that the index names counts.
    """
    said = _parsed(index, origin)
    places = _places(said, origin)
    shards, passed = sorted(set(places.values())), list[str]()

    def placed() -> Iterator[list[Entry]]:
        for shard, listed in zip(shards, bounded(of_shards(shards), origin), strict=True):
            yield [entry for entry in listed if places.get(entry.name, shard) == shard]
            passed.extend(entry.name for entry in listed if places.get(entry.name, shard) != shard)

    entries = joined(placed(), origin)
    missing = places.keys() - {entry.name for entry in entries}
    for name in filter(missing.__contains__, places):
        raise InputError(f"{origin}: {shown(name)}: the index says that {shown(places[name])} has it, and it has not")
    notes = [f"{shown(name)}: in two files; that which the index names counts." for name in passed[:1]]
    notes += [f"So it is with {count(len(passed) - 1)} more."] if len(passed) > 1 else []
    return Checkpoint(origin, entries, config, *_claims(said.get("metadata"), entries, notes))


def _claims(metadata: Any, entries: Sequence[Entry], notes: list[str]) -> tuple[int | None, tuple[str, ...]]:
    """What the metadata of an index says of the parameters, and a note where it is wrong about the bytes."""
    said = metadata if isinstance(metadata, dict) else {}
    size, parameters = said.get("total_size"), said.get("total_parameters")
    found = sum(entry.bytes for entry in entries)
    if size is not None and _is_size(size) and size != found:
        notes.append(f"The index says total_size = {count(size)}, and the tensors have {count(found)} bytes.")
    return parameters if _is_size(parameters) else None, tuple(notes)


def _places(said: dict[str, Any], origin: str) -> dict[str, str]:
    """Which file has which tensor, as an index says."""
    places = said.get("weight_map")
    if places is None and not said.keys().isdisjoint(OF_A_MODEL):
        raise InputError(
            f"{origin}: a configuration; expected a checkpoint: name its folder, an index or a .safetensors file; "
            "a configuration elsewhere is named with --against"
        )
    if not isinstance(places, dict) or not places:
        raise InputError(f"{origin}: weight_map: missing or empty, where an index says which file has which tensor")
    for shard in places.values():
        if not isinstance(shard, str) or not _is_plain(shard):
            raise InputError(f"{origin}: weight_map: {shown(shard)} is not the name of a .safetensors file beside it")
    if len(set(places.values())) > MOST_SHARDS:
        raise InputError(f"{origin}: {len(set(places.values()))} files, and at most {MOST_SHARDS} are read")
    return places


def header_length(start: bytes, size: int, origin: str) -> int:
    """The length of the header that the first 8 bytes of a file of ``size`` bytes say."""
    if len(start) < 8:
        raise InputError(f"{origin}: {size} bytes: too short for a .safetensors file")
    length = int.from_bytes(start[:8], "little")
    if length > size - 8:
        raise InputError(
            f"{origin}: truncated, or not a .safetensors file: a header of {length} bytes in a file of {size}"
        )
    if length > MOST_HEADER:
        raise InputError(f"{origin}: a header of {length} bytes, and at most {MOST_HEADER} are read")
    return length


def entries_of(header: bytes, room: int, origin: str, file: Path | None = None) -> list[Entry]:
    """The tensors that a header lists, which must fill the ``room`` bytes after it exactly, each byte once."""
    if header[:1] != b"{":
        raise InputError(f"{origin}: not a .safetensors file: its header does not begin with a brace")
    try:
        text = header.decode()
    except UnicodeDecodeError:
        raise InputError(f"{origin}: its header is not UTF-8") from None
    listed = _parsed(text, origin)
    if len(listed) > MOST_TENSORS:
        raise InputError(f"{origin}: more than {count(MOST_TENSORS)} tensors")
    metadata = listed.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise InputError(f"{origin}: __metadata__: expected text under each key")
    found = [_placed(name, tensor, origin, 8 + len(header), file) for name, tensor in listed.items()]
    end = 0
    for begin, stop, entry in sorted(found, key=lambda one: one[:2]):
        if begin != end:
            fault = "overlaps the tensor before it" if begin < end else "leaves bytes that no tensor has before it"
            raise InputError(f"{origin}: {shown(entry.name)}: data_offsets: {fault}")
        end = stop
    if end > room:
        raise InputError(f"{origin}: truncated: {room} bytes follow the header, which places tensors in {end}")
    if end < room:
        raise InputError(f"{origin}: {room - end} bytes at the end that no tensor has")
    return [entry for _, _, entry in found]


def _placed(name: str, tensor: Any, origin: str, first: int, file: Path | None) -> tuple[int, int, Entry]:
    """Where a tensor's bytes begin and end, counted from the ``first`` after the header, and its entry."""

    def refusal(why: str) -> InputError:
        return InputError(f"{origin}: {shown(name)}: {why}")

    if len(name) > MOST_NAME:
        raise refusal(f"a name of {len(name)} characters, and at most {MOST_NAME} are read")
    if not isinstance(tensor, dict) or tensor.keys() != {"dtype", "shape", "data_offsets"}:
        raise refusal("expected dtype, shape and data_offsets, and nothing else")
    dtype, shape, offsets = tensor["dtype"], tensor["shape"], tensor["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise refusal(f"dtype: {shown(dtype)} is none of {', '.join(BITS)}")
    if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS or not all(map(_is_size, shape)):
        raise refusal(f"shape: expected at most {MOST_DIMENSIONS} whole numbers")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_size, offsets)):
        raise refusal("data_offsets: expected two whole numbers, none below zero")
    begin, stop = offsets
    entry = Entry(name, dtype, tuple(shape), first + begin, file)
    if 8 * (stop - begin) != entry.elements * entry.bits:
        raise refusal(f"data_offsets: {stop - begin} bytes, and its shape and dtype make {entry.bytes}")
    return begin, stop, entry


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _parsed(text: str, origin: str) -> dict[str, Any]:
    """A JSON object, no name given twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise InputError(f"{origin}: {shown(twice)}: given twice")
        return found

    if LEAST_ENTRY * (text.count("[") + text.count("{")) > len(text) + 4 * LEAST_ENTRY:
        raise InputError(f"{origin}: more brackets than the names, shapes and places of tensors can have")
    try:
        data = json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise InputError(f"{origin}: nested too deeply") from None
    except ValueError as fault:
        raise InputError(f"{origin}: not valid JSON: {shown(str(fault), 200)}") from None
    if not isinstance(data, dict):
        raise InputError(f"{origin}: not a JSON object")
    return data


def _in_folder(folder: Path, origin: str) -> list[Path]:
    """The index in a folder, or the whole checkpoint, or all its .safetensors files."""
    for name in (INDEX, WHOLE):
        if (folder / name).is_file():
            return [folder / name]
    if (folder / ADAPTER).is_file() and (folder / ADAPTER_CONFIG).is_file():
        return [folder / ADAPTER]
    names = names_in(folder)
    indices = [name for name in names if name.endswith(".safetensors.index.json")][:1]
    found = [folder / name for name in indices or names if indices or name.endswith(".safetensors")]
    if not found and any(name.endswith(GGUF) for name in names):
        return [gguf.in_folder(folder)]
    if not found:
        other = foreign.inside(folder)
        raise InputError(f"{origin}: no .safetensors file in this folder" + (f"; {other}" if other else ""))
    if len(found) > MOST_SHARDS:
        raise InputError(f"{origin}: {len(found)} files, and at most {MOST_SHARDS} are read")
    return found


def _of_file(path: Path, before: Read | None = None) -> list[Entry]:
    """The tensors of one file: read from its header, which the library then reads too, if not ``before``."""
    origin = shown(str(path), 200)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{origin}: not a file")
        before, one = {} if before is None else before, (status.st_dev, status.st_ino)
        if one in before:
            return before[one]
        with open(path, "rb") as file:
            length = _length(file.read(LEAST_ENTRY), status.st_size, path)
            file.seek(8)
            found = entries_of(file.read(length), status.st_size - 8 - length, origin, path)
    except (OSError, ValueError) as fault:
        raise InputError(f"{origin}: {_reason(fault)}") from None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy"):
            return before.setdefault(one, found)
    except (SafetensorError, OSError) as fault:
        raise InputError(f"{origin}: {shown(str(fault), 200)}") from None


def _length(start: bytes, size: int, path: Path) -> int:
    """The length of a file's header, unless it is a file of another kind."""
    origin = shown(str(path), 200)
    try:
        return header_length(start[:8], size, origin)
    except InputError:
        if what := foreign.begun(start):
            raise InputError(f"{origin}: {what}") from None
        raise


def _is_plain(name: str) -> bool:
    """Whether a name is that of a .safetensors file and no path."""
    return name.endswith(".safetensors") and name.isprintable() and not set(name) & set("/\\:") and name[0] != "."


def _inside(folder: Path, name: str) -> Path:
    """A file of a folder, which no link leads out of it, but to the ``blobs`` of huggingface_hub's cache."""
    path, real = folder / name, Path(os.path.realpath(folder / name))
    caches = [parent.parent / "blobs" for parent in folder.absolute().parents if parent.name == "snapshots"]
    if not any(Path(os.path.realpath(home)) in real.parents for home in (folder, *caches)):
        raise InputError(f"{shown(str(path), 200)}: a link that leads out of its folder")
    return path


def _reason(fault: OSError | ValueError) -> str:
    return (getattr(fault, "strerror", None) or "cannot be read").lower()
