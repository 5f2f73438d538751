"""A mixture of experts: each token is sent to a few experts, and takes from each by its score."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.mixture import Mixture, RouterHidden
from gptcount.reference.functions import gelu, sigmoid, softmax, sqrt_softplus
from gptcount.reference.input_gate import let_in
from gptcount.reference.mlp import mlp
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def mixture(x: Array, w: Weights, spec: Mixture, before: Array | None = None) -> Array:
    """x: (n_tokens, d_model), already normed, and ``before`` its norm, for norms that a mixture has of its own. Gives
    what is added to it; only experts that a token chooses are drawn."""
    if spec.d_input_gate:
        x = let_in(x, w)
    own, before = spec.own_norms, x if before is None else before
    given = norm(before, w, "experts_norm", own) if own else x
    read = norm(before, w, "router_norm", spec.router_norm) if spec.router_norm else x
    chosen, share = route(read if spec.router_scale == 1.0 else read * np.float32(spec.router_scale), w, spec)
    if spec.d_latent:
        given = w.linear(
            "n_tokens d_model, d_model d_latent -> n_tokens d_latent", given, "latent_down", spec.latent_bias
        )
    result = visited(given, w, spec, chosen, share)
    if spec.d_latent:
        result = w.linear(
            "n_tokens d_latent, d_latent d_model -> n_tokens d_model", result, "latent_up", spec.latent_bias
        )
    result = norm(result, w, "experts_output_norm", own) if own else result
    if spec.output_bias:
        result = w.add("n_tokens d_model", result, "output.bias", "d_model")
    if spec.shared and spec.n_shared:
        all_of = w.under("shared", spec.shared)
        for place in range(spec.n_shared):
            one = all_of.one_of("n_shared", place)
            result = result + share[:, place - spec.n_shared, None] * mlp(x, one, spec.shared, activation=all_of)
    elif spec.shared:
        shared = mlp(x, w.under("shared", spec.shared), spec.shared)
        shared = norm(shared, w, "shared_output_norm", own) if own else shared
        if spec.shared_gate:
            shared = shared * sigmoid(w.einsum("n_tokens d_model, d_model -> n_tokens", x, "shared_gate"))[:, None]
        result = result + shared
    return norm(result, w, "output_norm", spec.output_norm) if spec.output_norm else result


def visited(x: Array, w: Weights, spec: Mixture, chosen: Array, share: Array) -> Array:
    """What the experts make of their tokens, each by its share; an expert without weights gives a token back."""
    result, all_of = np.zeros_like(x), w.under("experts", spec.expert)
    width = "d_latent" if spec.d_latent else "d_model"
    for expert in np.unique(chosen):
        token, place = np.nonzero(chosen == expert)
        part, given = share[token, place, None], x[token]
        if expert >= spec.n_experts and spec.zero_gives == "nothing":
            continue
        if expert >= spec.n_experts:
            result[token] += part * given
            continue
        inside = all_of.one_of("n_experts", int(expert), "n_experts_per_token").where(n_routed=len(token))
        if spec.weigh_input:
            result[token] += mlp(part * given, inside, spec.expert, "n_routed", all_of, width)
        else:
            result[token] += part * mlp(given, inside, spec.expert, "n_routed", all_of, width)
    return result


def route(x: Array, w: Weights, spec: Mixture) -> tuple[Array, Array]:
    """(n_tokens, n_experts_per_token) each: the experts that each token goes to, and the share of each; after them, the
    shares of shared experts that are scored too."""
    width = "d_model"
    if spec.router_hidden:
        x, w, width = narrowed(x, w, spec.router_hidden), w.where(**spec.router_hidden.sizes()), "d_router"
    logits = w.linear(f"n_tokens {width}, {width} n_experts -> n_tokens n_experts", x, "router", spec.router_bias)
    if spec.n_zero_experts:
        words = f"n_tokens {width}, {width} n_zero_experts -> n_tokens n_zero_experts"
        logits = np.concatenate([logits, w.linear(words, x, "router_zero", spec.router_bias)], axis=1)
    if spec.router_softcap:
        logits = np.float32(spec.router_softcap) * np.tanh(logits / np.float32(spec.router_softcap))
    if spec.scores == "sparse-mixer":
        return sparse_mixer(logits, spec)
    scores = SCORES[spec.scores](logits)
    if spec.hashed:
        chosen = by_token(w, spec)
    else:
        preference = logits if spec.corrected == "logits" else scores
        chosen = choose(preference + corrections(w, spec) if spec.router_correction else preference, spec)
    share = np.take_along_axis(scores, chosen, axis=1)
    if spec.n_shared:
        words = f"n_tokens {width}, {width} n_shared -> n_tokens n_shared"
        share = np.concatenate([share, sigmoid(w.linear(words, x, "router_shared", spec.router_bias))], axis=1)
    if spec.normalize:
        power = spec.normalize_power
        share = share / (share**power).sum(axis=1, keepdims=True) ** (1 / power)
    if spec.learned_scale:
        share = share * w.drawn("router.scale", "")
    if spec.expert_scales:
        share = share * w.drawn("experts.scale", "n_experts")[chosen]
    return chosen, share * np.float32(spec.scale)


def narrowed(x: Array, w: Weights, spec: RouterHidden) -> Array:
    """(n_tokens, d_router): what a router that is an MLP scores by; what it reads is left for the next one."""
    w = w.under("router.hidden", spec)
    x = w.linear("n_tokens d_model, d_model d_router -> n_tokens d_router", x, "narrow", True)
    if spec.carried:
        x = x + w.recall("routed by") * w.drawn("carried", "d_router")
    x = norm(w.keep("routed by", x), w, "norm", spec.norm, "n_tokens d_router", "d_router")
    for name in ("first", "second"):
        x = gelu(w.linear("n_tokens d_router, d_router d_router' -> n_tokens d_router'", x, name, True))
    return x


def by_token(w: Weights, spec: Mixture) -> Array:
    """(n_tokens, n_experts_per_token): the experts that a table has for each token."""
    words = "n_tokens, n_vocab n_experts_per_token -> n_tokens n_experts_per_token"
    return w.look_up(words, w.recall("tokens"), "router.table").astype(int) % spec.n_experts


def corrections(w: Weights, spec: Mixture) -> Array:
    """(n_experts,): what is added to the scores for the choice alone."""
    known = w.drawn("router.correction", "n_experts")
    return (
        np.concatenate([known, w.drawn("router_zero.correction", "n_zero_experts")]) if spec.n_zero_experts else known
    )


def choose(preference: Array, spec: Mixture) -> Array:
    """(n_tokens, n_experts_per_token): the experts of each token, the most preferred, from the most preferred
    groups."""
    if spec.n_groups > 1:
        groups = preference.reshape(len(preference), spec.n_groups, -1)
        best = np.sort(groups, axis=-1)[..., -2 if spec.group_score == "best-two" else -1 :].sum(axis=-1)
        kept = np.argsort(-best, axis=-1, kind="stable")[:, : spec.n_groups_per_token]
        allowed = np.zeros(best.shape, bool)
        np.put_along_axis(allowed, kept, True, axis=1)
        preference = np.where(allowed[..., None], groups, 0 if spec.outside == "zero" else -np.inf).reshape(
            preference.shape
        )
    return np.argsort(-preference, axis=-1, kind="stable")[:, : spec.n_experts_per_token]


def sparse_mixer(logits: Array, spec: Mixture) -> tuple[Array, Array]:
    """SparseMixer (Liu et al. 2023, arXiv:2310.00811), in use: the best expert, then the best of the others, each with
    its share among those whose logit is within twice the jitter of it."""
    chosen, share, open_to = [], [], logits
    for _ in range(spec.n_experts_per_token):
        best = open_to.max(axis=1, keepdims=True)
        near = (best - logits) / np.maximum(np.abs(logits), best) <= 2 * spec.jitter
        expert = open_to.argmax(axis=1)[:, None]
        share.append(np.take_along_axis(softmax(np.where(near, open_to, -np.inf)), expert, axis=1))
        chosen.append(expert)
        open_to = open_to.copy()
        np.put_along_axis(open_to, expert, -np.inf, axis=1)
    return np.concatenate(chosen, axis=1), np.concatenate(share, axis=1)


SCORES = {"softmax": softmax, "sigmoid": sigmoid, "sqrt-softplus": sqrt_softplus}
"""What makes scores of a router's logits."""
