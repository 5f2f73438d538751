"""Llama 3.2 Vision: Llama with layers between that look at the image, and tokens that are read and never scored."""

from __future__ import annotations

from gptcount.families.common import Part, even_heads, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.llama import decoder

CROSS = """
attention.crossed.query         model.layers.{}.cross_attn.q_proj                 |, d_model
attention.crossed.query_norm    model.layers.{}.cross_attn.q_norm                 |
attention.crossed.key           model.layers.{}.cross_attn.k_proj                 |, d_model
attention.crossed.key_norm      model.layers.{}.cross_attn.k_norm                 |
attention.crossed.value         model.layers.{}.cross_attn.v_proj                 |, d_model
attention.crossed.output        model.layers.{}.cross_attn.o_proj                 d_model, |
attention.crossed.gate          model.layers.{}.cross_attn_attn_gate[|]           1
attention.crossed.mlp_gate      model.layers.{}.cross_attn_mlp_gate[|]            1
"""

N_IMAGE_TOKENS = 8
"""Rows of the embedding beyond the vocabulary (modeling_mllama.py)."""


def mllama(c: Config) -> Part:
    """Llama 3.2 Vision (arXiv:2407.21783, section 7; modeling_mllama.py): of what another part brings, the layers that
    look at it are counted, and the part itself is not."""
    c.only(attention_bias=False, mlp_bias=False)
    c.not_null("num_key_value_heads")
    even_heads(c)
    model = decoder(c)
    own = model["attention"]
    n_layers, usual = model["n_layers"], [3, 8, 13, 18, 23, 28, 33, 38]
    crossed = set(c.indices("cross_attention_layers", n_layers, absent=usual, null=usual))
    sizes = {key: own[key] for key in ("n_heads", "n_kv_heads", "d_head")}
    cross = {"kind": "cross", **sizes, "query_key_norm": model["norm"]}
    which = [index in crossed for index in range(n_layers)]
    attention, variations = varied("attention", {False: own, True: cross}, which)
    return {
        **model,
        "embedding": {"n_embedded": model["n_vocab"] + N_IMAGE_TOKENS},
        "attention": attention,
        "variations": variations,
        "unembedding": {"tied": False},
    }


READERS = {"mllama_text_model": mllama}
TABLES = {"mllama_text_model": LLAMA + CROSS}


DEFAULTS: Defaults = {
    "mllama_text_model": dict(
        vocab_size=128_256,
        hidden_size=4096,
        intermediate_size=14_336,
        num_hidden_layers=40,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        rope_theta=500_000.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
