"""Architecture: the specification of a model, made of blocks, and the inventory of the whole.

It does not know where a specification comes from, nor how an inventory is read or printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import groupby
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints, field_validator, model_validator

from gptcount.blocks.altup import AltUp
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.blocks.block import Beside, Block, Real, Size, allowed
from gptcount.blocks.compressed_attention import CompressedAttention
from gptcount.blocks.cross_attention import CrossAttention
from gptcount.blocks.embedding import Embedding, Head, Unembedding
from gptcount.blocks.hyper_connections import HyperConnections
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.laurel import Laurel
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.mlp import GatedMLP, PlainMLP
from gptcount.blocks.norm import Norm
from gptcount.blocks.per_layer_embedding import PerLayerEmbedding
from gptcount.blocks.shortcut import Shortcut
from gptcount.numbers import count
from gptcount.packings.quantization import Quantization
from gptcount.weight import NOTHING, Axis, Inventory, Weight, linear, weight

Attention = Annotated[
    MultiHeadAttention | LatentAttention | CompressedAttention | AttentionMixture | CrossAttention,
    Field(discriminator="kind"),
]
Streams = Annotated[AltUp | HyperConnections, Field(discriminator="kind")]
MLP = Annotated[PlainMLP | GatedMLP | Mixture, Field(discriminator="kind")]

Residual = Literal[
    "pre-norm",
    "post-norm",
    "output-norm",
    "sandwich",
    "parallel",
    "parallel-shared",
    "normed-residual",
    "gained",
    "averaged",
]
"""Where the norms of a layer stand, for a branch f (attention, then the MLP) and its norm:

- ``pre-norm``: x + f(norm(x))
- ``post-norm``: norm(x + f(x))
- ``output-norm``: x + norm(f(x))
- ``sandwich``: x + norm'(f(norm(x)))
- ``parallel``: x + attention(norm(x)) + mlp(norm'(x))
- ``parallel-shared``: x + attention(norm(x)) + mlp(norm(x)), one norm for both
- ``normed-residual``: n + f(n) with n = norm(x)
- ``averaged``: x sqrt(1 - 1/k) + norm'(f(norm(x))) / sqrt(k), where k counts what was added, the embedding included
- ``gained``: g x + f(norm(x)), each number of x with a learned gain
"""

MOST_SLICES = 5_000
"""Characters that say which layers vary."""

MOST_VARIATIONS = 1_000

MOST_SELECTED = 2_000_000
"""So many layers all variations together may select, one layer as often as it is selected."""

CHANGED = "changed, so the published total is not compared"
OF_NO_SIZE = {"name", "notes", "published", "checkpoint"}
"""Keys whose change leaves the published total what it is."""

_ONE = r"(\d{1,6}|(-?\d{1,6})?:(-?\d{1,6})?(:[1-9]\d{0,5})?)"
SLICES = rf"{_ONE}(,{_ONE})*"


class Layer(NamedTuple):
    """One layer: what it mixes tokens with, and what it does to each."""

    attention: MultiHeadAttention | LatentAttention | CompressedAttention | AttentionMixture | CrossAttention
    mlp: PlainMLP | GatedMLP | Mixture

    @property
    def mlp_norm(self) -> str:
        """What the norm before the MLP is called: a checkpoint may have another name for one that a gate follows."""
        return "mlp_norm.gated" if isinstance(self.mlp, Mixture) and self.mlp.d_input_gate else "mlp_norm"


class Variation(Block):
    """Layers that differ from the others: which, as Python slices (``0:3``, ``5::6``, ``3,7,9:12``), and in what."""

    layers: str
    attention: Attention | None = None
    mlp: MLP | None = None

    @field_validator("layers")
    @classmethod
    def _slices(cls, value: str) -> str:
        if len(value) > MOST_SLICES or not re.fullmatch(SLICES, value, re.ASCII):
            raise ValueError("expected slices, such as 0:3, 5::6 or 3,7,9:12")
        return value

    def of(self, n_layers: int) -> set[int]:
        """The indices of the layers that vary, among ``n_layers``. Raises ValueError for one that there is not."""
        return {index for part in self.ranges(n_layers) for index in part}

    def ranges(self, n_layers: int) -> list[range]:
        """The layers that each of the slices selects. Raises ValueError for a layer that there is not."""
        found = []
        for part in self.layers.split(","):
            bounds = [int(bound) if bound else None for bound in part.split(":")]
            if len(bounds) == 1 and int(part) >= n_layers:
                raise ValueError(f"variations: layers = {self.layers!r}, and the layers are 0 to {n_layers - 1}")
            found.append(range(n_layers)[slice(*bounds)] if len(bounds) > 1 else range(int(part), int(part) + 1))
        return found


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
            raise ValueError('expected the number of parameters, or the text that is printed, such as "6.7B"')
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
    output_norm: Norm | None = None
    """The norm of what a branch brings, where it is not like the one of what a branch reads (Muse Glimmer)."""
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
    variations: Annotated[tuple[Variation, ...], Field(strict=False, max_length=MOST_VARIATIONS)] = ()
    final_norm: Norm | bool = True
    """The norm after the last layer: like the others, or one of its own, or none (false)."""
    unembedding: Unembedding | Literal[False]
    """What scores all tokens as the next; false where the model scores none (a base model, a classifier)."""
    head: Head | None = None
    """What scores labels."""
    checkpoint: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$")] | None = None
    """The family whose names the stored tensors have (a ``model_type``)."""
    quantization: Quantization | None = None
    """How the checkpoint stores its weights, where it is quantized; it changes no count of parameters."""
    notes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """What a reader of the count should know: parts that are left out, say."""
    published: Published | None = None

    @model_validator(mode="after")
    def _variations_vary(self) -> Architecture:
        selected = 0
        for variation in self.variations:
            selected += (most := sum(map(len, variation.ranges(self.n_layers))))
            allowed(
                (selected > MOST_SELECTED, f"variations: they select more than {count(MOST_SELECTED)} layers in all")
            )
            if not most:
                raise ValueError(
                    f"variations: layers = {variation.layers!r} selects none of n_layers = {self.n_layers}"
                )
        return self

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Architecture:
        """What stands beside attention and MLP, and how they are added, go together in some ways only."""
        hyper, altup = isinstance(self.streams, HyperConnections), isinstance(self.streams, AltUp)
        plain = self.residual == "pre-norm" and self.residual_scale == 1
        positions, around = self.embedding.positions, "hyper-connections" if hyper else "a shortcut"
        crossed = any(isinstance(layer.attention, CrossAttention) for layer in self.layers())
        rows, tied = self.embedding.n_embedded, self.unembedding and self.unembedding.tied
        allowed(
            ((hyper or self.shortcut) and not plain, f"residual: layers with {around} are pre-norm and not scaled"),
            ((hyper or self.shortcut) and self.laurel, f"laurel: layers with {around} have none"),
            (self.streams and self.shortcut, "shortcut: one vector flows where there is one, not several (streams)"),
            (hyper and self.per_layer_embedding, "per_layer_embedding: not beside hyper-connections"),
            (hyper and self.layer_scalar, "layer_scalar: not beside hyper-connections"),
            (altup and not self.per_layer_embedding, "streams: altup brings per-layer embeddings into its streams"),
            (self.laurel and self.residual != "sandwich", 'laurel: it stands in layers whose residual is "sandwich"'),
            (
                self.shortcut
                and any(isinstance(part, Mixture | AttentionMixture) for one in self.layers() for part in one),
                "shortcut: beside its mixture there are no others, of MLPs or of attention",
            ),
            (
                crossed and (not plain or self.streams or self.shortcut),
                "attention: the kind cross stands in pre-norm layers that are not scaled, without streams or shortcut",
            ),
            (
                (not plain or self.streams or self.shortcut)
                and any(one.mlp_norm != "mlp_norm" for one in self.layers()),
                "mlp.d_input_gate: it stands in pre-norm layers that are not scaled, without streams or shortcut",
            ),
            (
                self.output_norm and self.residual not in ("sandwich", "averaged"),
                'output_norm: there are norms on both sides of a branch where the residual is "sandwich" or "averaged"',
            ),
            (rows and rows < self.n_vocab, f"embedding.n_embedded = {rows} is less than n_vocab = {self.n_vocab}"),
            (rows and tied, "embedding.n_embedded: a tied unembedding has the rows of the embedding; leave it out"),
            (
                positions and positions.n_positions and positions.n_positions < self.n_ctx,
                f"embedding.positions.n_positions: fewer than n_ctx = {self.n_ctx}",
            ),
        )
        self._what_is_shared_is_there()
        return self

    def _what_is_shared_is_there(self) -> None:
        """Raises ValueError where a layer takes from an earlier one what none has left."""
        left: dict[object, object] = {}
        for _, alike in groupby((attention for attention, _ in self._pairs()), id):
            attention = next(alike)
            if isinstance(attention, MultiHeadAttention):
                kind = ("keys and values", bool(attention.window))
                sizes = attention.n_kv_heads or attention.n_heads, attention.d_head, attention.d_value
                allowed(
                    (attention.shares_kv and kind not in left, "attention.shares_kv: no earlier layer has them"),
                    (
                        attention.shares_kv and left.get(kind) != sizes,
                        "attention.shares_kv: the earlier layer's have other sizes (n_kv_heads, d_head, d_value)",
                    ),
                )
                left[kind] = sizes
            elif isinstance(attention, LatentAttention):
                missing = attention.indexer == "shared" and "choice" not in left
                allowed((missing, "attention.indexer: no earlier layer has one whose choice could be shared"))
                left |= {"choice": True} if attention.indexer else {}

    def inventory(self) -> Inventory:
        """Every weight of the model, bound to its sizes, in the order of the flow."""
        norm = self.last_norm()
        return (
            self.embedding.inventory().under("embedding")
            + sum((block.of_model().under(path) for path, block in self.beside().items()), NOTHING)
            + self._layered()
            + (norm.across("d_model").under("final_norm") if norm else NOTHING)
            + self._end()
        ).bind(self._bound())

    def _bound(self) -> dict[str, int]:
        return self.embedding.sizes() | self.sizes()

    def _kept(self, changed: Iterable[str]) -> dict[str, Any]:
        data = self.plain()
        if not OF_NO_SIZE.issuperset(changed) and data.pop("published", None):
            data.setdefault("notes", []).append(CHANGED)
        return data

    def _end(self) -> Inventory:
        """What turns the last vectors into scores; where the embedding is narrower, they are first made as narrow."""
        narrower = self.embedding.d_embedding is not None
        width = "d_embedding" if narrower else "d_model"
        return (
            (linear("unembedding.projection", f"d_model {width}") if narrower else NOTHING)
            + (self.unembedding.across(width).under("unembedding") if self.unembedding else NOTHING)
            + (self.head.across(width) if self.head else NOTHING)
        )

    def last_norm(self) -> Norm | None:
        """The norm after the last layer, if there is one."""
        return self.final_norm if isinstance(self.final_norm, Norm) else self.norm if self.final_norm else None

    def beside(self) -> dict[str, Beside]:
        """What stands beside the attention and the MLP of every layer, by the path that it is filed under."""
        blocks = {"streams": self.streams, "laurel": self.laurel, "per_layer_embedding": self.per_layer_embedding}
        return {path: block for path, block in blocks.items() if block}

    def stack(self) -> list[Layer]:
        """The layers, from the first to the last."""
        return [Layer(*pair) for pair in self._pairs()]

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        attentions, mlps = [self.attention] * self.n_layers, [self.mlp] * self.n_layers
        for variation in self.variations:
            for part in variation.ranges(self.n_layers):
                where, n = slice(part.start, part.stop, part.step), len(part)
                attentions[where] = [variation.attention] * n if variation.attention else attentions[where]
                mlps[where] = [variation.mlp] * n if variation.mlp else mlps[where]
        return zip(attentions, mlps, strict=True)

    def layers(self) -> dict[Layer, tuple[int, ...]]:
        """The different layers, each with the indices where it stands: cost goes with these, not with n_layers."""
        return self._different

    @cached_property
    def _different(self) -> dict[Layer, tuple[int, ...]]:
        if not self.variations:
            return {Layer(self.attention, self.mlp): tuple(range(self.n_layers))}
        same: dict[tuple[int, int], tuple[Layer, list[int]]] = {}
        for index, (attention, mlp) in enumerate(self._pairs()):  # by identity first: a block takes long to hash
            key = id(attention), id(mlp)
            if key not in same:
                same[key] = Layer(attention, mlp), []
            same[key][1].append(index)
        found: dict[Layer, list[int]] = {}
        for layer, where in same.values():
            found.setdefault(layer, []).extend(where)
        return {layer: tuple(sorted(where)) for layer, where in found.items()}

    def _repr_html_(self) -> str:
        from gptcount.output import html, tables

        return html.render(tables.specification(self))

    def of_layer(self, layer: Layer) -> Inventory:
        """The weights of one layer, bound to the model's sizes."""
        return self._of_layer(layer).bind(self._bound())

    def _of_layer(self, layer: Layer) -> Inventory:
        before, after = self.residual != "output-norm", self.residual in ("output-norm", "sandwich", "averaged")
        norm = self.norm.across("d_model")
        own = (self.output_norm or self.norm).across("d_model")
        pair = (
            (norm.under("attention_norm") if before else NOTHING)
            + layer.attention.inventory().under("attention")
            + (own.under("attention_output_norm") if after else NOTHING)
            + (norm.under(layer.mlp_norm) if before and self.residual != "parallel-shared" else NOTHING)
            + layer.mlp.inventory().under("mlp")
            + (own.under("mlp_output_norm") if after else NOTHING)
            + (self._residual_gains() if self.residual == "gained" else NOTHING)
        )
        return (
            (self.shortcut.around(pair) if self.shortcut else pair)
            + sum((block.of_layer().under(path) for path, block in self.beside().items()), NOTHING)
            + (weight("layer_scalar", "", "buffer") if self.layer_scalar else NOTHING)
        )

    def _residual_gains(self) -> Inventory:
        return weight("attention_residual", "d_model", "other") + weight("mlp_residual", "d_model", "other")

    def _layered(self) -> Inventory:
        """The weights of all layers; those that several kinds of layer have alike are one line."""
        layers = self.layers()
        if len(layers) == 1:
            return self._of_layer(next(iter(layers))).per(Axis("n_layers"))
        lines: dict[Weight, list[int]] = {}
        for layer, where in layers.items():
            for line in self._of_layer(layer):
                lines.setdefault(line, []).extend(where)
        return Inventory([each for line, at in lines.items() for each in Inventory([line]).per(self._layers_at(at))])

    def _layers_at(self, where: list[int]) -> Axis:
        if len(where) == self.n_layers:
            return Axis("n_layers")
        return Axis("n_layers", len(where), where=tuple(sorted(where)))
