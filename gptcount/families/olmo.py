"""OLMo: Llama with norms that have no weights, then with norms of what each branch brings, then with experts."""

from __future__ import annotations

from gptcount.families.common import Part, every, renamed, rotary, tables_of_kinds, windowed
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import EXPERTS, decoder
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA,
    """
attention_output_norm  model.layers.{}.post_attention_layernorm    |
mlp_output_norm        model.layers.{}.post_feedforward_layernorm  |
""",
)


def olmo(c: Config) -> Part:
    """OLMo (arXiv:2402.00838; modeling_olmo.py): layer norms without weights; clipped queries, keys and values."""
    c.only(mlp_bias=False)
    model = decoder(c, {"kind": "layer", "gain": False, "eps": 1e-5})
    return _clipped(c, model)


def olmo2(c: Config) -> Part:
    """OLMo 2 (arXiv:2501.00656; modeling_olmo2.py): norms after the branches, and of all queries and of all
    keys at once."""
    return {**_normed(c), "residual": "output-norm"}


def olmo3(c: Config) -> Part:
    """OLMo 3 (arXiv:2512.13961; modeling_olmo3.py): OLMo 2 with windows in three of four layers, whose rotary positions
    are not scaled."""
    tables_of_kinds(c)
    model = olmo2(c)
    d_head = model["attention"]["d_head"]
    full = model["attention"] | {"rotary": rotary(c, d_head=d_head, kind="full_attention")}
    sliding = rotary(c, d_head=d_head, kind="sliding_attention", scaled=False)
    if "sliding_attention" not in (c.data.get("rope_parameters") or {}):
        sliding["base"] = 500_000.0  # the reference implementation gives rope_theta to the other layers alone
    model["attention"] = full | {"rotary": sliding}
    window = c.size("sliding_window", absent=4096, null=None)
    return windowed(c, model, window, every(model["n_layers"], 4), full)


def olmoe(c: Config) -> Part:
    """OLMoE (arXiv:2409.02060; modeling_olmoe.py): experts in every layer, norms before the branches."""
    model = _normed(c)
    n_heads, d_head = model["attention"]["n_heads"], model["attention"]["d_head"]
    if n_heads * d_head != model["d_model"]:
        raise c.refusal("head_dim", f"{n_heads} heads of {d_head} do not fill hidden_size = {model['d_model']}")
    return _with_experts(c, _clipped(c, model))


def flex_olmo(c: Config) -> Part:
    """FlexOlmo (arXiv:2507.07024; modeling_flex_olmo.py): OLMo 2 with experts that were trained apart."""
    return _with_experts(c, olmo2(c))


def _normed(c: Config) -> Part:
    """The attention of OLMo 2."""
    c.assume(vocab_size=50_304, rms_norm_eps=1e-5)
    c.only(mlp_bias=False)
    model = decoder(c)
    model["attention"]["query_key_norm"] = {**model["norm"], "over": "all-heads"}
    return model


def _clipped(c: Config, model: Part) -> Part:
    clip = c.number("clip_qkv", absent=None, null=None)
    return {**model, "attention": model["attention"] | ({} if clip is None else {"clip": clip})}


def _with_experts(c: Config, model: Part) -> Part:
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", "num_local_experts"),
        "n_experts_per_token": c.size("num_experts_per_tok"),
        "expert": model["mlp"],
        "normalize": c.flag("norm_topk_prob", absent=False),
    }
    return {**model, "mlp": mixture}


READERS = {"olmo": olmo, "olmo2": olmo2, "olmo3": olmo3, "olmoe": olmoe, "flex_olmo": flex_olmo}
TABLES = {"olmo": LLAMA, "olmo2": NAMES, "olmo3": NAMES, "olmoe": LLAMA + EXPERTS, "flex_olmo": NAMES + EXPERTS}


DEFAULTS: Defaults = {
    "olmo": dict(vocab_size=50_304),
    "olmo3": dict(rope_theta=500_000.0),
    "olmoe": dict(
        hidden_size=2048,
        intermediate_size=2048,
        num_hidden_layers=16,
        num_attention_heads=16,
        max_position_embeddings=4096,
        num_experts=64,
        num_experts_per_tok=8,
    ),
    "flex_olmo": dict(
        vocab_size=100_352,
        max_position_embeddings=4096,
        rms_norm_eps=1e-6,
        rope_theta=500_000.0,
        num_experts=7,
        num_experts_per_tok=5,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
