"""Phi, Persimmon, StableLM and StarCoder2: Llama's words, with layer norms, partly turned heads, plain MLPs."""

from __future__ import annotations

from gptcount.families.common import Part, biases, layer_norm, renamed, ungated, whole_heads
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import MIXTRAL, NAMES, decoder
from gptcount.families.mixformer import phi_msft

PHI = renamed(
    NAMES,
    """
attention.query_norm         model.layers.{}.self_attn.q_layernorm     |
attention.key_norm           model.layers.{}.self_attn.k_layernorm     |
attention.output             model.layers.{}.self_attn.dense           d_model, |
mlp.up                       model.layers.{}.mlp.fc1                   |, d_model
mlp.down                     model.layers.{}.mlp.fc2                   d_model, |
final_norm                   model.final_layernorm                     |
""",
)

PHI3 = renamed(
    NAMES,
    """
attention.query+key+value    model.layers.{}.self_attn.qkv_proj        |, d_model
mlp.gate+up                  model.layers.{}.mlp.gate_up_proj          |, d_model
""",
)

PERSIMMON = renamed(
    PHI,
    """
attention.query+key+value    model.layers.{}.self_attn.query_key_value n_kv_heads*|, d_model
mlp.up                       model.layers.{}.mlp.dense_h_to_4h         |, d_model
mlp.down                     model.layers.{}.mlp.dense_4h_to_h         d_model, |
""",
)

STABLELM = renamed(
    NAMES,
    """
attention.query_norm         model.layers.{}.self_attn.q_layernorm.norms.{} |
attention.key_norm           model.layers.{}.self_attn.k_layernorm.norms.{} |
""",
)

STARCODER2 = renamed(
    NAMES,
    """
mlp.up                       model.layers.{}.mlp.c_fc                  |, d_model
mlp.down                     model.layers.{}.mlp.c_proj                d_model, |
""",
)


def phi(c: Config) -> Part:
    """Phi-1 and Phi-2 (arXiv:2306.11644; modeling_phi.py): side by side on one norm; the unembedding has a bias."""
    if c.has("n_embd"):
        return {**phi_msft(c), "checkpoint": "phi-msft"}
    c.assume(vocab_size=51200, hidden_size=2048, intermediate_size=8192, num_hidden_layers=24)
    c.assume(hidden_act="gelu_new", partial_rotary_factor=0.5)
    c.only(attention_bias=True, mlp_bias=True)
    c.not_null("head_dim")
    norm = layer_norm(c, "layer_norm_eps")
    model = decoder(c, norm)
    normed = {"query_key_norm": norm} if c.flag("qk_layernorm", absent=False) else {}
    if normed and model["attention"]["d_head"] != (usual := model["d_model"] // model["attention"]["n_heads"]):
        raise c.refusal("head_dim", f"and qk_layernorm, whose norms are {usual} wide here")
    return {
        **model,
        "attention": model["attention"] | normed,
        "mlp": ungated(model["mlp"]),
        "residual": "parallel-shared",
        "unembedding": model["unembedding"] | {"bias": True},
    }


def phi3(c: Config) -> Part:
    """Phi-3 and Phi-4 (arXiv:2404.14219; modeling_phi3.py): Llama with a window, its matrices fused when stored."""
    c.only(attention_bias=False, mlp_bias=False, lm_head_bias=False, full_attn_mod=1, interpolate_factor=1)
    c.not_null("head_dim")
    original = c.size("original_max_position_embeddings", absent=4096)
    c.data = {**c.data, "original_max_position_embeddings": original}
    model = decoder(c)
    return {**model, "attention": stretched(c, model["attention"]) | windows(c)}


def phimoe(c: Config) -> Part:
    """Phi-3.5-MoE (arXiv:2404.14219; modeling_phimoe.py): layer norms, and a router that picks two by turns."""
    c.only(mlp_bias=False, num_experts_per_tok=2)
    c.not_null("head_dim", "num_key_value_heads")
    if c.has("original_max_position_embeddings"):
        c.size("original_max_position_embeddings")
    model = decoder(c, layer_norm(c, "rms_norm_eps"))
    mixture = {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", absent=16),
        "n_experts_per_token": 2,
        "expert": model["mlp"],
        "scores": "sparse-mixer",
        "normalize": False,
        "jitter": c.number("router_jitter_noise", absent=0.01),
    }
    return {
        **model,
        "attention": stretched(c, model["attention"]) | windows(c),
        "mlp": mixture,
        "unembedding": model["unembedding"] | {"bias": c.flag("lm_head_bias", absent=False)},
    }


def persimmon(c: Config) -> Part:
    """Persimmon (Adept 2023; modeling_persimmon.py): biases everywhere, norms of queries and keys, squared relu."""
    whole = whole_heads(c, c.size("hidden_size", absent=4096))
    c.only(num_key_value_heads=whole["n_heads"], head_dim=whole["d_head"], attention_bias=True, mlp_bias=True)
    norm = layer_norm(c, "layer_norm_eps")
    model = decoder(c, norm)
    normed = {"query_key_norm": norm} if c.flag("qk_layernorm", absent=True) else {}
    return {**model, "attention": model["attention"] | normed, "mlp": ungated(model["mlp"])}


def stablelm(c: Config) -> Part:
    """StableLM (arXiv:2402.17834; modeling_stablelm.py): layer norms; each head of a query or key may have its own."""
    c.assume(vocab_size=50304, hidden_size=2560, intermediate_size=6912, num_key_value_heads=32)
    c.assume(max_position_embeddings=4096, partial_rotary_factor=0.25)
    c.not_null("num_key_value_heads")
    whole = whole_heads(c, c.size("hidden_size"), absent=32)
    c.only(head_dim=whole["d_head"], attention_bias=False, mlp_bias=False)
    norm = layer_norm(c, "layer_norm_eps")
    model = decoder(c, norm)
    attention = model["attention"] | {"biases": biases(c.flag("use_qkv_bias", absent=False), "query", "key", "value")}
    if c.flag("qk_layernorm", absent=False):
        attention["query_key_norm"] = norm | {"bias": False, "over": "each-head"}
    shared = c.flag("use_parallel_residual", absent=False)
    return {**model, "attention": attention, "residual": "parallel-shared" if shared else "pre-norm"}


def stablelm_epoch(c: Config) -> Part:
    """StableLM as its own code spelled it (modeling_stablelm_epoch.py)."""
    c.spelled(layer_norm_eps="norm_eps", partial_rotary_factor="rope_pct")
    c.only(num_heads=c.size("num_attention_heads", absent=32), rotary_scaling_factor=1.0)
    return {**stablelm(c), "checkpoint": "stablelm"}


def starcoder2(c: Config) -> Part:
    """StarCoder2 (arXiv:2402.19173; modeling_starcoder2.py): layer norms, biases, a plain MLP, a window."""
    c.not_null("num_key_value_heads")
    on = c.flag("use_bias", absent=True)
    c.only(attention_bias=on, mlp_bias=on, mlp_type="default", norm_type="layer_norm", scale_attn_weights=True)
    c.ignore("activation_function", "layer_norm_epsilon")
    model = decoder(c, layer_norm(c, "norm_epsilon"))
    return {**model, "attention": model["attention"] | windows(c), "mlp": ungated(model["mlp"])}


def windows(c: Config) -> Part:
    """A window on every layer, where the file says one."""
    window = c.size("sliding_window", absent=None, null=None)
    return {"window": window} if window else {}


def stretched(c: Config, attention: Part) -> Part:
    """Attention whose rotary positions can be stretched in one way only, with a factor for every pair."""
    rotary = attention["rotary"]
    if not (scaling := rotary.get("scaling")):
        return attention
    if scaling["kind"] not in ("longrope", "yarn"):
        raise c.refusal("rope_scaling", f"{scaling['kind']!r}, and in this family it is 'longrope'")
    pairs = rotary.get("d_rotary", attention["d_head"]) // 2
    for factors in ("short_factors", "long_factors"):
        if len(scaling.get(factors, ())) != pairs:
            raise c.refusal("rope_scaling", f"{factors}: expected a list of {pairs}, one a pair")
    return attention | {"rotary": rotary | {"scaling": scaling | {"kind": "longrope"}}}


READERS = {
    "phi": phi,
    "phi3": phi3,
    "phimoe": phimoe,
    "persimmon": persimmon,
    "stablelm": stablelm,
    "stablelm_epoch": stablelm_epoch,
    "starcoder2": starcoder2,
}
TABLES = {
    "phi": PHI,
    "phi3": PHI3,
    "phimoe": NAMES + MIXTRAL,
    "persimmon": PERSIMMON,
    "stablelm": STABLELM,
    "starcoder2": STARCODER2,
}


DEFAULTS: Defaults = {
    "phi3": dict(
        vocab_size=32064,
        hidden_size=3072,
        intermediate_size=8192,
        max_position_embeddings=4096,
        rms_norm_eps=1e-5,
        partial_rotary_factor=1.0,
    ),
    "phimoe": dict(
        vocab_size=32064,
        intermediate_size=6400,
        num_key_value_heads=8,
        max_position_embeddings=131072,
        rope_theta=1_000_000.0,
    ),
    "persimmon": dict(
        vocab_size=262144,
        intermediate_size=16384,
        num_hidden_layers=36,
        num_attention_heads=64,
        max_position_embeddings=16384,
        hidden_act="relu2",
        partial_rotary_factor=0.5,
    ),
    "starcoder2": dict(
        vocab_size=49152,
        hidden_size=3072,
        intermediate_size=12288,
        num_hidden_layers=30,
        num_attention_heads=24,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        hidden_act="gelu_pytorch_tanh",
        tie_word_embeddings=True,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
