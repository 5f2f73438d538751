"""Cohere: attention and MLP side by side behind one layer norm without bias; rotary positions turn neighbours."""

from __future__ import annotations

from gptcount.families.common import Part, every, layer_norm, layer_types, renamed, slotted, windowed
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS, decoder
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA,
    """
attention.query_norm  model.layers.{}.self_attn.q_norm  n_heads, d_head
attention.key_norm    model.layers.{}.self_attn.k_norm  n_kv_heads, d_head
""",
)


def cohere(c: Config) -> Part:
    """Command R and Aya (modeling_cohere.py)."""
    c.assume(vocab_size=256_000, hidden_size=8192, intermediate_size=22_528, num_hidden_layers=40)
    c.assume(num_attention_heads=64, max_position_embeddings=8192, rope_theta=500_000.0, tie_word_embeddings=True)
    c.only(mlp_bias=False)
    norm = layer_norm(c, "layer_norm_eps", bias=False)
    model = decoder(c, norm)
    attention = model["attention"]
    attention["rotary"]["interleaved"] = True
    if c.flag("use_qk_norm", absent=False, null=False):
        attention["query_key_norm"] = {**norm, "over": "each-head"}
    unembedding = model["unembedding"] | {"scale": c.number("logit_scale", absent=0.0625)}
    return {**model, "residual": "parallel-shared", "unembedding": unembedding}


def cohere2(c: Config) -> Part:
    """Command R7B and Command A (arXiv:2504.00698; modeling_cohere2.py): three of four layers have a window, and they
    alone have rotary positions."""
    c.only(use_qk_norm=False, use_gated_activation=True, use_parallel_block=True, rotary_pct=1.0)
    c.only(position_embedding_type="rope_gptj", order_of_interleaved_layers="local_attn_first")
    model = cohere(c)
    c.only(use_embedding_sharing=model["unembedding"]["tied"])
    c.ignore("use_parallel_embedding")
    usual = every(
        model["n_layers"], c.size("sliding_window_pattern", "_sliding_window_pattern", "layer_switch", absent=4)
    )
    window = c.size("sliding_window", absent=4096, null=None)
    full = {key: part for key, part in model["attention"].items() if key != "rotary"}
    return windowed(c, model if window else {**model, "attention": full}, window, usual, full)


def cohere2_moe(c: Config) -> Part:
    """Cohere 2 with experts (modeling_cohere2_moe.py): what all tokens share is added to what experts bring, or both
    are halved; dense layers first may turn positions though they have no window."""
    c.not_null("head_dim")
    c.only(mlp_bias=False)
    of_rms, of_layer = c.number("rms_norm_eps", absent=None, null=None), layer_norm(c, "layer_norm_eps", bias=False)
    model = decoder(c, of_layer if of_rms is None else {"kind": "rms", "eps": of_rms})
    turned, mlp, n_layers = model["attention"], model["mlp"], model["n_layers"]
    turned["rotary"]["interleaved"] = True
    plain = {key: part for key, part in turned.items() if key != "rotary"}
    first, period = c.size("first_k_dense_replace", absent=0, least=0), c.size("sliding_window_pattern", absent=4)
    first_period = c.size("prefix_dense_sliding_window_pattern", absent=1)
    if first > n_layers:
        raise c.refusal("first_k_dense_replace", f"{first} are more than num_hidden_layers = {n_layers}")
    which = layer_types(c, n_layers, every(first, first_period) + every(n_layers - first, period))
    window = c.size("sliding_window", absent=4096, null=None)
    if window is None and "sliding_attention" in which:
        raise c.refusal("sliding_window", "null, and some layers look into a window")
    usual = ["dense" if index < first else "sparse" for index in range(n_layers)]
    sparse = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    wide = c.size("prefix_dense_intermediate_size", absent=mlp["d_ff"], null=mlp["d_ff"])
    mlps = {"dense": mlp | {"d_ff": wide}, "sparse": _mixture(c, mlp)}
    full = {"dense": turned if first_period == 1 else plain, "sparse": plain}
    kinds = {
        (kind, word): {
            "attention": turned | {"window": window} if kind == "sliding_attention" else full[word],
            "mlp": mlps[word],
        }
        for kind, word in zip(which, sparse, strict=True)
    }
    unembedding = model["unembedding"] | {"scale": c.number("logit_scale", absent=0.0625)}
    found = slotted(kinds, list(zip(which, sparse, strict=True)))
    return {**model, **found, "residual": "parallel-shared", "unembedding": unembedding}


def _mixture(c: Config, mlp: Part) -> Part:
    """Experts as wide as the MLP; their shares add up to one, or are sigmoids as they are."""
    word = c.word("expert_selection_fn", among=("softmax", "sigmoid"), absent="softmax")
    n_shared = c.size("num_shared_experts", absent=0, least=0)
    how = c.word("shared_expert_combination_strategy", among=("average", "sum"), absent="average")
    halved = 0.5 if how == "average" and n_shared else 1.0
    shared = mlp | {"d_ff": n_shared * mlp["d_ff"]} | ({"output_scale": halved} if halved != 1.0 else {})
    normalize = c.flag("norm_topk_prob", absent=True)
    return {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=8),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=2),
        "expert": mlp,
        **({"shared": shared} if n_shared else {}),
        "scores": word,
        "normalize": normalize or word == "softmax",
        "scale": halved,
    }


READERS = {"cohere": cohere, "cohere2": cohere2, "cohere2_moe": cohere2_moe}
TABLES = {"cohere": NAMES, "cohere2": NAMES, "cohere2_moe": NAMES + EXPERTS}


DEFAULTS: Defaults = {
    "cohere2": dict(rope_theta=10_000.0),
    "cohere2_moe": dict(
        vocab_size=256_000,
        hidden_size=8192,
        intermediate_size=22_528,
        num_hidden_layers=40,
        head_dim=128,
        num_attention_heads=64,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
