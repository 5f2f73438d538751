"""Muse Glimmer, whose layers without a window have no positions, and whose queries and embedding have plain norms."""

from __future__ import annotations

from gptcount.families.common import Part, attending, layer_types, renamed, varied
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES, decoder

MUSE = renamed(
    NAMES,
    """
attention.gate         model.layers.{}.self_attn.gate_proj             |, d_model
attention_output_norm  model.layers.{}.post_attention_layernorm        |
mlp_norm               model.layers.{}.pre_feedforward_layernorm       |
mlp_output_norm        model.layers.{}.post_feedforward_layernorm      |
""",
)


def muse_glimmer(c: Config) -> Part:
    """The language model of Muse Glimmer (modeling_muse_glimmer.py): norms on both sides of a branch, those after it
    with an epsilon of their own; gated attention; scores that are scaled and capped."""
    c.spelled(hidden_act="hidden_activation")
    c.only(mlp_bias=False, use_qk_norm=True)
    c.not_null("head_dim", "num_key_value_heads")
    model = decoder(c)
    d_model, n_layers, d_head = model["d_model"], model["n_layers"], model["attention"]["d_head"]
    if d_model % model["attention"]["n_heads"]:
        raise c.refusal("hidden_size", f"{d_model} is not a multiple of num_attention_heads")
    plain = {**model["norm"], "gain": False}
    scale = c.number("qk_scale_factor", absent=3.87) * d_head**-0.5
    model = attending(model, query_key_norm=plain, gate=True, scale=scale)
    far = [(n_layers - 1 - at) % 4 == 0 for at in range(n_layers)]
    kinds = layer_types(c, n_layers, ["full_attention" if whole else "sliding_attention" for whole in far])
    window = c.size("sliding_window", absent=2048, null=None)
    if window is None and "sliding_attention" in kinds:
        raise c.refusal("sliding_window", "null contradicts layer_types, where some have one")
    bases = c.raw("layer_rope_theta", absent=None, null=None)
    if bases is not None and (
        not isinstance(bases, list) or len(bases) != n_layers or any(type(base) not in (int, float) for base in bases)
    ):
        raise c.refusal("layer_rope_theta", f"expected a list of {n_layers} numbers, 0 where there are no positions")
    turned = [not whole for whole in far] if bases is None else [bool(base) for base in bases]
    blocks = {}
    for kind, on in zip(kinds, turned, strict=True):
        own = {key: part for key, part in model["attention"].items() if key != "rotary" or on}
        blocks[kind, on] = own | ({"window": window} if kind == "sliding_attention" else {})
    attention, variations = varied("attention", blocks, list(zip(kinds, turned, strict=True)))
    less_one = {**model["norm"], "plus_one": True}
    ends = {"scale": c.number("output_multiplier", absent=0.19611613513818404)}
    ends |= {"softcap": c.number("final_logit_softcapping", absent=20.0)}
    return {
        **model,
        "embedding": {"norm": plain},
        "attention": attention,
        "variations": variations,
        "residual": "sandwich",
        "norm": less_one,
        "output_norm": less_one | {"eps": c.number("post_norm_eps", absent=1e-8)},
        "final_norm": model["norm"],
        "unembedding": model["unembedding"] | ends,
    }


READERS = {"muse_glimmer_text": muse_glimmer}
TABLES = {"muse_glimmer_text": MUSE}


DEFAULTS: Defaults = {
    "muse_glimmer_text": dict(
        vocab_size=202_048,
        hidden_size=6656,
        intermediate_size=19_968,
        num_hidden_layers=52,
        head_dim=128,
        num_attention_heads=32,
        num_key_value_heads=2,
        max_position_embeddings=131_072,
        rms_norm_eps=1e-5,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
