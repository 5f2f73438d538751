"""MiniCPM 1, 2 and 4: Llama whose embedding, branches and scores are scaled, and its mixture."""

from __future__ import annotations

from gptcount.families.common import Part
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES, llama

MIXTURE = """
mlp.router            model.layers.{}.mlp.gate                |, d_model
mlp.experts.gate      model.layers.{}.mlp.experts.{}.w1       |, d_model
mlp.experts.up        model.layers.{}.mlp.experts.{}.w3       |, d_model
mlp.experts.down      model.layers.{}.mlp.experts.{}.w2       d_model, |
"""


def minicpm(c: Config) -> Part:
    """MiniCPM (arXiv:2404.06395; modeling_minicpm.py)."""
    c.only(attention_bias=False, mlp_bias=False)
    c.ignore("mup_denominator")
    model = scaled(c, llama(c), depth=1.0, emb=1.0)
    n_experts = c.size("num_experts", absent=0, null=0, least=0)
    if not n_experts:
        return model
    n_chosen = c.size("num_experts_per_tok", absent=2)
    mixture = {"kind": "mixture", "n_experts": n_experts, "n_experts_per_token": n_chosen, "expert": model["mlp"]}
    return {**model, "mlp": mixture}


def scaled(c: Config, model: Part, depth: float, emb: float, base: int | None = 1) -> Part:
    """A model whose embedding, branches and scores are scaled; the numbers are what absent keys stand for."""
    each = c.number("scale_depth", absent=depth, null=None)
    width = c.size("dim_model_base", absent=base, null=model["d_model"])
    return {
        **model,
        "embedding": {"scale": c.number("scale_emb", absent=emb)},
        "residual_scale": 1.0 if each is None else each / model["n_layers"] ** 0.5,
        "unembedding": {**model["unembedding"], "scale": width / model["d_model"]},
    }


READERS = {"minicpm": minicpm}
TABLES = {"minicpm": NAMES + MIXTURE}


DEFAULTS: Defaults = {
    "minicpm": dict(tie_word_embeddings=True),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
