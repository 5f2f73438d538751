"""Random valid specifications, and their parameters counted a second way, layer by layer."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from gptcount.architecture import Architecture
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.cross_attention import CrossAttention
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.mlp import PlainMLP
from gptcount.blocks.norm import Norm

sizes = st.one_of(st.integers(1, 40), st.integers(1, 1_000_000_000))
small = st.integers(1, 40)
reals = st.floats(1e-9, 1e9)
texts = st.text(max_size=20)


def some(*names: str) -> st.SearchStrategy[list[str]]:
    """Some of these names, each at most once."""
    return st.lists(st.sampled_from(names), unique=True)


def table(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Plain data with these keys; a value that is no strategy is taken as it is."""

    def strategies(of: dict[str, Any]) -> dict[str, Any]:
        return {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in of.items()}

    return st.fixed_dictionaries(strategies(required), optional=strategies(optional or {}))


norms = table({"kind": st.sampled_from(["layer", "rms"])}, {"gain": st.booleans(), "bias": st.booleans(), "eps": reals})

scalings = st.one_of(
    table({"kind": "linear", "factor": reals}),
    table({"kind": "llama3", "factor": reals, "n_ctx_original": sizes, "low_frequency": 1.0, "high_frequency": 4.0}),
    table(
        {"kind": "yarn", "factor": reals, "n_ctx_original": sizes},
        {"beta_fast": reals, "beta_slow": reals, "mscale": reals, "mscale_all": reals},
    ),
)
rotaries = table({}, {"base": st.floats(1.5, 1e7), "interleaved": st.booleans(), "scaling": scalings})


@st.composite
def multi_head(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of an attention whose key/value heads divide its heads."""
    data = draw(table({"kind": "multi-head", "d_head": sizes}, {"rotary": rotaries, "window": sizes}))
    groups, in_group = draw(small), draw(small)
    data["n_heads"] = groups * in_group
    if draw(st.booleans()):
        data["n_kv_heads"] = groups
    data["biases"] = draw(some("query", "key", "value", "output"))
    return data


latent = table(
    {
        "kind": "latent",
        "n_heads": sizes,
        "d_kv_latent": sizes,
        "d_nope": sizes,
        "d_rotary": small.map(lambda half: 2 * half),
        "d_value": sizes,
        "norm": norms,
    },
    {"d_query_latent": sizes, "biases": some("query_down", "kv_down", "output"), "rotary": rotaries},
)
attentions = st.one_of(multi_head(), latent)

activations = st.sampled_from(["gelu", "gelu_tanh", "silu", "relu", "relu_squared"])
experts = st.one_of(
    table({"kind": "plain", "d_ff": sizes}, {"biases": some("up", "down"), "activation": activations}),
    table({"kind": "gated", "d_ff": sizes}, {"biases": some("gate", "up", "down"), "activation": activations}),
)


@st.composite
def mixtures(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of a mixture that chooses among as many experts as there are."""
    data = draw(
        table(
            {"kind": "mixture", "expert": experts},
            {
                "shared": experts,
                "shared_gate": st.booleans(),
                "router_bias": st.booleans(),
                "router_correction": st.sampled_from([None, "buffer"]),
                "scores": st.sampled_from(["softmax", "sigmoid"]),
                "normalize": st.booleans(),
                "scale": reals,
            },
        )
    )
    groups, in_group = draw(small), draw(small)
    taken = draw(st.integers(1, groups))
    data["n_experts"] = groups * in_group
    data["n_experts_per_token"] = draw(st.integers(1, taken * in_group))
    if draw(st.booleans()):
        data |= {"n_groups": groups, "n_groups_per_token": taken}
    if "shared" not in data:
        data.pop("shared_gate", None)
    return data


mlps = st.one_of(experts, mixtures())


@st.composite
def variations(draw: st.DrawFn, n_layers: int) -> dict[str, Any]:
    """Plain data of a variation that selects at least one of so many layers."""
    first = draw(st.integers(0, n_layers - 1))
    layers = draw(
        st.sampled_from(
            [str(first), f"{first}:", f"{first}::3", f"{first}:{first + 2}", f":{first + 1}", "-1:", f"0,{first}"]
        )
    )
    return draw(table({"layers": layers}, {"attention": attentions, "mlp": mlps}))


@st.composite
def specifications(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of a valid specification."""
    n_layers, n_ctx = draw(st.integers(1, 12)), draw(sizes)
    more = st.integers(n_ctx, 1_000_000_000)
    positions = st.one_of(
        table({"kind": "learned"}, {"n_positions": more}), table({}), table({"kind": "sinusoidal"}), st.none()
    )
    data = draw(
        table(
            {
                "name": texts,
                "n_vocab": sizes,
                "n_ctx": n_ctx,
                "n_layers": n_layers,
                "d_model": sizes,
                "attention": attentions,
                "mlp": mlps,
                "norm": norms,
                "unembedding": table({"tied": st.booleans()}, {"bias": st.booleans(), "unit_vectors": st.booleans()}),
            },
            {
                "checkpoint": st.sampled_from(["llama", "gpt2", "of-my_own"]),
                "residual": st.sampled_from(["pre-norm", "post-norm"]),
                "final_norm": st.booleans(),
                "variations": st.lists(variations(n_layers), max_size=3),
                "published": table({"total": texts, "source": texts}, {"of": "stored", "note": texts}),
                "embedding": table({}, {"positions": positions, "n_frequencies": sizes}),
            },
        )
    )
    return draw(st.sampled_from([data, _crossed(draw, data), _read_and_not_scored(draw, data)]))


def _crossed(draw: st.DrawFn, data: dict[str, Any]) -> dict[str, Any]:
    """The same with a first layer that looks at what another part brings."""
    groups, in_group = draw(small), draw(small)
    cross = {"kind": "cross", "n_heads": groups * in_group, "n_kv_heads": groups, "d_head": draw(sizes)}
    variation = {"layers": "0", "attention": cross | draw(table({}, {"query_key_norm": norms}))}
    return data | {"residual": "pre-norm", "variations": [*data.get("variations", []), variation]}


def _read_and_not_scored(draw: st.DrawFn, data: dict[str, Any]) -> dict[str, Any]:
    """The same with more tokens than are scored."""
    more = {"n_embedded": min(data["n_vocab"] + draw(small), 1_000_000_000)}
    unembedding = data["unembedding"] | {"tied": False}
    return data | {"embedding": data.get("embedding", {}) | more, "unembedding": unembedding}


architectures = specifications().map(Architecture.model_validate)

bare_keys = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([0, -1, 10**30, -(10**30), 10**4000, 1e400, -1e400, float("nan"), "", "1", "\x1b[31m", "[/x]"]),
        st.floats(),
        texts,
        st.binary(max_size=5),
        st.dates(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


def norm_numbers(norm: Norm, width: int) -> int:
    """The numbers of one norm."""
    return (norm.gain + norm.bias) * width


def attention_numbers(attention: Any, d: int) -> int:
    """The learned numbers of one attention, counted from its fields and from no inventory."""
    if isinstance(attention, CrossAttention):
        q, kv = attention.n_heads * attention.d_head, attention.n_kv_heads * attention.d_head
        norm = attention.query_key_norm
        return 2 * d * (q + kv) + (2 * norm_numbers(norm, attention.d_head) if norm else 0) + 2
    has = set(attention.biases)
    if isinstance(attention, MultiHeadAttention):
        q = attention.n_heads * attention.d_head
        kv = (attention.n_kv_heads or attention.n_heads) * attention.d_head
        biases = q * ("query" in has) + kv * ("key" in has) + kv * ("value" in has) + d * ("output" in has)
        return d * (q + kv + kv + q) + biases
    heads, low, source = attention.n_heads, attention.d_kv_latent, attention.d_query_latent or d
    queries = source * heads * (attention.d_nope + attention.d_rotary)
    if attention.d_query_latent:
        queries += d * source + norm_numbers(attention.norm, source) + source * ("query_down" in has)
    down = low + attention.d_rotary
    keys = d * down + down * ("kv_down" in has) + norm_numbers(attention.norm, low)
    values = heads * low * (attention.d_nope + attention.d_value)
    return queries + keys + values + heads * attention.d_value * d + d * ("output" in has)


def mlp_numbers(mlp: Any, d: int) -> tuple[int, int, int]:
    """The learned numbers of one MLP, those that one token does not visit, and those of its buffers."""
    if isinstance(mlp, Mixture):
        expert = mlp_numbers(mlp.expert, d)[0]
        learned = mlp.n_experts * (expert + d + mlp.router_bias) + d * mlp.shared_gate
        learned += mlp_numbers(mlp.shared, d)[0] if mlp.shared else 0
        return (
            learned,
            (mlp.n_experts - mlp.n_experts_per_token) * expert,
            mlp.n_experts * (mlp.router_correction == "buffer"),
        )
    inner = 1 if isinstance(mlp, PlainMLP) else 2
    biases = mlp.d_ff * (("up" in mlp.biases) + ("gate" in mlp.biases)) + d * ("down" in mlp.biases)
    return (inner + 1) * d * mlp.d_ff + biases, 0, 0


def counted(architecture: Architecture) -> dict[str, int]:
    """The totals of a model, layer by layer and without an inventory."""
    d, vocab = architecture.d_model, architecture.n_vocab
    positions = architecture.embedding.positions
    rows = (positions.n_positions or architecture.n_ctx) if positions and positions.kind == "learned" else 0
    read = architecture.embedding.n_embedded or vocab
    learned = read * d + rows * d + vocab * architecture.unembedding.bias
    learned += 0 if architecture.unembedding.tied else vocab * d
    learned += norm_numbers(architecture.norm, d) * (architecture.final_norm is True)
    idle, buffers = 0, architecture.embedding.n_frequencies or 0
    for index in range(architecture.n_layers):
        attention, mlp = architecture.attention, architecture.mlp
        for variation in architecture.variations:
            if index in variation.of(architecture.n_layers):
                attention, mlp = variation.attention or attention, variation.mlp or mlp
        here, unvisited, kept = mlp_numbers(mlp, d)
        learned += here + attention_numbers(attention, d) + 2 * norm_numbers(architecture.norm, d)
        idle, buffers = idle + unvisited, buffers + kept
    scored = vocab * d * (not architecture.unembedding.tied) + vocab * architecture.unembedding.bias
    tables = read * d + rows * d + scored
    return {
        "parameters": learned,
        "stored": learned + buffers,
        "active": learned - idle,
        "non_embedding": learned - tables,
    }
