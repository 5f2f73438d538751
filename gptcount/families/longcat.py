"""LongCat-Flash: layers of two latent attentions and two MLPs, and beside them a mixture, some of whose experts do
nothing."""

from __future__ import annotations

import re

from gptcount.architecture import Architecture
from gptcount.families.common import Part, gated
from gptcount.families.config import Config, Defaults
from gptcount.families.deepseek import dense
from gptcount.families.deepseek import names as of_deepseek

MIXTURE = """
shortcut.router+router_zero                         model.layers.{}.mlp.router.classifier                  |, d_model
shortcut.router.correction+router_zero.correction   model.layers.{}.mlp.router.e_score_correction_bias[|]  |
shortcut.experts.gate                               model.layers.{}.mlp.experts.{}.gate_proj               |, d_model
shortcut.experts.up                                 model.layers.{}.mlp.experts.{}.up_proj                 |, d_model
shortcut.experts.down                               model.layers.{}.mlp.experts.{}.down_proj               d_model, |
"""

TWICE = {
    "input_layernorm": "input_layernorm",
    "self_attn": "self_attn",
    "post_attention_layernorm": "post_attention_layernorm",
    "mlp": "mlps",
}
"""What a layer has two of, and its name."""


def names(architecture: Architecture) -> str:
    """The names of a checkpoint: DeepSeek's, with the number of the pair after that of the layer."""
    table = of_deepseek(architecture)
    for part, twice in TWICE.items():
        table = table.replace(f"model.layers.{{}}.{part}", f"model.layers.{{}}.{twice}.{{}}")
    zero = architecture.shortcut and architecture.shortcut.mixture.n_zero_experts
    return table + (MIXTURE if zero else re.sub(r"\+router_zero[.\w]*", "", MIXTURE))


def longcat_flash(c: Config) -> Part:
    """LongCat-Flash (arXiv:2509.01322; modeling_longcat_flash.py): queries and the latent of keys are scaled."""
    c.only(mlp_bias=False, rope_interleave=True, mla_scale_q_lora=True, mla_scale_kv_lora=True)
    c.only(attention_method="MLA", zero_expert_type="identity", norm_topk_prob=False)
    c.only(router_bias=False)
    c.not_null("q_lora_rank")
    c.ignore("params_dtype", "router_dtype", "nextn_use_scmoe")
    both = c.size("num_hidden_layers", absent=None, null=None)
    n_layers = c.layers("num_layers", absent=both // 2 if both else 28)
    if both not in (None, 2 * n_layers):
        raise c.refusal("num_hidden_layers", f"{both}, and num_layers = {n_layers}, of which each is two")
    d_ff = c.size("ffn_hidden_size", "intermediate_size", absent=12_288)
    c.data = {**c.data, "num_hidden_layers": n_layers, "intermediate_size": d_ff}
    model = dense(c)
    attention = model["attention"]
    attention["query_scale"] = (model["d_model"] / attention["d_query_latent"]) ** 0.5
    attention["kv_scale"] = (model["d_model"] / attention["d_kv_latent"]) ** 0.5
    return {**model, "shortcut": {"mixture": mixture(c, model["mlp"]["activation"])}}


def mixture(c: Config, act: str) -> Part:
    """The mixture of a layer: experts, and some that give back what they get."""
    n_zero = c.size("zero_expert_num", absent=256, least=0)
    width = c.size("expert_ffn_hidden_size", "moe_intermediate_size", absent=2048)
    return {
        "kind": "mixture",
        "n_experts": c.size("n_routed_experts", "num_local_experts", absent=512),
        "n_experts_per_token": c.size("moe_topk", "num_experts_per_tok", absent=12),
        **({"n_zero_experts": n_zero} if n_zero else {}),
        "expert": gated(width, act),
        "router_correction": "buffer",
        "normalize": False,
        "scale": c.number("routed_scaling_factor", absent=6.0),
    }


READERS = {"longcat_flash": longcat_flash}
TABLES = {"longcat_flash": names}


DEFAULTS: Defaults = {
    "longcat_flash": dict(
        vocab_size=131_072,
        hidden_size=6144,
        num_attention_heads=64,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
        rope_theta=10_000_000.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
