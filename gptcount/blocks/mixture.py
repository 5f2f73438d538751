"""A mixture of experts: a router that chooses a few MLPs among many for each token, and perhaps one that all share."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gptcount.blocks.block import Block, NotNegative, Positive, Real, Size, allowed
from gptcount.blocks.input_gate import input_gate
from gptcount.blocks.mlp import GatedMLP, PlainMLP, activation
from gptcount.blocks.norm import Norm
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
    corrected: Literal["scores", "logits"] = "scores"
    """What the correction is added to: scores, or what the router says before they are made of it (Kolibri 1)."""
    scores: Literal["softmax", "sigmoid", "sqrt-softplus", "sparse-mixer"] = "softmax"
    normalize: bool = True
    """The scores of the chosen experts are made to sum to 1."""
    normalize_power: Positive = 1.0
    """The power of the norm that does it."""
    weigh_input: bool = False
    """An expert's score multiplies what goes in, not what comes out (Llama 4)."""
    scale: Real = 1.0
    n_groups: Size = 1
    n_groups_per_token: Size = 1
    group_score: Literal["best-two", "best"] = "best-two"
    jitter: NotNegative = 0.01
    hashed: bool = False
    """A token's experts are looked up by the token, in a table that a checkpoint keeps (Roller et al. 2021)."""
    own_norms: Norm | None = None
    """Experts read the layer's vector through a norm of their own, and the shared MLP and they bring theirs through
    norms of their own (Gemma 4)."""
    router_norm: Norm | None = None
    """The router reads the layer's vector, through a norm of its own."""
    router_scale: Real = 1.0
    expert_scales: bool = False
    """Each expert has a learned number that multiplies its score."""
    output_norm: Norm | None = None
    """A norm of all that the mixture brings (A.X K1)."""
    d_input_gate: Size | None = None
    """How narrow the MLP is that gates what the mixture reads, where there is one (A.X K2)."""
    outside: Literal["never", "zero"] = "never"
    """Experts of groups that are not chosen are never chosen, or as readily as those whose score is 0 (A.X K2)."""

    @model_validator(mode="after")
    def _chosen_among_all(self) -> "Mixture":
        if self.n_experts_per_token > self.n_experts + (self.n_zero_experts or 0):
            raise ValueError(f"n_experts_per_token = {self.n_experts_per_token} of only n_experts = {self.n_experts}")
        if self.n_experts % self.n_groups or self.n_groups_per_token > self.n_groups:
            raise ValueError(
                f"n_experts = {self.n_experts} do not make n_groups = {self.n_groups} equal groups, "
                f"of which n_groups_per_token = {self.n_groups_per_token} are chosen"
            )
        within = self.n_experts // self.n_groups * self.n_groups_per_token
        mixer = self.scores == "sparse-mixer"
        allowed(
            (
                self.n_groups > 1 and self.n_experts_per_token > within,
                f"n_experts_per_token = {self.n_experts_per_token}: the groups that are chosen hold only {within}",
            ),
            (self.n_groups > 1 and self.n_zero_experts, "n_zero_experts: they are in no group (n_groups)"),
            (self.own_norms and self.output_norm, "output_norm: what the mixture brings has norms (own_norms)"),
            (self.own_norms and self.d_input_gate, "d_input_gate: experts read through norms of their own (own_norms)"),
            (self.corrected == "logits" and not self.router_correction, "corrected: there is no router_correction"),
            (self.outside != "never" and self.n_groups == 1, "outside: there are no groups (n_groups)"),
            (self.shared_gate and not self.shared, "shared_gate: there is no shared expert that it gates"),
            (self.hashed and self.router_correction, "router_correction: experts are looked up (hashed), not chosen"),
            (self.hashed and self.n_groups > 1, "n_groups: experts are looked up (hashed), not chosen"),
            (self.hashed and self.n_zero_experts, "n_zero_experts: a table (hashed) names none of them"),
            (self.expert_scales and self.n_zero_experts, "expert_scales: experts without weights have none"),
            (
                mixer and (self.expert_scales or self.router_correction),
                "scores: the sparse mixer's are used as they are",
            ),
            (
                mixer and (self.hashed or self.n_groups > 1 or self.n_zero_experts),
                "scores: the sparse mixer sees all alike",
            ),
            (mixer and (self.scale != 1 or self.normalize_power != 1), "scale: the sparse mixer's scores have none"),
        )
        return self

    def weights(self) -> Inventory:
        own = self.own_norms.across("d_model") if self.own_norms else NOTHING
        experts = self.expert.matrices().bind(self.expert.sizes())
        shared = self.shared.inventory().under("shared") if self.shared else NOTHING
        role: Role = "buffer" if self.router_correction == "buffer" else "other"
        correction = weight("router.correction", "n_experts", role)
        correction_zero = weight("router_zero.correction", "n_zero_experts", role)
        return (
            (input_gate() if self.d_input_gate else NOTHING)
            + (self.router_norm.across("d_model").under("router_norm") if self.router_norm else NOTHING)
            + linear("router", "d_model n_experts", self.router_bias)
            + (linear("router_zero", "d_model n_zero_experts", self.router_bias) if self.n_zero_experts else NOTHING)
            + (correction if self.router_correction else NOTHING)
            + (correction_zero if self.router_correction and self.n_zero_experts else NOTHING)
            + (weight("router.table", "n_vocab n_experts_per_token", "buffer") if self.hashed else NOTHING)
            + (own.under("experts_norm") if own else NOTHING)
            + per("n_experts", experts.under("experts"), chosen="n_experts_per_token")
            + activation(self.expert.activation).under("experts")
            + (weight("experts.scale", "n_experts", "other") if self.expert_scales else NOTHING)
            + (own.under("experts_output_norm") if own else NOTHING)
            + (weight("output.bias", "d_model", "bias") if self.output_bias else NOTHING)
            + shared
            + (own.under("shared_output_norm") if own and self.shared else NOTHING)
            + (linear("shared_gate", "d_model") if self.shared_gate else NOTHING)
            + (self.output_norm.across("d_model").under("output_norm") if self.output_norm else NOTHING)
        )
