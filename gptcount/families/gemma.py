"""Gemma, which is Llama with gains stored less one, a scaled embedding and norms on both sides of a branch."""

from __future__ import annotations

from gptcount.families.common import Part, activation, every, renamed, rotary, tables_of_kinds, windowed
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.llama import decoder

PRE_NORM = renamed(LLAMA, "\nmlp_norm model.layers.{}.pre_feedforward_layernorm |")

NAMES = renamed(
    PRE_NORM,
    """
attention_output_norm  model.layers.{}.post_attention_layernorm          |
mlp_output_norm        model.layers.{}.post_feedforward_layernorm        |
""",
)

OF_GEMMA_2B = dict(hidden_size=2304, num_hidden_layers=26, num_attention_heads=8, num_key_value_heads=4)
"""What the readers of Gemma 2 and later take for absent keys."""


def gemma(c: Config) -> Part:
    """Gemma (arXiv:2403.08295; modeling_gemma.py): its files say gelu and mean the approximation by a tanh."""
    c.only(hidden_activation="gelu_pytorch_tanh")
    model = _gemma(c)
    act = model["mlp"]["activation"]
    return {**model, "mlp": {**model["mlp"], "activation": "gelu_tanh" if act == "gelu" else act}}


def _gemma(c: Config) -> Part:
    """What all have, but for the key of the activation."""
    c.assume(vocab_size=256_000, hidden_size=3072, num_hidden_layers=28, num_attention_heads=16, num_key_value_heads=16)
    c.assume(head_dim=256, intermediate_size=24_576, max_position_embeddings=8192, tie_word_embeddings=True)
    c.assume(hidden_act="gelu_pytorch_tanh")
    c.not_null("num_key_value_heads", "head_dim")
    c.only(mlp_bias=False)
    c.ignore("num_image_tokens")
    model = decoder(c)
    if c.flag("use_bidirectional_attention", absent=False, null=False):
        model["attention"]["bidirectional"] = True
    return {
        **model,
        "embedding": {"scale": "sqrt(d_model)"},
        "norm": {**model["norm"], "plus_one": True},
    }


def gemma2(c: Config) -> Part:
    """Gemma 2 (arXiv:2408.00118; modeling_gemma2.py): norms on both sides of a branch, soft caps, and a window in every
    other layer."""
    c.only(use_bidirectional_attention=False)
    model = _capped(c)
    window = c.size("sliding_window", "sliding_window_size", absent=4096, null=None)
    return {**windowed(c, model, window, every(model["n_layers"], 2)), "residual": "sandwich"}


def vaultgemma(c: Config) -> Part:
    """VaultGemma (arXiv:2510.15001; modeling_vaultgemma.py): Gemma 2 with norms before the branches alone."""
    return {**gemma2(c), "residual": "pre-norm"}


def gemma3(c: Config) -> Part:
    """Gemma 3 (arXiv:2503.19786; modeling_gemma3.py): norms of queries and keys, not a cap on scores; the five layers
    of six that have a window have another base of rotary positions."""
    model = _capped(c)
    full = model["attention"] | {"query_key_norm": model["norm"]}
    if full.pop("softcap", None):
        raise c.refusal("attn_logit_softcapping", "the reference implementation of this family does not cap scores")
    tables_of_kinds(c)
    full["rotary"] = rotary(c, base=1_000_000.0, d_head=full["d_head"], kind="full_attention")
    local = rotary(c, d_head=full["d_head"], kind="sliding_attention", theta="rope_local_base_freq", scaled=False)
    window = c.size("sliding_window", absent=4096, null=None)
    if window and full.get("bidirectional"):
        window = window // 2 + 1
    usual = every(model["n_layers"], c.size("sliding_window_pattern", "_sliding_window_pattern", absent=6))
    model["attention"] = full | {"rotary": local}
    return {**windowed(c, model, window, usual, full), "residual": "sandwich"}


def _capped(c: Config) -> Part:
    """Gemma with soft caps and a scale of scores of its own."""
    c.assume(**OF_GEMMA_2B, intermediate_size=9216)
    model = _gemma(c)
    model["mlp"]["activation"] = activation(c, "hidden_activation", absent="gelu_pytorch_tanh")
    if model["d_model"] % model["attention"]["n_heads"]:
        raise c.refusal("hidden_size", f"{model['d_model']} is not a multiple of {model['attention']['n_heads']} heads")
    scores, logits = cap(c, "attn_logit_softcapping", 50.0), cap(c, "final_logit_softcapping", 30.0)
    model["attention"]["scale"] = c.size("query_pre_attn_scalar", absent=256) ** -0.5
    model["attention"] |= scores
    model["unembedding"] |= logits
    return model


def cap(c: Config, key: str, absent: float | None) -> Part:
    """A soft cap, where there is one."""
    value = c.number(key, absent=absent, null=None)
    if value is not None and value <= 0:
        raise c.refusal(key, f"{value!r}: a cap is above 0, and null says that there is none")
    return {} if value is None else {"softcap": value}


READERS = {"gemma": gemma, "gemma2": gemma2, "gemma3_text": gemma3, "vaultgemma": vaultgemma}
TABLES = {"gemma": LLAMA, "gemma2": NAMES, "gemma3_text": NAMES, "vaultgemma": PRE_NORM}


DEFAULTS: Defaults = {
    "gemma3_text": dict(
        vocab_size=262_208,
        max_position_embeddings=131_072,
        attn_logit_softcapping=None,
        final_logit_softcapping=None,
        rope_theta=1_000_000.0,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
