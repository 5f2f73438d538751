"""Architecture: the specification of a model, made of blocks, and the inventory of the whole.

It does not know where a specification comes from, nor how an inventory is read or printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from gptcount.blocks.altup import AltUp
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.blocks.block import Absent, Beside, Block, Real, Size, allowed
from gptcount.blocks.branch_convolution import BranchConvolution
from gptcount.blocks.cross_attention import CrossAttention
from gptcount.blocks.embedding import Embedding, Head, Unembedding
from gptcount.blocks.factors import ResidualFactors
from gptcount.blocks.gated_streams import GatedStreams
from gptcount.blocks.hyper_connections import HyperConnections
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.laurel import Laurel
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.norm import Norm
from gptcount.blocks.per_layer_embedding import PerLayerEmbedding
from gptcount.blocks.shared_transformer import SharedTransformer
from gptcount.blocks.shortcut import Shortcut
from gptcount.layer import MLP, Attention, Branch, Layer, Mixer, Residual, Variation
from gptcount.numbers import count
from gptcount.packings.quantization import Quantization
from gptcount.showing import as_html
from gptcount.weight import NOTHING, Axis, Inventory, Weight, linear, weight

Streams = Annotated[AltUp | HyperConnections | GatedStreams, Field(discriminator="kind")]

MOST_VARIATIONS = 1_000

MOST_SELECTED = 2_000_000
"""So many layers all variations together may select, one layer as often as it is selected."""

CHANGED = "changed, so the published total is not compared"
OF_NO_SIZE = {"name", "notes", "published", "checkpoint"}
"""Keys whose change leaves the published total what it is."""


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
    n_ctx: Size | Absent
    """How many tokens a text may have; false where any number may be, as nothing in the model has a position."""
    n_layers: Annotated[Size, Field(le=100_000)]
    d_model: Size
    embedding: Embedding = Embedding()
    attention: Attention | Absent
    """What mixes tokens by looking at them; false where no layer has it, but for those that vary."""
    mixer: Mixer | Absent = False
    """What mixes tokens otherwise; beside attention, where a layer has both."""
    mlp: MLP | Absent
    norm: Norm
    output_norm: Norm | None = None
    """The norm of what a branch brings, where it is not like the one of what a branch reads (Muse Glimmer)."""
    residual: Residual = "pre-norm"
    residual_scale: Real = 1.0
    """What each branch is multiplied by before it is added."""
    residual_factors: ResidualFactors | None = None
    """Factors of each kind of branch, where the residual is ``normed-residual``."""
    branch_convolution: BranchConvolution | None = None
    residual_scaling: bool = False
    """A token's vector and what a branch brings each have a learned bias and a learned gain before they are added
    (ZAYA)."""
    halved_every: Annotated[int, Field(gt=0, le=100_000)] | None = None
    """After each so many layers vectors are halved, and so is what later layers bring (RWKV-4)."""
    streams: Streams | None = None
    """Several vectors flow for each token, not one."""
    laurel: Laurel | None = None
    per_layer_embedding: PerLayerEmbedding | None = None
    shortcut: Shortcut | None = None
    shared: SharedTransformer | None = None
    """A block that layers share."""
    uses_shared: bool = False
    """Every layer uses it, but for those that vary."""
    layer_scalar: bool = False
    """What leaves a layer is multiplied by a number that a checkpoint keeps (Gemma 4)."""
    variations: Annotated[tuple[Variation, ...], Field(strict=False, max_length=MOST_VARIATIONS)] = ()
    final_norm: Norm | bool = True
    """The norm after the last layer: like the others, or one of its own, or none (false)."""
    unembedding: Unembedding | Absent
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
        gated = isinstance(self.streams, GatedStreams)
        positions, around = self.embedding.positions, "streams" if gated else "a shortcut"
        around = "hyper-connections" if hyper else around
        layers = list(self.layers())
        before = {layer.residual for layer in layers} == {"pre-norm"}
        plain = before and self.residual_scale == 1 and not self.halved_every
        crossed = any(isinstance(layer.attention, CrossAttention) for layer in layers)
        other = self.residual != "pre-norm" or self.streams or self.shortcut or self.shared or crossed
        without = "without streams, a shortcut, shared blocks or cross-attention"
        usual = all(layer.attention and layer.mlp and not layer.mixer for layer in layers)
        first = sorted(self.layers().items(), key=lambda one: one[1][0])
        carried = [hidden for layer, _ in first if (hidden := getattr(layer.mlp, "router_hidden", None))]
        before_and_after = all(layer.residual in ("sandwich", "averaged") for layer in layers)
        rows, tied = self.embedding.n_embedded, self.unembedding and self.unembedding.tied
        allowed(
            (not all(layer.slots() for layer in layers), "attention: a layer has attention, a mixer or an MLP"),
            (not any(layer.attention or layer.mixer for layer in layers), "attention: nothing mixes tokens"),
            (not self.n_ctx and positions, "n_ctx: false, and tokens have positions (embedding.positions)"),
            (
                (hyper or self.shortcut or self.laurel or crossed) and not usual,
                "mixer: every layer beside streams, a shortcut, laurel or cross-attention has attention and an MLP",
            ),
            (bool(self.shared) is not bool(self.users()), "shared: a block, and layers with uses_shared, go together"),
            (
                self.shared and (not plain or self.streams or self.shortcut),
                "shared: layers that share a block are pre-norm and not scaled, without streams or a shortcut",
            ),
            (
                (hyper or gated or self.shortcut) and not plain,
                f"residual: layers with {around} are pre-norm and not scaled",
            ),
            (
                self.residual_factors and self.residual != "normed-residual",
                'residual_factors: layers whose residual is "normed-residual" have them',
            ),
            (self.halved_every and other, f"halved_every: layers are pre-norm, {without}"),
            (self.residual_scaling and other, f"residual_scaling: layers are pre-norm, {without}"),
            (carried and carried[0].carried, "router_hidden.carried: no earlier router has left what it would take"),
            (self.branch_convolution and other, f"branch_convolution: layers are pre-norm, {without}"),
            ((hyper or gated or self.shortcut) and self.laurel, f"laurel: layers with {around} have none"),
            (self.streams and self.shortcut, "shortcut: one vector flows where there is one, not several (streams)"),
            ((hyper or gated) and self.per_layer_embedding, f"per_layer_embedding: not beside {around}"),
            ((hyper or gated) and self.layer_scalar, f"layer_scalar: not beside {around}"),
            (
                isinstance(self.streams, GatedStreams) and (self.streams.norm != self.norm or self.final_norm),
                "streams.norm: the norm of the model, as there is no other, and no final_norm",
            ),
            (gated and crossed, "attention: the kind cross does not go with streams"),
            (altup and not self.per_layer_embedding, "streams: altup brings per-layer embeddings into its streams"),
            (self.laurel and self.residual != "sandwich", 'laurel: it stands in layers whose residual is "sandwich"'),
            (
                self.shortcut and any(isinstance(part, Mixture | AttentionMixture) for one in layers for part in one),
                "shortcut: beside its mixture there are no others, of MLPs or of attention",
            ),
            (
                crossed and (not plain or self.streams or self.shortcut),
                "attention: the kind cross stands in pre-norm layers that are not scaled, without streams or shortcut",
            ),
            (
                self.output_norm and not before_and_after,
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
        for _, alike in groupby((slots[0] for slots in self._slots()), id):
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
            self.embedding.inventory().of(self.embedding).under("embedding")
            + sum((block.of_model().of(block).under(path) for path, block in self.beside().items()), NOTHING)
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
        last, head = self.unembedding, self.head
        return (
            (linear("unembedding.projection", f"d_model {width}") if narrower else NOTHING)
            + (last.across(width).of(last).under("unembedding") if last else NOTHING)
            + (head.across(width).of(head) if head else NOTHING)
        )

    def last_norm(self) -> Norm | None:
        """The norm after the last layer, if there is one."""
        return self.final_norm if isinstance(self.final_norm, Norm) else self.norm if self.final_norm else None

    def beside(self) -> dict[str, Beside]:
        """What stands beside the branches of every layer, by the path that it is filed under."""
        blocks = {"streams": self.streams, "laurel": self.laurel, "per_layer_embedding": self.per_layer_embedding}
        return {path: block for path, block in blocks.items() if block}

    def stack(self) -> list[Layer]:
        """The layers, from the first to the last."""
        return [Layer(*slots) for slots in self._slots()]

    def _slots(self) -> Iterator[tuple[Any, ...]]:
        found = {slot: [getattr(self, slot)] * self.n_layers for slot in Layer._fields}
        for variation in self.variations:
            for part in variation.ranges(self.n_layers):
                where, n = slice(part.start, part.stop, part.step), len(part)
                for slot in Layer._fields:
                    if (block := getattr(variation, slot)) is not None:
                        found[slot][where] = [block] * n
        return zip(*found.values(), strict=True)

    def layers(self) -> dict[Layer, tuple[int, ...]]:
        """The different layers, each with the indices where it stands: cost goes with these, not with n_layers."""
        return self._different

    @cached_property
    def _different(self) -> dict[Layer, tuple[int, ...]]:
        if not self.variations:
            return {Layer(*(getattr(self, slot) for slot in Layer._fields)): tuple(range(self.n_layers))}
        same: dict[tuple[int, ...], tuple[Layer, list[int]]] = {}
        for index, slots in enumerate(self._slots()):  # by identity first: a block takes long to hash
            key = tuple(map(id, slots))
            if key not in same:
                same[key] = Layer(*slots), []
            same[key][1].append(index)
        found: dict[Layer, list[int]] = {}
        for layer, where in same.values():
            found.setdefault(layer, []).extend(where)
        return {layer: tuple(sorted(where)) for layer, where in found.items()}

    _repr_html_ = as_html

    def of_layer(self, layer: Layer) -> Inventory:
        """The weights of one layer, bound to the model's sizes."""
        return self._of_layer(layer).bind(self._bound())

    def _of_layer(self, layer: Layer) -> Inventory:
        branches = layer.branches()
        flow = sum((self._of_branch(branch, branch is branches[0], layer.residual) for branch in branches), NOTHING)
        return (
            (self.shortcut.around(flow) if self.shortcut else flow)
            + sum((block.of_layer().of(block).under(path) for path, block in self.beside().items()), NOTHING)
            + (self.shared.of_use().of(self.shared).under("shared") if self.shared and layer.uses_shared else NOTHING)
            + (weight("layer_scalar", "", "buffer") if self.layer_scalar else NOTHING)
        )

    def _of_branch(self, branch: Branch, first: bool, residual: Residual) -> Inventory:
        before = residual != "output-norm" and (first or residual != "parallel-shared")
        before = before and not isinstance(self.streams, GatedStreams)
        norm, own = self.norm.across("d_model"), (self.output_norm or self.norm).across("d_model")
        after = residual in ("output-norm", "sandwich", "averaged")
        return (
            (norm.under(f"{branch.name}_norm") if before else NOTHING)
            + sum((block.inventory().of(block).under(slot) for slot, block in branch.blocks), NOTHING)
            + (own.under(f"{branch.name}_output_norm") if after else NOTHING)
            + (_gains(branch.name) if self.residual_scaling else NOTHING)
            + (weight(f"{branch.name}_residual", "d_model", "other") if residual == "gained" else NOTHING)
            + (blend.inventory().under(f"{branch.name}_convolution") if (blend := self.branch_convolution) else NOTHING)
        )

    def _layered(self) -> Inventory:
        """The weights of all layers; those that several kinds of layer have alike are one line."""
        layers = self.layers()
        if len(layers) == 1:
            return self._shared_once() + self._of_layer(next(iter(layers))).per(Axis("n_layers"))
        lines: dict[tuple[object, ...], tuple[Weight, list[int]]] = {}
        for layer, where in layers.items():
            for line in self._of_layer(layer):
                lines.setdefault(line[:-1], (line, []))[1].extend(where)
        found = [each for line, at in lines.values() for each in Inventory([line]).per(self._layers_at(at))]
        return self._shared_once() + found

    def _shared_once(self) -> Inventory:
        """The weights of the blocks that layers share, each with the first layer that uses it."""
        if not self.shared:
            return NOTHING
        first = self.users()[: self.shared.n_blocks]
        return self.shared.inventory().of(self.shared).under("shared").per(self._layers_at(first))

    def users(self) -> list[int]:
        """The layers that use a shared block."""
        return sorted(index for layer, where in self.layers().items() if layer.uses_shared for index in where)

    def _layers_at(self, where: list[int]) -> Axis:
        if len(where) == self.n_layers:
            return Axis("n_layers")
        return Axis("n_layers", len(where), where=tuple(sorted(where)))


def _gains(branch: str) -> Inventory:
    """A gain and a bias for what is kept of a vector, and for what a branch brings."""
    parts = (f"{branch}_kept", f"{branch}_brought")
    return sum(
        (weight(name, "d_model", "other") + weight(f"{name}.bias", "d_model", "bias") for name in parts), NOTHING
    )
