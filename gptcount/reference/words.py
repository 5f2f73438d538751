"""Contractions said in words: ``n_tokens d_model, n_heads d_model d_head -> n_heads n_tokens d_head``.

A word is an axis; a word with a prime (``n_streams'``) is another axis of the same size; ``n_heads*d_head`` is one
dimension that holds two axes. It knows words and sizes, and nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import prod
from typing import Any

from numpy.typing import NDArray

from gptcount.errors import ShapeError
from gptcount.weight import axes_of

Array = NDArray[Any]
Dimensions = tuple[tuple[str, ...], ...]
"""The dimensions of an array, each the words of the axes that it holds."""


@cache
def sides(words: str) -> tuple[tuple[Dimensions, ...], Dimensions]:
    """What goes in and what comes out."""
    takes, _, gives = words.partition("->")
    return tuple(axes_of(part) for part in takes.split(",")), axes_of(gives)


def axes(array: Dimensions) -> tuple[str, ...]:
    """The words of all axes, in order."""
    return tuple(word for dimension in array for word in dimension)


def text(array: Dimensions) -> str:
    """The words that say these dimensions."""
    return " ".join(map("*".join, array))


def size_of(word: str, sizes: Mapping[str, int]) -> int:
    """The size of a word, its primes left off. Raises ShapeError for a word that has none."""
    plain = word.rstrip("'")
    if plain.isdigit():
        return int(plain)
    try:
        return sizes[plain]
    except KeyError:
        raise ShapeError(f"no axis is called {word!r} here; there are {', '.join(sizes)}") from None


def split(array: Array, words: Dimensions, sizes: Mapping[str, int]) -> Array:
    """The array with one dimension for each axis. Raises ShapeError where a word does not have its size."""
    said = tuple(prod(size_of(word, sizes) for word in dimension) for dimension in words)
    if array.shape != said:
        raise ShapeError(
            f"'{text(words)}' is {' × '.join(map(str, said))}, and the array is {' × '.join(map(str, array.shape))}"
        )
    return array.reshape([size_of(word, sizes) for word in axes(words)])


def einsum(words: str, sizes: Mapping[str, int], *arrays: Array) -> Array:
    """Multiply the arrays, sum over the words that do not come out, and give what comes out.

    Raises ShapeError where a word does not have its size in ``sizes``, or comes out and never went in.
    """
    takes, gives = sides(words)
    if len(takes) != len(arrays):
        raise ShapeError(f"'{words}' says {len(takes)} arrays and gets {len(arrays)}")
    try:
        whole = [split(array, said, sizes) for array, said in zip(arrays, takes, strict=True)]
    except ShapeError as fault:
        raise ShapeError(f"in '{words}': {fault}") from None
    out = axes(gives)
    if len(whole) == 1:
        result = _ordered(whole[0], axes(takes[0]), out, words)
    else:
        result = _multiply(whole[0], axes(takes[0]), whole[1], axes(takes[1]), out, words)
    return result.reshape([prod(size_of(word, sizes) for word in dimension) for dimension in gives])


def _multiply(
    a: Array, a_axes: Sequence[str], b: Array, b_axes: Sequence[str], out: Sequence[str], words: str
) -> Array:
    shared = [word for word in a_axes if word in b_axes and word in out]
    summed = [word for word in a_axes if word in b_axes and word not in out]
    a_only = [word for word in a_axes if word not in b_axes]
    b_only = [word for word in b_axes if word not in a_axes]
    lost = [word for word in a_only + b_only if word not in out]
    if lost:
        raise ShapeError(f"in '{words}': {', '.join(lost)} goes in once and does not come out")
    if not summed:
        return aligned(a, a_axes, out) * aligned(b, b_axes, out)
    size = dict(zip([*a_axes, *b_axes], [*a.shape, *b.shape], strict=True))
    left = _ordered(a, a_axes, [*shared, *a_only, *summed], words).reshape(_flat(size, shared, a_only, summed))
    right = _ordered(b, b_axes, [*shared, *summed, *b_only], words).reshape(_flat(size, shared, summed, b_only))
    product = left @ right
    found = [*shared, *a_only, *b_only]
    return _ordered(product.reshape([size[word] for word in found]), found, out, words)


def _flat(size: Mapping[str, int], shared: Sequence[str], *groups: Sequence[str]) -> list[int]:
    return [*(size[word] for word in shared), *(prod(size[word] for word in group) for group in groups)]


def _ordered(array: Array, found: Sequence[str], wanted: Sequence[str], words: str) -> Array:
    if sorted(found) != sorted(wanted):
        raise ShapeError(f"in '{words}': {' '.join(wanted)} cannot come out of {' '.join(found)}")
    return array if list(found) == list(wanted) else array.transpose([list(found).index(word) for word in wanted])


def aligned(array: Array, found: Sequence[Any], out: Sequence[Any]) -> Array:
    """The array with its axes in the order of ``out``, and an axis of one for each word of ``out`` that it lacks."""
    places = [out.index(word) for word in found]
    ordered = array.transpose(sorted(range(len(places)), key=places.__getitem__))
    return ordered[tuple(slice(None) if word in found else None for word in out)]
