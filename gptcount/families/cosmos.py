"""Cosmos 3 Edge, whose language model is Llama with plain MLPs."""

from __future__ import annotations

from gptcount.families.common import Part, renamed, ungated
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES, decoder

COSMOS = renamed(
    NAMES,
    """
attention.query   model.layers.{}.self_attn.to_q      |, d_model
attention.key     model.layers.{}.self_attn.to_k      |, d_model
attention.value   model.layers.{}.self_attn.to_v      |, d_model
attention.output  model.layers.{}.self_attn.to_out    d_model, |
mlp.up            model.layers.{}.mlp.up_proj         |, d_model
mlp.down          model.layers.{}.mlp.down_proj       d_model, |
""",
)


def cosmos3_edge(c: Config) -> Part:
    """The language model of Cosmos 3 Edge (modeling_cosmos3_edge.py)."""
    model = decoder(c)
    n_heads, d_head = model["attention"]["n_heads"], model["attention"]["d_head"]
    if model["d_model"] % n_heads:
        raise c.refusal("hidden_size", f"{model['d_model']} is not a multiple of num_attention_heads = {n_heads}")
    said = c.data.get("rope_parameters") or c.data.get("rope_scaling")
    section = said.get("mrope_section") if isinstance(said, dict) else None if said is not None else [24, 20, 20]
    if not isinstance(section, list) or [*map(type, section)] != [int] * 3 or sum(section) != d_head // 2:
        raise c.refusal("rope_parameters", f"mrope_section: expected three numbers whose sum is {d_head // 2}")
    if "scaling" in model["attention"]["rotary"]:
        raise c.refusal("rope_parameters", "rope_type: in this family it is default")
    return {**model, "mlp": ungated(model["mlp"])}


READERS = {"cosmos3_edge_text": cosmos3_edge}
TABLES = {"cosmos3_edge_text": COSMOS}


DEFAULTS: Defaults = {
    "cosmos3_edge_text": dict(
        vocab_size=131_072,
        hidden_size=2048,
        intermediate_size=9216,
        num_hidden_layers=28,
        head_dim=128,
        num_attention_heads=16,
        num_key_value_heads=8,
        hidden_act="relu2",
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        rope_theta=100_000_000.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
