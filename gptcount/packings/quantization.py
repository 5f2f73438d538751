"""Quantization: what a specification says of how a checkpoint stores its weights.

It names the method, the packings of its table and the modules that are left as they are. It does not know which tensors
a model has, nor in whose words a configuration said it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from gptcount.blocks.block import Block, Names, allowed
from gptcount.packings.packing import packings
from gptcount.packings.patterns import MOST_PATTERNS, MOST_REGULAR, is_readable, is_regular

Kind = Literal["linear", "embedding", "unembedding", "router", "indexer", "experts"]
"""The kinds of weights that methods treat apart: the matrices of the layers, the two ends, what chooses among experts,
what weighs the heads of an indexer, and experts that are stored as one tensor."""

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]{1,80}$")]
Patterns = Annotated[tuple[str, ...], Field(strict=False, max_length=MOST_PATTERNS)]

METHODS = frozenset(
    "gptq awq fp8 fbgemm_fp8 mxfp4 bitsandbytes compressed-tensors modelopt mlx quanto torchao hqq eetq bitnet "
    "auto-round".split()
)
"""The methods whose checkpoints are known to stand for every number of the model."""


def _readable(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if sum(map(is_regular, patterns)) > MOST_REGULAR:
        raise ValueError(f"at most {MOST_REGULAR} patterns with stars or regular expressions are read")
    if not all(map(is_readable, patterns)):
        raise ValueError("a name of a module, one with stars, or re: and a plain regular expression is expected")
    return patterns


class Scheme(Block):
    """Weights that are packed alike: how, in how many bits, and how many numbers share a scale."""

    packing: str
    bits: Annotated[int, Field(gt=0, le=16)]
    group: Annotated[int, Field(gt=0, le=1_000_000)] | None = None
    """Numbers along what goes in that share a scale; without it, all of them do."""
    block: Annotated[tuple[int, int], Field(strict=False)] | None = None
    """Rows and columns that share a scale."""
    dtype: Literal["I8", "F8_E4M3", "F8_E5M2"] | None = None
    """That of the numbers, where the packing has several."""
    has: Names[Word] = ()
    """What is stored beside them, by the words of the packing: ``asymmetric``, ``actorder``, ``static`` …"""
    modules: Patterns = ()
    """The modules that are packed so; without it, all."""

    @field_validator("packing")
    @classmethod
    def _packing(cls, value: str) -> str:
        if value not in packings():
            raise ValueError(f"there are {', '.join(packings())}")
        return value

    @field_validator("block")
    @classmethod
    def _block(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value and not all(0 < side <= 1_000_000 for side in value):
            raise ValueError("two sizes are expected, such as [128, 128]")
        return value

    _modules = field_validator("modules")(_readable)

    @model_validator(mode="after")
    def _of_the_packing(self) -> Scheme:
        has = packings()[self.packing].bits
        allowed((self.bits not in has, f"bits: {self.packing} has {' or '.join(map(str, has))}"))
        return self


class Quantization(Block):
    """How a checkpoint is quantized. Without ``schemes`` it is not known which tensors its files hold."""

    method: Annotated[str, StringConstraints(max_length=200)]
    dtype: Literal["F16", "BF16", "F32"] = "BF16"
    """That of what is not quantized."""
    schemes: Annotated[tuple[Scheme, ...], Field(strict=False, max_length=100)] = ()
    """The first that a module belongs to is its own."""
    kinds: Names[Kind] = ("linear",)
    """The kinds of weights that are quantized."""
    kept: Patterns = ()
    """The modules that are not."""
    unsure: Names[Kind] = ()
    """The kinds of weights of which the configuration does not say whether they are, unless ``kept`` names them."""
    unknown: str = ""
    """Why it is not known which tensors the files hold, in words."""

    _left_alone = field_validator("kept")(_readable)

    @property
    def stands_for_all(self) -> bool:
        """Whether the checkpoint is known to stand for every number of the model, however it stores them."""
        return self.method in METHODS

    @property
    def bits(self) -> tuple[int, ...]:
        """How many bits a number has, in each scheme."""
        return tuple(dict.fromkeys(scheme.bits for scheme in self.schemes))
