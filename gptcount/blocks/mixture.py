"""A mixture of experts: a router that chooses a few MLPs among many for each token, and perhaps one that all share."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gptcount.blocks.block import Block, NotNegative, Positive, Real, Size, allowed
from gptcount.blocks.input_gate import input_gate
from gptcount.blocks.mlp import GatedMLP, PlainMLP, activation
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import Few, Multiple, Spare
from gptcount.weight import NOTHING, Inventory, Role, linear, per, weight

Expert = Annotated[PlainMLP | GatedMLP, Field(discriminator="kind")]


class RouterHidden(Block):
    """A router that is an MLP of three matrices, behind one that makes a token narrow (ZAYA); what it reads may have
    that of the router before it added, number by number by a learned share."""

    d_router: Size
    norm: Norm
    carried: bool = False

    def weights(self) -> Inventory:
        return (
            linear("narrow", "d_model d_router", True)
            + (weight("carried", "d_router", "other") if self.carried else NOTHING)
            + self.norm.across("d_router").under("norm")
            + linear("first", "d_router d_router'", True)
            + linear("second", "d_router d_router'", True)
        )


class Mixture(Block):
    """Routed experts (Shazeer et al. 2017); perhaps a shared one, and a correction bias (DeepSeek-V3)."""

    kind: Literal["mixture"] = "mixture"
    n_experts: Annotated[Size, Multiple("n_groups"), Spare(("n_experts_per_token", "n_groups"))]
    n_experts_per_token: Size
    n_zero_experts: Size | None = None
    """Further experts that have no weights and give back what they get (LongCat)."""
    zero_gives: Literal["token", "nothing"] = "token"
    """What an expert without weights gives."""
    expert: Expert
    d_latent: Size | None = None
    """Experts read a narrower vector of so many numbers, and what they bring is made as wide as the model again
    (Nemotron 3 Super)."""
    latent_bias: bool = False
    """The two matrices that lead to the narrower vector and back have biases."""
    shared: Expert | None = None
    """An MLP that every token visits beside its experts."""
    n_shared: Size | None = None
    """So many shared experts, which the router scores too: they take their part of the shares of those that a token
    chooses (Inkling)."""
    shared_gate: bool = False
    output_bias: bool = False
    """One bias for whatever the experts bring (JetMoE)."""
    router_bias: bool = False
    router_hidden: RouterHidden | None = None
    router_correction: Literal["buffer", "parameter"] | None = None
    """A bias that only the choice of experts sees: kept beside the weights, or among them."""
    corrected: Literal["scores", "logits"] = "scores"
    """What the correction is added to: scores, or what the router says before they are made of it (Kolibri 1)."""
    scores: Literal["softmax", "sigmoid", "sqrt-softplus", "sparse-mixer"] = "softmax"
    router_softcap: Positive | None = None
    """What the router says is held between minus and plus this, by a tanh (Laguna)."""
    normalize: bool = True
    """The scores of the chosen experts are made to sum to 1."""
    normalize_power: Positive = 1.0
    """The power of the norm that does it."""
    weigh_input: bool = False
    """An expert's score multiplies what goes in, not what comes out (Llama 4)."""
    scale: Real = 1.0
    learned_scale: bool = False
    """Shares are multiplied by a learned number too."""
    n_groups: Annotated[Size, Few()] = 1
    n_groups_per_token: Annotated[Size, Few()] = 1
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
        if self.n_groups_per_token > self.n_groups:
            raise ValueError(f"n_groups_per_token = {self.n_groups_per_token} of only n_groups = {self.n_groups}")
        within = self.n_experts // self.n_groups * self.n_groups_per_token
        mixer = self.scores == "sparse-mixer"
        allowed(
            (
                self.n_groups > 1 and self.n_experts_per_token > within,
                f"n_experts_per_token = {self.n_experts_per_token}: the groups that are chosen hold only {within}",
            ),
            (self.latent_bias and not self.d_latent, "latent_bias: experts read no narrower vector (d_latent)"),
            (self.n_groups > 1 and self.n_zero_experts, "n_zero_experts: they are in no group (n_groups)"),
            (self.own_norms and self.output_norm, "output_norm: what the mixture brings has norms (own_norms)"),
            (self.own_norms and self.d_input_gate, "d_input_gate: experts read through norms of their own (own_norms)"),
            (self.corrected == "logits" and not self.router_correction, "corrected: there is no router_correction"),
            (self.router_softcap and mixer, "router_softcap: scores of the kind sparse-mixer are not capped"),
            (self.outside != "never" and self.n_groups == 1, "outside: there are no groups (n_groups)"),
            (self.shared_gate and not self.shared, "shared_gate: there is no shared expert that it gates"),
            (
                self.n_shared and (not self.shared or self.shared_gate or self.own_norms),
                "n_shared: there is a shared expert, without a gate and without own_norms",
            ),
            (
                self.n_shared and (self.scores != "sigmoid" or not self.normalize or self.normalize_power != 1),
                "n_shared: scores are sigmoids, and made to sum to 1 (normalize)",
            ),
            (self.zero_gives == "nothing" and not self.n_zero_experts, "zero_gives: every expert has weights"),
            (self.n_shared and (self.hashed or self.n_zero_experts), "n_shared: experts are chosen, and all compute"),
            (
                any(getattr(one, "learned_scale", False) for one in (self.expert, self.n_shared and self.shared)),
                "learned_scale: an expert has none of its own",
            ),
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
        experts = self.expert.matrices("d_latent" if self.d_latent else "d_model").bind(self.expert.sizes())
        shared = self.shared.inventory().under("shared") if self.shared else NOTHING
        if self.shared and self.n_shared:
            shared = per("n_shared", self.shared.matrices().bind(self.shared.sizes()).under("shared"))
            shared = shared + activation(self.shared.activation).under("shared")
        role: Role = "buffer" if self.router_correction == "buffer" else "other"
        correction = weight("router.correction", "n_experts", role)
        correction_zero = weight("router_zero.correction", "n_zero_experts", role)
        hidden, width = self.router_hidden, "d_router" if self.router_hidden else "d_model"
        found = (
            (input_gate() if self.d_input_gate else NOTHING)
            + (self.router_norm.across("d_model").under("router_norm") if self.router_norm else NOTHING)
            + (hidden.inventory().under("router.hidden") if hidden else NOTHING)
            + linear("router", f"{width} n_experts", self.router_bias)
            + (linear("router_zero", f"{width} n_zero_experts", self.router_bias) if self.n_zero_experts else NOTHING)
            + (linear("router_shared", f"{width} n_shared", self.router_bias) if self.n_shared else NOTHING)
            + (weight("router.scale", "", "other") if self.learned_scale else NOTHING)
            + (correction if self.router_correction else NOTHING)
            + (correction_zero if self.router_correction and self.n_zero_experts else NOTHING)
            + (weight("router.table", "n_vocab n_experts_per_token", "buffer") if self.hashed else NOTHING)
            + (own.under("experts_norm") if own else NOTHING)
            + (linear("latent_down", "d_model d_latent", self.latent_bias) if self.d_latent else NOTHING)
            + per("n_experts", experts.under("experts"), chosen="n_experts_per_token")
            + activation(self.expert.activation).under("experts")
            + (weight("experts.scale", "n_experts", "other") if self.expert_scales else NOTHING)
            + (linear("latent_up", "d_latent d_model", self.latent_bias) if self.d_latent else NOTHING)
            + (own.under("experts_output_norm") if own else NOTHING)
            + (weight("output.bias", "d_model", "bias") if self.output_bias else NOTHING)
            + shared
            + (own.under("shared_output_norm") if own and self.shared else NOTHING)
            + (linear("shared_gate", "d_model") if self.shared_gate else NOTHING)
            + (self.output_norm.across("d_model").under("output_norm") if self.output_norm else NOTHING)
        )
        return found.bind(hidden.sizes()) if hidden else found
