"""Packed tensors: which weight the tensors beside each other stand for, and in which shape; the table read backwards.

It reads names, dtypes and shapes, as headers have them, and knows no model. What they leave open stays open.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from math import prod
from typing import NamedTuple

from gptcount.packings.packing import FLOATS, GROUPS, Packing, Part, known, packings, size
from gptcount.sources.entries import BITS, Entry

Shape = tuple[int, ...]

HELPER = re.compile(
    r"(.+?)(?:[._]weight)?[._]"
    r"(?:scale|scales|scale_inv|scale_2|(?:input_)?global_scale|pre_quant_scale|"
    r"(?:input|output|activation|(?:in|out)put_activation|quant|deq)_(?:scale|zero_point|offset|bias)|input_scale_ub|"
    r"zero_point|offset|qzeros|g_idx|shape|workspace|format|SCB|meta|mcg|mul1|act_pre_scale|"
    r"nbits|kv_cache_(?:scale|offset)|group_size|axis|packing|unpack_view_dtype|view_as_float|quant_scale|quant_zero|compute_dtype|offload_meta|"
    r"encoded_state_dict|stores_quant_config|channel_wise|optimize|round_zero|"
    r"(?:nested_)?(?:absmax|quant_map)|quant_state\.\w+)"
)
"""A tensor that quantization keeps beside a weight, whatever the method; what stands before is the weight."""

SUSPECT = ("U8", "I8", "I16", "U16", "I32", "U32", "F4", "I64", "U64")
"""Dtypes whose elements may hold several numbers, or a part of one."""


class Piece(NamedTuple):
    """A tensor that is there, as a part of a packing."""

    part: int
    dtype: str
    shape: Shape


class Way(NamedTuple):
    """One way to read tensors beside each other: the packing, and what is there of it."""

    packing: str
    pieces: tuple[Piece, ...]


class Stands(NamedTuple):
    """What a tensor stands for: a weight's name, how many numbers, and in which shapes they may be.

    ``numbers`` is None where the header does not say it. ``ways`` are those in which a model's shape may be found.
    """

    name: str
    numbers: int | None
    shapes: tuple[Shape, ...] = ()
    packed: bool = False
    ways: tuple[Way, ...] = ()


class Read(NamedTuple):
    """A checkpoint's tensors read as weights."""

    stands: dict[str, Stands]
    helpers: dict[str, bool]
    """The tensors that only help to read a weight, and whether that weight is packed."""


def read(entries: Mapping[str, Entry], bits: Collection[int] = ()) -> Read:
    """What each tensor stands for, told by its name, its dtype and the tensors beside it; most stand for themselves.

    ``bits`` are those of a number where a configuration says them: they decide where the headers do not.
    """
    stands, helpers = dict[str, Stands](), dict[str, bool]()
    beginning = _possible(entries)
    for entry in entries.values():
        weight, ways = _ways(entry, entries, beginning) if entry.name not in helpers else (entry.name, ())
        one = stands[entry.name] = _stands(entry, weight, ways)
        helpers |= {name: one.packed for way in ways for name in _names(way, weight)}
    packed = {one.name: one.packed for name, one in stands.items() if name not in helpers}

    def whole(weight: str) -> bool:
        """Whether a weight's numbers are stored as they are: no matrix of scales belongs to it."""
        return not packed[weight] and weight in entries and entries[weight].dtype in FLOATS

    for name in entries:
        if name not in helpers and (found := HELPER.fullmatch(name, max(len(name) - 100, 0))):
            weight = name[: found.end(1)]
            small = len(entries[name].shape) < 2
            beside = [packed[of] for of in (weight, f"{weight}.weight") if of in packed and (small or not whole(of))]
            helpers |= {name: any(beside)} if beside else {}
    for name in helpers:
        stands[name] = Stands(name, entries[name].elements, (entries[name].shape,))
    for name in _doubtful(packed, entries):
        stands[name] = Stands(name, None, (entries[name].shape,))
    settle({name: one for name, one in stands.items() if name not in helpers}, stands, bits)
    return Read(stands, helpers)


def _doubtful(packed: Mapping[str, bool], entries: Mapping[str, Entry]) -> list[str]:
    """Biases that may be no part of a model: early tools kept zeros beside every weight that they packed, where other
    models have biases beside norms too, or not beside every weight."""
    biases = {name for name in entries if name.endswith(".bias")}
    beside = {f"{weight.removesuffix('.weight')}.bias" for weight, is_packed in packed.items() if is_packed}
    return list(biases) if biases and biases == beside else []


def fits(stands: Stands, wanted: Shape, bits: Collection[int] = ()) -> bool:
    """Whether a tensor may stand for one of the shape that is wanted; of one number, [1] and [] are the same.

    ``bits`` are those of a number, where a configuration says them.
    """
    if any(_plain(shape) == _plain(wanted) for shape in stands.shapes):
        return True
    either = {wanted, (*wanted[:-2], *wanted[:-3:-1])} if len(wanted) > 1 else set()
    found = [one for way in stands.ways for shape in either for one in _solutions(way.packing, way.pieces, shape)]
    return any(one.bits in bits for one in found) if bits else bool(found)


def _plain(shape: Shape) -> Shape:
    return () if shape == (1,) else shape


def _stands(entry: Entry, weight: str, ways: tuple[Way, ...]) -> Stands:
    if not ways:
        row = len(entry.shape) < 2 and entry.dtype in ("I64", "U64")
        known = entry.dtype not in SUSPECT or entry.elements < 2 or row
        return Stands(weight, entry.elements if known else None, (entry.shape,), weight != entry.name)
    found = [solution for way in ways for solution in _solutions(way.packing, way.pieces)]
    numbers, shapes = {one.n for one in found}, {one.shape for one in found if one.shape}
    packed = not all(packings()[way.packing].plain for way in ways)
    n = numbers.pop() if len(numbers) == 1 else None
    return Stands(weight, n, tuple(shapes) if n else (), packed, ways)


Beginning = dict[tuple[str, str], tuple[Packing, ...]]
"""The packings by their first tensor: what it adds to the name of the weight or its module, and its dtype."""


def _possible(entries: Mapping[str, Entry]) -> Beginning:
    """The packings of which every tensor that must be there may be, by how the names in a file end."""
    ends = {name.rpartition(".")[2].rpartition("_")[2] for name in entries}

    def may_be(part: Part) -> bool:
        end = part.name[1:].rpartition(".")[2].rpartition("_")[2]
        return bool(part.when) or not end or end in ends

    found = {
        key: tuple(packing for packing in several if all(map(may_be, packing.parts[1:])))
        for key, several in _beginning().items()
    }
    return {key: several for key, several in found.items() if several}


def _ways(entry: Entry, entries: Mapping[str, Entry], beginning: Beginning) -> tuple[str, tuple[Way, ...]]:
    """The name of the weight that a tensor holds the numbers of, and the ways to read it."""
    ways: list[Way] = []
    name = weight = entry.name
    for suffix in ("", f".{name.rpartition('.')[2]}", f"_{name.rpartition('_')[2]}", "._data._data"):
        for packing in beginning.get((suffix, entry.dtype), ()) if name.endswith(suffix) else ():
            stem = name.removesuffix(suffix)
            module = packing.parts[0].name[0] == "M"
            of = f"{stem}.weight" if module else stem
            sure = weight in (name, of) and not (module and stem.endswith(".weight"))
            if pieces := _pieces(packing, of, entries) if sure else ():
                weight = of
                ways += [Way(packing.name, pieces)] if _solutions(packing.name, pieces) else []
    return weight, tuple(ways)


@cache
def _beginning() -> Beginning:
    """Every packing by its first tensor. One under a weight's own name, each element a number that no other tensor
    makes another, needs none of them."""
    found: dict[tuple[str, str], tuple[Packing, ...]] = {}
    for packing in packings().values():
        suffix = packing.parts[0].name[1:]
        for dtype in packing.parts[0].dtypes:
            if suffix or not packing.plain or dtype in SUSPECT:
                found[suffix, dtype] = (*found.get((suffix, dtype), ()), packing)
    return found


def _pieces(packing: Packing, weight: str, entries: Mapping[str, Entry]) -> tuple[Piece, ...]:
    """What is there of a packing; nothing where a tensor is missing that must be."""
    pieces = []
    for place, part in enumerate(packing.parts):
        entry = entries.get(part.named(weight))
        if entry and entry.dtype in part.dtypes:
            pieces.append(Piece(place, entry.dtype, entry.shape))
        elif entry or not part.when:
            return ()
    return tuple(pieces)


def _names(way: Way, weight: str) -> Iterator[str]:
    parts = packings()[way.packing].parts
    return (parts[piece.part].named(weight) for piece in way.pieces[1:])


class Solution(NamedTuple):
    """A weight that fits what is there. Without ``shape`` the headers do not say it, without ``n`` not how many."""

    bits: int
    n: int | None
    shape: Shape | None


@lru_cache(20_000)
def _solutions(name: str, pieces: tuple[Piece, ...], wanted: Shape | None = None) -> tuple[Solution, ...]:
    """The weights that tensors may stand for, read as a packing; of ``wanted``, whether it is one of them."""
    packing = packings()[name]
    first = packing.parts[0].shapes[0]
    lead = () if first[0].startswith("flat") else pieces[0].shape[: len(pieces[0].shape) - len(first)]
    channel = 32 * max(max(piece.shape, default=1) for piece in pieces)
    given = {}
    if wanted is not None:
        given = {"out": wanted[-2], "in": wanted[-1], "n": prod(wanted if first[0].startswith("flat") else wanted[-2:])}
    found = [
        solution
        for bits in packing.bits
        for group in packing.groups or (*GROUPS, channel)
        for solution in _solved(packing, pieces, lead, {"bits": bits, "group": group, **given})
    ]
    return tuple(dict.fromkeys(found))


def _solved(packing: Packing, pieces: tuple[Piece, ...], lead: Shape, sizes: dict[str, int]) -> Iterator[Solution]:
    """The weights of so many bits, in groups of so many."""
    for _ in range(2):
        for piece in pieces:
            _bind(packing.parts[piece.part], piece, lead, sizes)
    for goes_in in _ways_in(packing, pieces, sizes):
        every, shape = sizes, None
        if goes_in and "out" in sizes:
            every = {**known(sizes["out"], goes_in, sizes["bits"], sizes["group"]), **sizes}
            shape = (*lead, sizes["out"], goes_in)
        sure = bool(shape or "n" in sizes)
        if all(_fits(packing.parts[piece.part], piece, lead, every, sure) for piece in pieces):
            yield Solution(sizes["bits"], prod(shape) if shape else sizes.get("n"), shape)


def _ways_in(packing: Packing, pieces: tuple[Piece, ...], sizes: dict[str, int]) -> Iterable[int]:
    """What may go in: the size that is known, or those that fill as many words and bytes as there are; 0 for none."""
    if "in" in sizes:
        return (sizes["in"],)
    per = {"words": 32 // sizes["bits"], "bytes_in": 8}
    for piece in pieces:
        for words in packing.parts[piece.part].shapes:
            if words and words[-1] in per and piece.shape:
                last, of = piece.shape[-1], per[words[-1]]
                return range(max(1, (last - 1) * of + 1), last * of + 1)
    return (0,)


def _bind(part: Part, piece: Piece, lead: Shape, sizes: dict[str, int]) -> None:
    """Learn from a tensor the sizes that its dimensions tell, where one shape alone may be meant."""
    may = [words for words in part.shapes if _is(words, piece, lead, sizes, sure=False)]
    if len(may) == 1:
        for formula, n in zip(may[0], _dimensions(may[0], piece, lead), strict=False):
            upper, *lower = formula.removeprefix("flat ").split("/")
            above = upper.split("*")
            new = [word for word in (*above, *lower) if not word.isdigit() and word not in sizes]
            if len(new) == 1 and new[0] in FREE and new[0] in above and len(lower) < 2:
                sizes[new[0]] = n * _product(lower, sizes) // _product([w for w in above if w != new[0]], sizes)


FREE = ("out", "in", "n", "rows", "columns", "n_codebooks")
"""The words that a dimension may teach; the others follow from these. What was no exact multiple fails to fit later."""


def _product(words: Iterable[str], sizes: Mapping[str, int]) -> int:
    return prod(int(word) if word.isdigit() else sizes[word] for word in words)


def _dimensions(words: tuple[str, ...], piece: Piece, lead: Shape) -> Shape:
    """The dimensions that words speak of: those after a stack's, or all bytes as one."""
    if words and words[0].startswith("flat"):
        return (prod(piece.shape) * BITS[piece.dtype] // 8,)
    return piece.shape[len(lead) :]


def _fits(part: Part, piece: Piece, lead: Shape, sizes: Mapping[str, int], sure: bool = True) -> bool:
    """Whether a tensor has one of the shapes of a part. What is not known may be anything, unless all is ``sure``."""
    return not part.shapes or any(_is(words, piece, lead, sizes, sure) for words in part.shapes)


def _is(words: tuple[str, ...], piece: Piece, lead: Shape, sizes: Mapping[str, int], sure: bool) -> bool:
    if words in ((), ("1",)):
        return prod(piece.shape) in (1, prod(lead))
    dimensions = _dimensions(words, piece, lead)
    if words[0].startswith("flat"):
        words = words[:1]
    elif piece.shape[: len(lead)] != lead or len(dimensions) != len(words):
        return False
    return all(_may_be(word, n, sizes, sure) for word, n in zip(words, dimensions, strict=True))


def _may_be(formula: str, n: int, sizes: Mapping[str, int], sure: bool) -> bool:
    words = formula.removeprefix("flat ").replace("*", "/").split("/")
    if any(not word.isdigit() and word not in sizes for word in words):
        return not sure or "some" in words
    return size(formula, sizes) == n


def settle(weights: Mapping[str, Stands], stands: dict[str, Stands], bits: Collection[int]) -> None:
    """Settle what the tensors of one weight leave open: by the bits that are known, or by all weights together.

    What goes in and comes out of one weight, other tensors have too, and some weight takes in what a norm gives. Where
    one number of bits alone makes that true of every weight that is packed alike, it is the number.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, one in weights.items():
        if one.ways:
            alike.setdefault(tuple(way.packing for way in one.ways), []).append(name)
    sizes = {n for one in weights.values() for n in _sure(one)}
    widths = {one.shapes[0][0] for one in weights.values() if one.shapes and len(one.shapes[0]) == 1}
    for names in alike.values():
        if any(weights[name].numbers is None for name in names):
            stands |= _settled({name: weights[name] for name in names}, bits, sizes, widths)


def _sure(one: Stands) -> set[int]:
    """The sizes that a weight has for sure."""
    if not one.ways:
        return set(one.shapes[0])
    found = [solution.shape for way in one.ways for solution in _solutions(way.packing, way.pieces)]
    return set.intersection(*(set(shape or ()) for shape in found))


def _settled(
    open_: Mapping[str, Stands], bits: Collection[int], sizes: set[int], widths: set[int]
) -> dict[str, Stands]:
    """The weights of one kind, each with its numbers, where there is one way alone to read them all."""
    readings: set[tuple[Solution, ...]] = set()
    several = {(way.packing, n) for one in open_.values() for way in one.ways for n in packings()[way.packing].bits}
    for packing, n in several if not bits else {(packing, n) for packing, n in several if n in bits}:
        found = [_of_bits(one, packing, n, None if bits else sizes) for one in open_.values()]
        if all(found) and (bits or any(one.shape and one.shape[-1] in widths for one in found if one)):
            readings.add(tuple(one._replace(bits=0) for one in found if one))
    if len(readings) != 1:
        return {}
    (reading,) = readings
    pairs = zip(open_.items(), reading, strict=True)
    return {
        name: one._replace(numbers=solution.n, shapes=(solution.shape,) if solution.shape else ())
        for (name, one), solution in pairs
    }


def _of_bits(one: Stands, packing: str, bits: int, sizes: set[int] | None) -> Solution | None:
    """The weight of so many bits whose sizes are known ones, if there is one alone."""
    found = [
        solution
        for way in one.ways
        if way.packing == packing
        for solution in _solutions(way.packing, way.pieces)
        if solution.bits == bits and (sizes is None or (solution.shape and set(solution.shape[-2:]) <= sizes))
    ]
    return found[0] if len({solution.n for solution in found}) == 1 else None
