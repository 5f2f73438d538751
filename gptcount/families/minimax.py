"""MiniMax-Text-01: lightning attention in most layers, attention in some, and mixtures."""

from __future__ import annotations

from gptcount.families.common import Part, activation, gated, heads, layer_types, renamed, rms, rotary, slotted, tied
from gptcount.families.config import Config
from gptcount.families.llama import MIXTRAL
from gptcount.families.llama import NAMES as LLAMA

NAMES = renamed(
    LLAMA + MIXTRAL,
    """
mixer_norm            model.layers.{}.input_layernorm                   |
mixer.query+key+value  model.layers.{}.self_attn.qkv_proj               n_heads*|, d_model
mixer.decay           model.layers.{}.self_attn.slope_rate[|]           |, 1, 1
mixer.query_decay     model.layers.{}.self_attn.query_decay[|]          n_heads, n_chunk, 1
mixer.key_decay       model.layers.{}.self_attn.key_decay[|]            n_heads, n_chunk, 1
mixer.chunk_decay     model.layers.{}.self_attn.diagonal_decay[|]       1, n_heads, n_chunk, |
mixer.norm            model.layers.{}.self_attn.norm                    |
mixer.gate            model.layers.{}.self_attn.output_gate             |, d_model
mixer.output          model.layers.{}.self_attn.out_proj                d_model, |
""",
)

FULL, LINEAR = "full_attention", "linear_attention"


def minimax(c: Config) -> Part:
    """MiniMax-Text-01 (arXiv:2501.08313; modeling_minimax.py): what is normed is kept, not the vector itself."""
    c.not_null("num_key_value_heads")
    d_model, n_layers = c.size("hidden_size", absent=4096), c.layers(absent=32)
    attention, act = heads(c, d_model, n_heads=32, kv_absent=8), activation(c, absent="silu")
    mixer = {
        "kind": "lightning",
        "n_heads": attention["n_heads"],
        "d_head": attention["d_head"],
        "n_chunk": c.size("block_size", absent=256),
        "activation": act,
        "norm": {"kind": "rms", "eps": 1e-6},
    }
    window = c.size("sliding_window", absent=None, null=None)
    attention |= {"rotary": rotary(c, base=1_000_000.0, d_head=attention["d_head"])}
    attention |= {"window": window} if window else {}
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", "num_experts", absent=8),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=2),
        "expert": gated(c.size("intermediate_size", absent=14336), act),
    }
    if c.size("rotary_dim", absent=None, null=None) not in (None, attention["d_head"]):
        c.notes.append("rotary_dim: not read by the classes of this family, which turn the whole of a head.")
    c.only(postnorm=True, shared_intermediate_size=0)
    usual = [LINEAR if index % 2 else FULL for index in range(n_layers)]
    kinds = {FULL: {"attention": attention, "mlp": mixture}, LINEAR: {"mixer": mixer, "mlp": mixture}}
    c.ignore("router_jitter_noise", "shared_moe_mode")
    return dict(
        n_vocab=c.size("vocab_size", absent=32000),
        n_ctx=c.size("max_position_embeddings", absent=131_072),
        d_model=d_model,
        n_layers=n_layers,
        **slotted(kinds, layer_types(c, n_layers, usual, tuple(kinds))),
        norm=rms(c, absent=1e-5),
        residual="normed-residual",
        residual_factors={"attention": _of(c, "full_attn"), "mixer": _of(c, "linear_attn"), "mlp": _of(c, "mlp")},
        unembedding=tied(c, absent=False),
    )


def _of(c: Config, branch: str) -> Part:
    """The factors of a kind of branch."""
    return {
        "kept": c.number(f"{branch}_alpha_factor", absent=1.0),
        "brought": c.number(f"{branch}_beta_factor", absent=1.0),
    }


READERS = {"minimax": minimax}
TABLES = {"minimax": NAMES}
