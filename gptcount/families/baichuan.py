"""Baichuan 1 and 2: Llama that stores query, key and value as one matrix; 7B has rotary positions, 13B ALiBi."""

from __future__ import annotations

from gptcount.families.common import Part, renamed
from gptcount.families.config import Config
from gptcount.families.llama import NAMES, llama

BAICHUAN = renamed(
    NAMES,
    """
attention.query+key+value    model.layers.{}.self_attn.W_pack    |, d_model
""",
)

SECOND = 125_696
"""How many tokens the models of the second generation have."""


def baichuan(c: Config) -> Part:
    """Baichuan (arXiv:2309.10305; modeling_baichuan.py). The 13B of both generations say no max_position_embeddings.
    The second unembeds with vectors of length 1."""
    rotary = c.has("max_position_embeddings") or "BaiChuanForCausalLM" in c.classes()
    longest = c.size("model_max_length", absent=None, null=None)
    if not rotary and not longest:
        raise c.refusal("max_position_embeddings", "neither it (7B) nor model_max_length (13B) says the context")
    named = f"{c.data.get('_name_or_path')} {c.data.get('auto_map')}".lower()
    second = c.data.get("vocab_size") == SECOND or c.has("z_loss_weight") or "baichuan2" in named
    if not second and "vocab_size" not in c.data and "baichuan" not in named:
        raise c.refusal("vocab_size", "missing, and nothing says which generation of Baichuan this is")
    c.assume(vocab_size=SECOND if second else 64_000)
    c.assume(**({"max_position_embeddings": 4096} if rotary else LARGER | {"max_position_embeddings": longest}))
    c.only(attention_bias=False, mlp_bias=False, num_key_value_heads=c.size("num_attention_heads", absent=32))
    c.ignore("z_loss_weight", "_from_model_config")
    model = llama(c)
    if not rotary:
        model["attention"] = {key: part for key, part in model["attention"].items() if key != "rotary"}
        model["attention"]["alibi"] = "exact"
    return {**model, "unembedding": {**model["unembedding"], **({"unit_vectors": True} if second else {})}}


LARGER = {"hidden_size": 5120, "intermediate_size": 13_696, "num_hidden_layers": 40, "num_attention_heads": 40}


READERS = {"baichuan": baichuan}
TABLES = {"baichuan": BAICHUAN}
