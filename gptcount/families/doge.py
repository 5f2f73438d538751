"""Doge, whose tokens look at the keys that their values say are worth it."""

from __future__ import annotations

from gptcount.families.common import Part, attending, everywhere, renamed
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES, decoder

DOGE = renamed(
    NAMES,
    """
attention_residual      model.layers.{}.input_residual[|]             |
attention.worth         model.layers.{}.self_attn.dt_proj             |, n_kv_heads*d_head
attention.worth.rate    model.layers.{}.self_attn.A[|]                |
mlp_residual            model.layers.{}.post_attention_residual[|]    |
""",
)


def doge(c: Config) -> Part:
    """Doge (arXiv:2412.11834; modeling_doge.py): a key's score gets what its value is worth, and the worthiest are
    looked at alone; what comes in is scaled, number by number, before a branch is added."""
    c.not_null("head_dim")
    if c.flag("is_moe", absent=False):
        raise c.refusal("is_moe", "true, and such a mixture of experts sends a token by the scores of other tokens too")
    c.ignore("num_experts", "num_experts_per_tok", "norm_topk_prob", "expert_retrieval_size", "num_cdmoe_experts")
    model = decoder(c)
    worth = {"n_kept": c.size("keep_window_size", absent=2048), "bias": bool(model["attention"]["biases"])}
    model = attending(model, query_key_norm=model["norm"], worth=worth)
    return {**everywhere(model, c.size("sliding_window", absent=None, null=None)), "residual": "gained"}


READERS = {"doge": doge}
TABLES = {"doge": DOGE}


DEFAULTS: Defaults = {
    "doge": dict(vocab_size=32_768, hidden_size=1024, intermediate_size=2048, num_attention_heads=8),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
