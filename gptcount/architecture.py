"""Architecture: the specification of a model, made of blocks, and the inventory of the whole.

It does not know where a specification comes from, nor how an inventory is read or printed.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, field_validator, model_validator

from gptcount.blocks.altup import AltUp
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.blocks.block import Beside, Block, Real, Size
from gptcount.blocks.compressed_attention import CompressedAttention
from gptcount.blocks.embedding import Embedding, Unembedding
from gptcount.blocks.hyper_connections import HyperConnections
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.laurel import Laurel
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.mlp import GatedMLP, PlainMLP
from gptcount.blocks.norm import Norm
from gptcount.blocks.per_layer_embedding import PerLayerEmbedding
from gptcount.blocks.shortcut import Shortcut
from gptcount.packings.quantization import Quantization
from gptcount.weight import NOTHING, Axis, Inventory, Weight, weight

Attention = Annotated[
    MultiHeadAttention | LatentAttention | CompressedAttention | AttentionMixture, Field(discriminator="kind")
]
Streams = Annotated[AltUp | HyperConnections, Field(discriminator="kind")]
MLP = Annotated[PlainMLP | GatedMLP | Mixture, Field(discriminator="kind")]

Residual = Literal["pre-norm", "post-norm", "output-norm", "sandwich", "parallel", "parallel-shared", "normed-residual"]
"""Where the norms of a layer stand, for a branch f (attention, then the MLP) and its norm:

- ``pre-norm``: x + f(norm(x))
- ``post-norm``: norm(x + f(x))
- ``output-norm``: x + norm(f(x))
- ``sandwich``: x + norm'(f(norm(x)))
- ``parallel``: x + attention(norm(x)) + mlp(norm'(x))
- ``parallel-shared``: x + attention(norm(x)) + mlp(norm(x)), one norm for both
- ``normed-residual``: n + f(n) with n = norm(x)
"""

_ONE = r"(\d{1,6}|(-?\d{1,6})?:(-?\d{1,6})?(:[1-9]\d{0,5})?)"
SLICES = rf"{_ONE}(,{_ONE})*"


class Layer(NamedTuple):
    """One layer: what it mixes tokens with, and what it does to each."""

    attention: MultiHeadAttention | LatentAttention | CompressedAttention | AttentionMixture
    mlp: PlainMLP | GatedMLP | Mixture


class Variation(Block):
    """Layers that differ from the others: which, as Python slices (``0:3``, ``5::6``, ``3,7,9:12``), and in what."""

    layers: str
    attention: Attention | None = None
    mlp: MLP | None = None

    @field_validator("layers")
    @classmethod
    def _slices(cls, value: str) -> str:
        if len(value) > 5_000 or not re.fullmatch(SLICES, value, re.ASCII):
            raise ValueError("slices are wanted, such as 0:3, 5::6 or 3,7,9:12")
        return value

    def of(self, n_layers: int) -> set[int]:
        """The indices of the layers that vary, among ``n_layers``. Raises ValueError for one that there is not."""
        chosen: set[int] = set()
        for part in self.layers.split(","):
            bounds = [int(bound) if bound else None for bound in part.split(":")]
            if len(bounds) > 1:
                chosen.update(range(n_layers)[slice(*bounds)])
            elif int(part) < n_layers:
                chosen.add(int(part))
            else:
                raise ValueError(f"variations: layers = {self.layers!r}, and the layers are 0 to {n_layers - 1}")
        return chosen


class Published(Block):
    """What the publisher says the model has: the total, as printed, which total it is, and where it is said."""

    total: int | str
    of: Literal["parameters", "stored", "matrix_parameters"] = "parameters"
    source: str
    note: str = ""

    @field_validator("total", mode="plain")
    @classmethod
    def _total(cls, value: object) -> object:
        if not isinstance(value, str) and (type(value) is not int or not 0 < value < 10**18):
            raise ValueError('the number of parameters is wanted, or the text that is printed, such as "6.7B"')
        return value


class Architecture(Block):
    """A model's specification: sizes, blocks and the layers that vary. What a preset file says, key by key."""

    name: str
    n_vocab: Size
    n_ctx: Size
    n_layers: Annotated[int, Field(gt=0, le=100_000)]
    d_model: Size
    embedding: Embedding = Embedding()
    attention: Attention
    mlp: MLP
    norm: Norm
    residual: Residual = "pre-norm"
    residual_scale: Real = 1.0
    """What each branch is multiplied by before it is added."""
    streams: Streams | None = None
    """Several vectors flow for each token, not one."""
    laurel: Laurel | None = None
    per_layer_embedding: PerLayerEmbedding | None = None
    shortcut: Shortcut | None = None
    layer_scalar: bool = False
    """What leaves a layer is multiplied by a number that a checkpoint keeps (Gemma 4)."""
    variations: Annotated[tuple[Variation, ...], Field(strict=False, max_length=1_000)] = ()
    final_norm: Norm | bool = True
    """The norm after the last layer: like the others, or one of its own, or none (false)."""
    unembedding: Unembedding
    checkpoint: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$")] | None = None
    """The family whose names the stored tensors have (a ``model_type``)."""
    quantization: Quantization | None = None
    """How the checkpoint stores its weights, where it is quantized; it changes no count of parameters."""
    notes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """What a reader of the count should know: parts that are left out, say."""
    published: Published | None = None

    @model_validator(mode="after")
    def _variations_vary(self) -> Architecture:
        for variation in self.variations:
            if not variation.of(self.n_layers):
                raise ValueError(
                    f"variations: layers = {variation.layers!r} selects none of n_layers = {self.n_layers}"
                )
        return self

    def inventory(self) -> Inventory:
        """Every weight of the model, bound to its sizes, in the order of the flow."""
        norm, width = self.last_norm(), "d_embedding" if self.embedding.d_embedding else "d_model"
        return (
            self.embedding.inventory().under("embedding")
            + sum((block.of_model().under(path) for path, block in self.beside().items()), NOTHING)
            + self._layered()
            + (norm.across("d_model").under("final_norm") if norm else NOTHING)
            + self.unembedding.across(width).under("unembedding")
        ).bind(self.embedding.sizes() | self.sizes())

    def last_norm(self) -> Norm | None:
        """The norm after the last layer, if there is one."""
        return self.final_norm if isinstance(self.final_norm, Norm) else self.norm if self.final_norm else None

    def beside(self) -> dict[str, Beside]:
        """What stands beside the attention and the MLP of every layer, by the path that it is filed under."""
        blocks = {"streams": self.streams, "laurel": self.laurel, "per_layer_embedding": self.per_layer_embedding}
        return {path: block for path, block in blocks.items() if block}

    def stack(self) -> list[Layer]:
        """The layers, from the first to the last."""
        stack = [Layer(self.attention, self.mlp)] * self.n_layers
        for variation in self.variations:
            for index in variation.of(self.n_layers):
                layer = stack[index]
                stack[index] = Layer(variation.attention or layer.attention, variation.mlp or layer.mlp)
        return stack

    def layers(self) -> dict[Layer, tuple[int, ...]]:
        """The different layers, each with the indices where it stands: cost goes with these, not with n_layers."""
        if not self.variations:
            return {Layer(self.attention, self.mlp): tuple(range(self.n_layers))}
        stack, same = self.stack(), dict[tuple[int, int], list[int]]()
        for index, layer in enumerate(stack):  # by identity first: a block takes long to hash
            same.setdefault((id(layer.attention), id(layer.mlp)), []).append(index)
        found: dict[Layer, list[int]] = {}
        for where in same.values():
            found.setdefault(stack[where[0]], []).extend(where)
        return {layer: tuple(sorted(where)) for layer, where in found.items()}

    def _repr_html_(self) -> str:
        from gptcount.output import html, tables

        return html.render(tables.specification(self))

    def of_layer(self, layer: Layer) -> Inventory:
        """The weights of one layer."""
        before, after = self.residual != "output-norm", self.residual in ("output-norm", "sandwich")
        norm = self.norm.across("d_model")
        pair = (
            (norm.under("attention_norm") if before else NOTHING)
            + layer.attention.inventory().under("attention")
            + (norm.under("attention_output_norm") if after else NOTHING)
            + (norm.under("mlp_norm") if before and self.residual != "parallel-shared" else NOTHING)
            + layer.mlp.inventory().under("mlp")
            + (norm.under("mlp_output_norm") if after else NOTHING)
        )
        return (
            (self.shortcut.around(pair) if self.shortcut else pair)
            + sum((block.of_layer().under(path) for path, block in self.beside().items()), NOTHING)
            + (weight("layer_scalar", "", "buffer") if self.layer_scalar else NOTHING)
        )

    def _layered(self) -> Inventory:
        """The weights of all layers; those that several kinds of layer have alike are one line."""
        layers = self.layers()
        if len(layers) == 1:
            return self.of_layer(next(iter(layers))).per(Axis("n_layers"))
        lines: dict[Weight, list[int]] = {}
        for layer, where in layers.items():
            for line in self.of_layer(layer):
                lines.setdefault(line, []).extend(where)
        return sum((Inventory([line]).per(self._layers_at(where)) for line, where in lines.items()), NOTHING)

    def _layers_at(self, where: list[int]) -> Axis:
        if len(where) == self.n_layers:
            return Axis("n_layers")
        return Axis("n_layers", len(where), where=tuple(sorted(where)))
