"""MiniMax-M3, whose attention looks at whole blocks of tokens that an indexer chooses."""

from __future__ import annotations

from typing import Any

from gptcount.families.common import Part, attending, mixed, renamed, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import MIXTRAL, NAMES, decoder

NAMES_M3 = renamed(
    NAMES + MIXTRAL,
    """
attention.indexer.query       model.layers.{}.self_attn.index_q_proj                       |, d_model
attention.indexer.query_norm  model.layers.{}.self_attn.index_q_norm                       |
attention.indexer.key         model.layers.{}.self_attn.index_k_proj                       |, d_model
attention.indexer.key_norm    model.layers.{}.self_attn.index_k_norm                       |
mlp.router.correction         model.layers.{}.block_sparse_moe.e_score_correction_bias[|]  |
mlp.shared.gate               model.layers.{}.block_sparse_moe.shared_experts.gate_proj    |, d_model
mlp.shared.up                 model.layers.{}.block_sparse_moe.shared_experts.up_proj      |, d_model
mlp.shared.down               model.layers.{}.block_sparse_moe.shared_experts.down_proj    d_model, |
""",
)

INDEXER = {
    "index_n_heads": ("sparse_num_index_heads", 4),
    "index_head_dim": ("sparse_index_dim", 128),
    "index_block_size": ("sparse_block_size", 128),
    "index_topk_blocks": ("sparse_topk_blocks", 16),
    "index_local_blocks": ("sparse_local_block", 1),
}
"""What the sizes of the indexer are called in a ``sparse_attention_config``, and what they are if absent."""

KINDS = ("full_attention", "minimax_m3_sparse")


def minimax_m3(c: Config) -> Part:
    """MiniMax-M3 (modeling_minimax_m3_vl.py): some layers look at blocks that an indexer chooses; gains are stored less
    one; gate and up are clipped."""
    c.only(attention_bias=False, mlp_bias=False, use_qk_norm=True, qk_norm_type="per_head", use_gemma_norm=True)
    c.only(use_routing_bias=True, scoring_func="sigmoid", sliding_window=None, n_shared_experts=1)
    c.not_null("head_dim", "num_key_value_heads", "partial_rotary_factor")
    c.data = {
        key: value for key, value in c.data.items() if key != "hidden_act"
    }  # the class takes no other than its own
    c.ignore("rotary_dim", "num_mtp_modules", "mtp_transformer_layers", "use_mtp")
    model = decoder(c)
    model["norm"] |= {"plus_one": True}
    model = attending(model, query_key_norm=model["norm"])
    clipped = {"activation": "swiglu_clipped", "limit": c.number("swiglu_limit", absent=7.0)}
    clipped |= {"alpha": c.number("swiglu_alpha", absent=1.702)}
    dense, expert = (model["mlp"] | clipped | {"d_ff": width} for width in _widths(c, model))
    d_shared = c.size("shared_intermediate_size", absent=3072, least=0)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", "num_experts", absent=128),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=4),
        "expert": expert,
        **({"shared": expert | {"d_ff": d_shared}} if d_shared else {}),
        "router_correction": "buffer",
        "scores": "sigmoid",
        "scale": c.number("routed_scaling_factor", absent=2.0),
    }
    model = _indexed(c, {**model, "mlp": dense})
    n_layers = model["n_layers"]
    usual = _flagged(
        c.raw("moe_layer_freq", absent=None, null=None), "moe_layer_freq", c, n_layers, ("dense", "sparse")
    )
    usual = usual or ["sparse"] * n_layers
    sparse = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    return mixed(model, mixture, [kind == "sparse" for kind in sparse])


def _widths(c: Config, model: Part) -> tuple[int, int]:
    return c.size("dense_intermediate_size", absent=12_288), model["mlp"]["d_ff"]


def _indexed(c: Config, model: Part) -> Part:
    """The model, with an indexer in the layers that are said to have one."""
    n_layers, full, older = (
        model["n_layers"],
        model["attention"],
        c.table("sparse_attention_config", null=None, absent=None),
    )
    usual = None
    if older:
        older.ignore("use_sparse_attention", "sparse_disable_index_value", "sparse_score_type", "sparse_init_block")
        freq = older.raw("sparse_attention_freq", absent=None, null=None)
        usual = _flagged(freq, "sparse_attention_freq", older, n_layers, KINDS)
    usual = usual or ["full_attention"] * n_layers
    kinds = c.words("layer_types", n_layers, KINDS, absent=usual, null=usual)
    sizes = {key: _size(c, older, key, *names) for key, names in INDEXER.items()}
    if "minimax_m3_sparse" not in kinds:
        return model
    rotary = {"d_rotary": full["d_head"]} | full["rotary"]
    indexer = {
        "n_index_heads": sizes["index_n_heads"],
        "d_index_head": sizes["index_head_dim"],
        "n_block": sizes["index_block_size"],
        "n_chosen": sizes["index_topk_blocks"],
        "n_local": sizes["index_local_blocks"],
        "norm": model["norm"],
    }
    if full["n_heads"] % indexer["n_index_heads"]:
        raise c.refusal("index_n_heads", f"{indexer['n_index_heads']} do not divide {full['n_heads']} heads")
    if rotary["d_rotary"] > indexer["d_index_head"]:
        why = f"{indexer['d_index_head']} contradicts the {rotary['d_rotary']} numbers of a head that are turned"
        raise c.refusal("index_head_dim", why)
    if indexer["n_local"] > indexer["n_chosen"]:
        raise c.refusal("index_local_blocks", f"{indexer['n_local']} contradicts index_topk_blocks, which are fewer")
    sparse = full | {"rotary": rotary, "indexer": indexer}
    attention, variations = varied("attention", dict(zip(KINDS, (full, sparse), strict=True)), kinds)
    return {**model, "attention": attention, "variations": variations}


def _size(c: Config, older: Config | None, key: str, word: str, absent: int) -> int:
    """A size of the indexer, which the older object decides where it says it."""
    least = int(key != "index_local_blocks")
    if older and older.has(word):
        said = older.size(word, least=least)
        if c.data.get(key, said) != said:
            raise c.refusal(key, f"{c.data[key]!r} contradicts {word} = {said}")
        c.ignore(key)
        return said
    return c.size(key, absent=absent, least=least)


def _flagged(flags: Any, key: str, c: Config, n_layers: int, words: tuple[str, str]) -> list[str] | None:
    """The word of each layer, of a list that says 1 or 0 for it."""
    if flags is None:
        return None
    if not isinstance(flags, list) or len(flags) != n_layers or any(flag not in (0, 1) for flag in flags):
        raise c.refusal(key, f"expected a list of {n_layers}, 0 or 1 for each layer")
    return [words[bool(flag)] for flag in flags]


READERS = {"minimax_m3_vl_text": minimax_m3}
TABLES = {"minimax_m3_vl_text": NAMES_M3}


DEFAULTS: Defaults = {
    "minimax_m3_vl_text": dict(
        vocab_size=200_064,
        hidden_size=6144,
        intermediate_size=3072,
        num_hidden_layers=60,
        head_dim=128,
        num_attention_heads=64,
        num_key_value_heads=4,
        max_position_embeddings=524_288,
        rope_theta=5_000_000.0,
        partial_rotary_factor=1.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
