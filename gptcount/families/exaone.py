"""EXAONE 4 and K-EXAONE: windows on most layers, and no positions on the others."""

from __future__ import annotations

from gptcount.families.common import Part, attending, every, mixed, predictors, windowed
from gptcount.families.config import REQUIRED, Config
from gptcount.families.llama import EXPERTS, NAMES, decoder, llama

EXAONE4 = """
attention_output_norm  model.layers.{}.post_attention_layernorm           |
mlp_output_norm        model.layers.{}.post_feedforward_layernorm         |
"""
CORRECTION = """
mlp.router.correction  model.layers.{}.mlp.e_score_correction_bias[|]     |
"""


def exaone4(c: Config) -> Part:
    """EXAONE 4.0 (arXiv:2507.11407; modeling_exaone4.py): the norms follow the branches."""
    return {**_exaone(c), "residual": "output-norm"}


def exaone_moe(c: Config) -> Part:
    """K-EXAONE (arXiv:2601.01739; modeling_exaone_moe.py): the norms come first; later layers have experts."""
    c.not_null("sliding_window")
    model = _exaone(c)
    n_layers = model["n_layers"]
    width = c.size("moe_intermediate_size", absent=1024)
    n_shared = c.size("num_shared_experts", absent=1)
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_experts", absent=64),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=8),
        "expert": {**model["mlp"], "d_ff": width},
        "shared": {**model["mlp"], "d_ff": n_shared * width},
        "router_correction": "buffer",
        "scores": "sigmoid",
        "normalize": c.flag("norm_topk_prob", absent=True),
        "scale": c.number("routed_scaling_factor", absent=2.5),
        "n_groups": c.size("n_group", absent=1),
        "n_groups_per_token": c.size("topk_group", absent=1),
    }
    n_dense = c.size("first_k_dense_replace", "first_last_k_dense_replace", absent=1, least=0)
    usual = ["dense" if index < n_dense else "sparse" for index in range(n_layers)]
    kinds = c.words("mlp_layer_types", n_layers, ("dense", "sparse"), absent=usual, null=usual)
    sparse = [kind == "sparse" for kind in kinds]
    c.only(scoring_func="sigmoid", topk_method="noaux_tc", is_moe_layer=sparse)
    predictors(c)
    return mixed(model, mixture, sparse)


def _exaone(c: Config) -> Part:
    """What both have: norms on queries and keys; where there are windows, the layers without one have no positions."""
    c.assume(vocab_size=102400, intermediate_size=16384, num_key_value_heads=32, rms_norm_eps=1e-5)
    c.only(attention_bias=False, mlp_bias=False)
    c.not_null("num_key_value_heads", "head_dim")
    model = decoder(c)
    model = attending(model, query_key_norm=model["norm"])
    window = c.size("sliding_window", absent=4096, null=None)
    spelled = c.raw("sliding_window_pattern", absent=4, null=None)
    period = 4 if spelled == "LLLG" else spelled
    n_layers = model["n_layers"]
    if not window:
        return windowed(c, model, None, ["full_attention"] * n_layers)
    if type(period) is not int or period < 1:
        raise c.refusal("sliding_window_pattern", f"{spelled!r} is not known; expected a whole number or 'LLLG'")
    full = {key: field for key, field in model["attention"].items() if key != "rotary"}
    return windowed(c, model, window, every(n_layers, period), full)


EXAONE = """
embedding.token       transformer.wte                              |, d_model
attention_norm        transformer.h.{}.ln_1                        |
attention.query       transformer.h.{}.attn.attention.q_proj       |, d_model
attention.key         transformer.h.{}.attn.attention.k_proj       |, d_model
attention.value       transformer.h.{}.attn.attention.v_proj       |, d_model
attention.output      transformer.h.{}.attn.attention.out_proj     d_model, |
mlp_norm              transformer.h.{}.ln_2                        |
mlp.gate              transformer.h.{}.mlp.c_fc_0                  |, d_model
mlp.up                transformer.h.{}.mlp.c_fc_1                  |, d_model
mlp.down              transformer.h.{}.mlp.c_proj                  d_model, |
final_norm            transformer.ln_f                             |
unembedding.token     lm_head                                      |, d_model
"""


def exaone(c: Config) -> Part:
    """EXAONE 3 and 3.5 (arXiv:2408.03541; configuration_exaone.py): Llama in GPT-Neo's words. What absent keys stand
    for, its first code and that of transformers do not agree on."""
    c.spelled(num_hidden_layers="num_layers", rms_norm_eps="layer_norm_epsilon", hidden_act="activation_function")
    if c.data.get("auto_map"):
        c.assume(**dict.fromkeys(("hidden_size", "intermediate_size", "num_key_value_heads"), REQUIRED))
        c.assume(max_position_embeddings=2048, tie_word_embeddings=REQUIRED)
    else:
        c.assume(max_position_embeddings=4096, rope_theta=500_000.0)
    c.assume(vocab_size=102_400, intermediate_size=14_336, num_key_value_heads=8, rms_norm_eps=1e-5)
    return llama(c)


READERS = {"exaone": exaone, "exaone4": exaone4, "exaone_moe": exaone_moe}
TABLES = {
    "exaone": EXAONE,
    "exaone4": NAMES + EXAONE4,
    "exaone_moe": NAMES + EXPERTS + CORRECTION,
}
