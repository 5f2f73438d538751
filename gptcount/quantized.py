"""Quantized weights: what elements packed into bytes and words stand for, and which tensors only help to read them.

It knows the formats of checkpoints (GPTQ, AWQ, bitsandbytes, MXFP4, NVFP4, BitNet, compressed-tensors), and no model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from gptcount.sources.checkpoint import Entry

Shape = tuple[int, ...]

HELPER = re.compile(
    r"(.+?)(?:[._]weight)?[._]"
    r"(?:scale|scales|scale_inv|scale_2|(?:input_)?global_scale|(?:input|output|activation)_(?:scale|zero_point)|"
    r"zero_point|qzeros|g_idx|shape|SCB|format|(?:nested_)?(?:absmax|quant_map)|quant_state\.\w+)"
)
"""A tensor that quantization keeps beside a weight: scales, zero points, tables; what stands before is the weight."""


class Stands(NamedTuple):
    """What a tensor stands for: a weight's name, how many numbers, and in which shapes they may be.

    Without shapes the header does not say; ``numbers`` are then at least the elements.
    """

    name: str
    numbers: int
    shapes: tuple[Shape, ...] = ()
    packed: bool = False


def stands_for(entry: Entry, entries: Mapping[str, Entry]) -> Stands:
    """What a tensor stands for, told by its name, its dtype and the tensors beside it: most stand for themselves."""
    name, shape, dtype = entry.name, entry.shape, entry.dtype
    if name.endswith(".qweight") and f"{name[:-8]}.scales" in entries:
        return _gptq(entry, entries[f"{name[:-8]}.scales"], entries.get(f"{name[:-8]}.qzeros"))
    if name.endswith("_blocks") and f"{name[:-7]}_scales" in entries and dtype == "U8" and len(shape) > 2:
        *rows, blocks, size = shape  # MXFP4 of gpt-oss: blocks of 16 bytes along what goes in, two numbers in each
        flat = (*rows, 2 * blocks * size)
        return Stands(name[:-7], prod(flat), (flat, (*flat[:-2], flat[-1], flat[-2])), True)
    if name.endswith(".weight_packed") and f"{name[:-7]}_scale" in entries:  # compressed-tensors
        whole = name.removesuffix("_packed")
        return _in_halves(whole, shape) if dtype == "U8" else Stands(whole, entry.elements, packed=True)
    if f"{name}.absmax" in entries:  # bitsandbytes: a flat row, two numbers in a byte
        return Stands(name, 2 * entry.bytes, packed=True)
    scale, exponents = entries.get(f"{name}_scale"), entries.get(f"{name.removesuffix('.weight')}.scale")
    if shape and dtype == "U8" and scale and scale.elements == 1:  # BitNet: four numbers in a byte, of what comes out
        flat = (4 * shape[0], *shape[1:])
        return Stands(name, prod(flat), (flat,), True)
    if shape and ((dtype == "U8" and scale) or (dtype == "I8" and exponents and exponents.dtype == "F8_E8M0")):
        return _in_halves(name, shape)  # NVFP4 and MXFP4: two numbers in a byte
    return Stands(name, entry.elements, (shape,))


def _in_halves(name: str, shape: Shape) -> Stands:
    flat = (*shape[:-1], 2 * shape[-1])
    return Stands(name, prod(flat), (flat,), True)


def _gptq(entry: Entry, scales: Entry, zeros: Entry | None) -> Stands:
    """GPTQ packs along what goes in, AWQ along what comes out. A zero point for each scale, packed as the weights
    are, tells how many bits a number has."""
    name = f"{entry.name[:-8]}.weight"
    bits = zeros.elements * zeros.bits / scales.elements if zeros and scales.elements else 0
    if bits not in (2, 3, 4, 8):
        return Stands(name, entry.elements, packed=True)
    numbers, comes_out = entry.elements * entry.bits // int(bits), scales.shape[-1] if scales.shape else 1
    goes_in = numbers // comes_out
    return Stands(name, numbers, ((comes_out, goes_in), (goes_in, comes_out)), True)


def fits(stands: Stands, entry: Entry, wanted: Shape) -> bool:
    """Whether a tensor stands for one of the shape that is wanted; of one number, [1] and [] are the same."""
    if stands.shapes or not stands.packed:
        return any(_plain(shape) == _plain(wanted) for shape in stands.shapes)
    if stands.numbers != entry.elements:  # a flat row; an odd number of numbers fills up its last byte
        return stands.numbers in (prod(wanted), prod(wanted) + prod(wanted) % 2)
    across = [-(-wanted[-1] * bits // entry.bits) for bits in (2, 3, 4, 8)] if wanted else []
    return entry.shape[:-1] == wanted[:-1] and entry.shape[-1] in across


def _plain(shape: Shape) -> Shape:
    return () if shape == (1,) else shape


def helps(name: str, packed: Mapping[str, bool]) -> bool | None:
    """Whether a tensor only helps to read a weight: None where it does not, else whether that weight is packed.

    ``packed`` has the name of every weight in the file.
    """
    found = HELPER.fullmatch(name)
    beside = [packed[weight] for weight in (found[1], f"{found[1]}.weight") if weight in packed] if found else []
    return any(beside) if beside else None
