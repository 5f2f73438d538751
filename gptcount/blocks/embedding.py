"""The two ends of the flow: tokens become vectors, and the last vector becomes a score for every token or label."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gptcount.blocks.block import Block, Positive, Real, Size, allowed
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import AtLeast
from gptcount.weight import NOTHING, Inventory, linear, weight

Factor = Real | Literal["sqrt(d_model)"]


class Positions(Block):
    """Positions that are added to the embedding. Learned ones are a table; sinusoidal ones have no weights."""

    kind: Literal["learned", "sinusoidal"] = "learned"
    n_positions: Annotated[Size | None, AtLeast("n_ctx")] = None
    """Rows of the table, where they are more than n_ctx: the first ones are passed over (OPT has 2 more)."""
    offset: Real = 0.0
    """The position of the first token, of sinusoidal ones."""
    ends: bool = False
    """Sinusoidal wavelengths reach their longest at the last pair (XGLM), not one pair later (CTRL)."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Positions":
        learned = self.kind == "learned"
        allowed(
            (learned and (self.offset or self.ends), "offset and ends are those of sinusoidal positions"),
            (not learned and self.n_positions, "n_positions: sinusoidal positions have no table"),
        )
        return self


class Embedding(Block):
    """The table of token vectors, looked up by token, and the learned positions."""

    d_embedding: Size | None = None
    """The width of the table, where it is not d_model; two projections then lead in and out (OPT-350M)."""
    n_embedded: Annotated[Size | None, AtLeast("n_vocab")] = None
    """Rows of the table, where they are more than n_vocab: the others are of tokens that are read and never scored."""
    n_more: Size | None = None
    """Rows of a second table, of further tokens that are read and never scored (Molmo 2)."""
    positions: Positions | None = None
    scale: Factor = 1.0
    norm: Norm | None = None
    scaling: bool = False
    """Vectors have a learned bias and a learned gain (ZAYA)."""
    n_frequencies: Size | None = None
    """How many rotary frequencies a checkpoint keeps beside the table, and no layer reads (ChatGLM)."""

    def weights(self) -> Inventory:
        """The weights in words, sizes not yet bound."""
        width, rows = "d_embedding" if self.d_embedding else "d_model", "n_embedded" if self.n_embedded else "n_vocab"
        return (
            weight("token", f"{rows} {width}")
            + (weight("more", f"n_more {width}") if self.n_more else NOTHING)
            + (linear("projection", "d_embedding d_model") if self.d_embedding else NOTHING)
            + self._positions()
            + (self.norm.across("d_model").under("norm") if self.norm else NOTHING)
            + (weight("gain", "d_model", "other") + weight("gain.bias", "d_model", "bias") if self.scaling else NOTHING)
            + (weight("frequencies", "n_frequencies", "buffer") if self.n_frequencies else NOTHING)
        )

    def _positions(self) -> Inventory:
        if self.positions is None or self.positions.kind != "learned":
            return NOTHING
        rows = "n_positions" if self.positions.n_positions else "n_ctx"
        return weight("position", f"{rows} d_model", "position").bind(self.positions.sizes())


class Unembedding(Block):
    """The matrix from the last vector to the scores of all tokens; tied, it is the embedding itself, stored once."""

    tied: bool
    bias: bool = False
    scale: Real = 1.0
    """What scores are multiplied by."""
    softcap: Positive | None = None
    n_scored: Annotated[int, Field(gt=0, le=1_000_000_000)] | None = None
    """Of the rows only the first so many score; the others fill a table up (Inkling)."""
    unit_vectors: bool = False
    """The vector of each token is made of length 1 before it is used (Baichuan 2)."""

    def across(self, width: str) -> Inventory:
        """Its weights, from vectors whose axis ``width`` names."""
        matrix = weight("token", f"{width} n_vocab", tied_to="embedding.token" if self.tied else "")
        return matrix + (weight("token.bias", "n_vocab", "bias") if self.bias else NOTHING)


class Head(Block):
    """A head that scores labels, not tokens: a classifier's, or one of values (a single label)."""

    n_labels: Size
    bias: bool = False
    tensor: Literal["score", "classifier", "qa_outputs", "v_head", "v_head.summary", "multiple_choice_head.summary"] = (
        "score"
    )
    """What a checkpoint calls it."""

    def across(self, width: str) -> Inventory:
        """Its weights, from vectors whose axis ``width`` names."""
        return linear("head", f"{width} n_labels", self.bias).bind(self.sizes())
