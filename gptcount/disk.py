"""On disk: the tensors that the files of a quantized checkpoint hold, with their dtypes and bytes.

It reads the tensors of a model and what its specification says of quantization, by the table of packings. Where that
leaves something open, the bytes are a range; where it says too little, it is said why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from gptcount.architecture import Architecture
from gptcount.errors import InputError
from gptcount.packings.packing import Part, known, packings, size
from gptcount.packings.patterns import matcher
from gptcount.packings.quantization import Kind, Quantization, Scheme
from gptcount.sources.entries import BITS
from gptcount.stored import Tensor, tensors
from gptcount.weight import Axis

Shape = tuple[int, ...]

TORCH = {"F16": "float16", "BF16": "bfloat16", "F32": "float32"}

MOST_NAMED = 100_000
"""Of so many modules, layer by layer and expert by expert, each is held against the patterns."""

OFFSET = (3, 24)
"""How many characters bitsandbytes writes for the mean of the scales: ``0.5`` to ``1.2345678901234567e-05``."""


class UnknownFilesError(InputError):
    """A quantization that is named, and of which it is not known which tensors the files hold."""


class Held(NamedTuple):
    """Equal tensors in the files; ``{}`` stands for each number in their name."""

    tensor: str
    dtype: str | None
    """None where it may be one of several."""
    shape: Shape | None
    """Of one of them; None where it depends on the weights."""
    copies: int
    least: int
    most: int
    """The bytes of all copies together: so many at least, and at most."""

    def to_record(self) -> dict[str, Any]:
        """A plain record, for a JSON file; what is not known is null."""
        return {
            "name": self.tensor,
            "dtype": self.dtype,
            "shape": None if self.shape is None else list(self.shape),
            "copies": self.copies,
            "elements": None if self.shape is None else self.copies * prod(self.shape),
            "bytes": self.least if self.least == self.most else None,
        }


def held(architecture: Architecture) -> tuple[Held, ...]:
    """The tensors that the files of a quantized model hold. Raises UnknownFilesError where they are not known."""
    said = architecture.quantization
    if said is None or said.unknown or not said.schemes:
        raise UnknownFilesError(
            said.unknown if said and said.unknown else "the configuration does not say how weights are packed"
        )
    files = _Files(said, tensors(architecture))
    alike: dict[tuple[str, str | None, Shape | None], Held] = {}
    for one in files.held():
        name = re.sub(r"(?<=\.)\d+(?=\.|$)", "{}", one.tensor)
        before = alike.get(key := (name, one.dtype, one.shape))
        copies, least, most = before[3:] if before else (0, 0, 0)
        alike[key] = Held(*key, copies + one.copies, least + one.least, most + one.most)
    return tuple(one for one in alike.values() if one.copies)


class _Files:
    """Writes the tensors of a model as a quantization says."""

    def __init__(self, said: Quantization, of: list[Tensor]) -> None:
        self.said = said
        self.tensors = of
        self.names = {tensor.name for tensor in of}
        self.kept = matcher(said.kept)
        self.own = [(scheme, matcher(scheme.modules)) for scheme in said.schemes if scheme.modules]
        self.corrected = any(tensor.weights[0].name.endswith("router.correction") for tensor in of)

    def held(self) -> Iterator[Held]:
        """The tensors, in the order of the family's table."""
        for tensor in self.tensors:
            kind = kind_of(tensor)
            shape = tensor.shape
            name, indices, lead = _switched(tensor, kind) if self.said.method == "mlx" else _as_is(tensor)
            for scheme, copies in self._by_scheme(name, indices, kind).items():
                if scheme is None or (self.said.method == "mlx" and shape[-1] % (scheme.group or 1)):
                    yield self._plain(tensor, name, (*lead, *shape), copies)
                else:
                    yield from self._packed(scheme, tensor, name, lead, copies)

    def _plain(self, tensor: Tensor, name: str, shape: Shape, copies: int) -> Held:
        of, n = tensor.weights[0].name, copies * prod(shape)
        if self.corrected and ".router" in f".{of}":  # kept in 16 bits by some, in 32 by others
            return Held(name, None, shape, copies, 2 * n, 4 * n)
        dtype = self.said.dtype
        return Held(name, dtype, shape, copies, BITS[dtype] * n // 8, BITS[dtype] * n // 8)

    def _packed(self, scheme: Scheme, tensor: Tensor, name: str, lead: Shape, copies: int) -> Iterator[Held]:
        *stack, rows, columns = tensor.shape
        lead, out_first = (*lead, *stack), _out_first(tensor)
        out, goes_in = (rows, columns) if out_first else (columns, rows)
        if not out_first and not stack and self.said.method not in ("gptq", "bitsandbytes"):
            raise UnknownFilesError(
                f"its layers store what goes in first, which {self.said.method} is not known to pack"
            )
        group, block = scheme.group or goes_in, scheme.block or (128, 128)
        sizes = known(out, goes_in, scheme.bits, group, block)
        for part in packings()[scheme.packing].parts:
            if part.when in ("", "stored", *scheme.has):
                yield self._part(part, scheme, name, lead, sizes, copies)
        bias = f"{name.removesuffix('.weight')}.bias"
        if bias not in self.names and ("biases" in scheme.has or "perhaps-biases" in scheme.has):
            n = copies * out * BITS["F16"] // 8
            yield Held(bias, "F16", (out,), copies, n if "biases" in scheme.has else 0, n)

    def _part(self, part: Part, scheme: Scheme, name: str, lead: Shape, sizes: dict[str, int], copies: int) -> Held:
        dtype = self.said.dtype if part.dtype == "F" else part.dtype
        if part is packings()[scheme.packing].parts[0] and scheme.dtype:
            dtype = scheme.dtype
        if not part.shapes and "quant_state" not in part.name:
            raise UnknownFilesError(f"{scheme.packing}: it is not known how large {part.named(name)} is")
        if not part.shapes:
            least, most = _state(scheme, sizes, self.said.dtype)
            length = (least,) if least == most else None
            return Held(part.named(name), dtype, length, copies, copies * least, copies * most)
        words = ("1",) if "tensor" in scheme.has and ("1",) in part.shapes else part.shapes[0]
        found = [size(word, sizes) for word in words]
        if None in found:
            raise UnknownFilesError(f"{scheme.packing}: {part.named(name)} comes to no whole number of words")
        shape = (*lead, *(n for n in found if n))
        n = copies * prod(shape) * BITS[dtype] // 8
        return Held(part.named(name), dtype, shape, copies, n, n)

    def _by_scheme(self, name: str, indices: tuple[Axis, ...], kind: Kind | None) -> dict[Scheme | None, int]:
        """How many of a tensor's copies are packed in which way; None where they are not."""
        if kind is None:
            return {None: _copies(indices)}
        found: dict[Scheme | None, int] = {}
        for module, copies in self._modules(name.removesuffix(".weight"), indices):
            scheme = None if self.kept(module) else self._scheme(module, kind)
            found[scheme] = found.get(scheme, 0) + copies
        return found

    def _scheme(self, module: str, kind: Kind) -> Scheme | None:
        own = next((scheme for scheme, test in self.own if test(module)), None)
        if own and kind in ("linear", "unembedding", "router", "indexer", *self.said.kinds):
            return own
        if kind in self.said.unsure:
            raise UnknownFilesError(f"the configuration does not say whether {module} is quantized")
        if kind not in self.said.kinds:
            return None
        return next((scheme for scheme in self.said.schemes if not scheme.modules), None)

    def _modules(self, name: str, indices: tuple[Axis, ...]) -> Iterator[tuple[str, int]]:
        """Modules, and how many there are that patterns cannot tell apart: one expert stands for all."""
        patterns = "\n".join((*self.said.kept, *(text for scheme in self.said.schemes for text in scheme.modules)))
        within: list[Sequence[int]] = []
        stands = 1
        for place, axis in enumerate(indices):
            which = axis.where or range(axis.n)
            word = name.split("{}")[place].rstrip(".").rpartition(".")[2]
            if place and not re.search(rf"{word}\\?\.[\d(\[]", patterns):
                stands *= len(which)
                which = which[-1:]
            within.append(which)
        if prod(map(len, within)) > MOST_NAMED:
            raise UnknownFilesError(f"more than {MOST_NAMED} modules of one name are not told apart")
        between = name.split("{}")
        for numbers in product(*within):
            yield "".join(a + str(b) for a, b in zip(between, (*numbers, ""), strict=True)), stands


def kind_of(tensor: Tensor) -> Kind | None:
    """What methods of quantization take a tensor for; None for what none of them quantizes."""
    weight = tensor.weights[0]
    if weight.role != "matrix":
        return None
    if weight.name in ("embedding.token", "per_layer_embedding.token"):
        return "embedding"
    if weight.name == "unembedding.token":
        return "unembedding"
    if {"router", "shared_gate"} & set(weight.name.split(".")):
        return "router"
    if weight.name.endswith("indexer.head_weight"):
        return "indexer"
    if any(axis.name == "n_experts" for axis in weight.axes) and len(tensor.indices) < 2:
        return "experts"
    return "linear" if tensor.name.endswith(".weight") and len(tensor.shape) == 2 else None


def _copies(indices: tuple[Axis, ...]) -> int:
    return prod(axis.n for axis in indices)


def _out_first(tensor: Tensor) -> bool:
    """Whether the last two dimensions are what comes out by what goes in, as in a linear layer of PyTorch; a table of
    tokens is packed as it lies."""
    weight, dimensions = tensor.weights[0], tensor.line.dimensions[-2:]
    if kind_of(tensor) == "embedding":
        return True
    comes_out, goes_in = ({axis.name for axis in dimension} for dimension in (weight.shape[-1], weight.shape[0]))
    for place, words in enumerate(dimensions):
        named = set(words) - {"|"}
        if named and named <= goes_in and not named <= comes_out:
            return place == 1
        if named and named <= comes_out and not named <= goes_in:
            return place == 0
    return True


def _as_is(tensor: Tensor) -> tuple[str, tuple[Axis, ...], Shape]:
    return tensor.name, tensor.indices, ()


def _switched(tensor: Tensor, kind: Kind | None) -> tuple[str, tuple[Axis, ...], Shape]:
    """A tensor as MLX stores it: the experts of a layer are one."""
    if kind == "experts" or ".kv_b_proj." in tensor.name:
        raise UnknownFilesError("MLX stores these experts, or this latent attention, under names that are not known")
    if ".experts.{}." not in tensor.name:
        return tensor.name, tensor.indices, ()
    name = tensor.name.replace(".experts.{}.", ".switch_mlp.")
    for ours, theirs in (("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")):
        name = name.replace(f".{ours}.", f".{theirs}.")
    return name, tensor.indices[:1], (tensor.indices[1].n,)


def _state(scheme: Scheme, sizes: dict[str, int], dtype: str) -> tuple[int, int]:
    """How long the text is that bitsandbytes keeps beside a weight, at least and at most."""
    state: dict[str, Any] = {
        "quant_type": "fp4" if "fp4" in scheme.has else "nf4",
        "blocksize": sizes["group"],
        "dtype": TORCH[dtype],
        "shape": [sizes["out"], sizes["in"]],
    }
    if scheme.packing == "bitsandbytes-4":
        length = len(json.dumps(state))
        return length, length
    length = len(json.dumps(state | {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0}))
    return length - 1 + OFFSET[0], length - 1 + OFFSET[1]
