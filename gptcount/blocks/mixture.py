"""A mixture of experts: a router that chooses a few MLPs among many for each token, and perhaps one that all share."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gptcount.blocks.block import Block, Real, Size
from gptcount.blocks.mlp import GatedMLP, PlainMLP
from gptcount.weight import NOTHING, Inventory, Role, linear, per, weight

Expert = Annotated[PlainMLP | GatedMLP, Field(discriminator="kind")]


class Mixture(Block):
    """Routed experts (Shazeer et al. 2017); perhaps a shared one, and a correction bias (DeepSeek-V3)."""

    kind: Literal["mixture"] = "mixture"
    n_experts: Size
    n_experts_per_token: Size
    n_zero_experts: Size | None = None
    """Further experts that have no weights and give back what they get (LongCat)."""
    expert: Expert
    shared: Expert | None = None
    """An MLP that every token visits beside its experts."""
    shared_gate: bool = False
    output_bias: bool = False
    """One bias for whatever the experts bring (JetMoE)."""
    router_bias: bool = False
    router_correction: Literal["buffer", "parameter"] | None = None
    """A bias that only the choice of experts sees: kept beside the weights, or among them."""
    scores: Literal["softmax", "sigmoid", "sqrt-softplus", "sparse-mixer"] = "softmax"
    normalize: bool = True
    """The scores of the chosen experts are made to sum to 1."""
    normalize_power: Real = 1.0
    """The power of the norm that does it."""
    weigh_input: bool = False
    """An expert's score multiplies what goes in, not what comes out (Llama 4)."""
    scale: Real = 1.0
    n_groups: Size = 1
    n_groups_per_token: Size = 1
    group_score: Literal["best-two", "best"] = "best-two"
    jitter: Real = 0.01

    @model_validator(mode="after")
    def _chosen_among_all(self) -> "Mixture":
        if self.n_experts_per_token > self.n_experts:
            raise ValueError(f"n_experts_per_token = {self.n_experts_per_token} of only n_experts = {self.n_experts}")
        if self.n_experts % self.n_groups or self.n_groups_per_token > self.n_groups:
            raise ValueError(
                f"n_experts = {self.n_experts} do not make n_groups = {self.n_groups} equal groups, "
                f"of which n_groups_per_token = {self.n_groups_per_token} are chosen"
            )
        return self

    def weights(self) -> Inventory:
        shared = self.shared.inventory().under("shared") if self.shared else NOTHING
        role: Role = "buffer" if self.router_correction == "buffer" else "other"
        correction = weight("router.correction", "n_experts", role)
        correction_zero = weight("router_zero.correction", "n_zero_experts", role)
        return (
            linear("router", "d_model n_experts", self.router_bias)
            + (linear("router_zero", "d_model n_zero_experts", self.router_bias) if self.n_zero_experts else NOTHING)
            + (correction if self.router_correction else NOTHING)
            + (correction_zero if self.router_correction and self.n_zero_experts else NOTHING)
            + per("n_experts", self.expert.inventory().under("experts"), chosen="n_experts_per_token")
            + (weight("output.bias", "d_model", "bias") if self.output_bias else NOTHING)
            + shared
            + (linear("shared_gate", "d_model") if self.shared_gate else NOTHING)
        )
