"""Granite: Llama whose embedding, branches, scores and logits have a factor each; with experts; and JetMoE, Granite's
forebear, whose attention has experts too."""

from __future__ import annotations

from gptcount.families.common import (
    Part,
    activation,
    attending,
    gated,
    layer_types,
    renamed,
    rotary,
    slotted,
    tied,
    varied,
)
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.llama import decoder
from gptcount.families.mamba2_hybrids import MIXER, mixer

EXPERTS = """
mlp.router            model.layers.{}.block_sparse_moe.router.layer    |, d_model
mlp.experts.gate+up   model.layers.{}.block_sparse_moe.input_linear    n_experts, |, d_model
mlp.experts.down      model.layers.{}.block_sparse_moe.output_linear   n_experts, d_model, |
mlp.shared.gate+up    model.layers.{}.shared_mlp.input_linear          |, d_model
mlp.shared.down       model.layers.{}.shared_mlp.output_linear         d_model, |
"""

SINKS = """
attention.sinks       model.layers.{}.self_attn.sinks[|]               |
"""

STACKED = """
mlp.router            model.layers.{}.block_sparse_moe.router          |, d_model
mlp.experts.gate+up   model.layers.{}.block_sparse_moe.experts.gate_up_proj[|]  n_experts, |, d_model
mlp.experts.down      model.layers.{}.block_sparse_moe.experts.down_proj[|]     n_experts, d_model, |
"""

HYBRID = renamed(
    LLAMA + MIXER + EXPERTS,
    """
mlp.gate+up           model.layers.{}.shared_mlp.input_linear          |, d_model
mlp.down              model.layers.{}.shared_mlp.output_linear         d_model, |
""",
)

JETMOE = renamed(
    LLAMA,
    """
attention.router          model.layers.{}.self_attention.experts.router.layer   |, d_model
attention.experts.query   model.layers.{}.self_attention.experts.input_linear   n_experts, |, d_model
attention.key+value       model.layers.{}.self_attention.kv_proj                |, d_model
attention.experts.output  model.layers.{}.self_attention.experts.output_linear  n_experts, d_model, |
attention.output          model.layers.{}.self_attention.experts                d_model
mlp.router                model.layers.{}.mlp.router.layer                      |, d_model
mlp.experts.gate+up       model.layers.{}.mlp.input_linear                      n_experts, |, d_model
mlp.experts.down          model.layers.{}.mlp.output_linear                     n_experts, d_model, |
mlp.output                model.layers.{}.mlp                                   d_model
""",
)


def granite(c: Config) -> Part:
    """Granite (arXiv:2405.04324; modeling_granite.py)."""
    model = decoder(c)
    if (divisor := c.number("logits_scaling", absent=1.0)) == 0:
        raise c.refusal("logits_scaling", "0, and logits are divided by it")
    return {
        **attending(model, scale=c.number("attention_multiplier", absent=1.0)),
        "embedding": {"scale": c.number("embedding_multiplier", absent=1.0)},
        "residual_scale": c.number("residual_multiplier", absent=1.0),
        "unembedding": model["unembedding"] | {"scale": 1 / divisor},
    }


def granite_docling_text(c: Config) -> Part:
    """The language model of Granite Docling (modeling_granite_docling.py)."""
    return granite(c)


def granitemoe(c: Config) -> Part:
    """Granite MoE (Granite 3.0; modeling_granitemoe.py): experts in every layer."""
    c.only(mlp_bias=False)
    model = granite(c)
    return {**model, "mlp": _mixture(c, model["mlp"])}


def granitemoeshared(c: Config) -> Part:
    """Granite MoE with an MLP that all tokens share (modeling_granitemoeshared.py)."""
    model = granitemoe(c)
    shared = c.size("shared_intermediate_size", absent=0, least=0)
    return {**model, "mlp": model["mlp"] | ({"shared": model["mlp"]["expert"] | {"d_ff": shared}} if shared else {})}


def granite_swa(c: Config) -> Part:
    """Granite with windows on most layers, a sink in every head, and a rotary base for each layer, of which 0 leaves it
    without positions (modeling_granite_swa.py)."""
    return _with_windows(c, granite(c))


def granitemoe_swa(c: Config) -> Part:
    """The same with experts in every layer, and an MLP that all tokens share (modeling_granitemoe_swa.py)."""
    return _with_windows(c, granitemoeshared(c))


def _with_windows(c: Config, model: Part) -> Part:
    n_layers, attention = model["n_layers"], model["attention"] | {"sinks": True}
    usual = ["sliding_attention" if index % 4 else "full_attention" for index in range(n_layers)]
    which = layer_types(c, n_layers, usual, ("full_attention", "sliding_attention"))
    window = c.size("sliding_window", absent=128, null=None)
    if window is None and "sliding_attention" in which:
        raise c.refusal("sliding_window", "null, and layer_types says sliding_attention")
    rotary = attention.pop("rotary")
    bases = c.raw("layer_rope_theta", absent=None, null=None)
    bases = [rotary["base"]] * n_layers if bases is None else bases
    if not isinstance(bases, list) or len(bases) != n_layers or not all(map(_is_base, bases)):
        raise c.refusal("layer_rope_theta", f"expected a list of {n_layers} numbers of at least 0, one a layer")
    each = list(zip(which, map(float, bases), strict=True))
    kinds = {
        (kind, base): attention
        | ({"rotary": rotary | {"base": base}} if base else {})
        | ({"window": window} if kind == "sliding_attention" else {})
        for kind, base in each
    }
    found, variations = varied("attention", kinds, each)
    return {**model, "attention": found, "variations": variations}


def _is_base(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < 1e30  # type: ignore[operator]


def granitemoehybrid(c: Config) -> Part:
    """Granite 4 (modeling_granitemoehybrid.py): Mamba-2 in most layers, attention with or without positions in some, an
    MLP that all tokens share, and experts beside it or none."""
    c.only(mlp_bias=False, normalization_function="rmsnorm")
    c.ignore("init_method")
    model = granite(c)
    mlp = model["mlp"]
    attention = {"attention": model["attention"]}
    if c.word("position_embedding_type", among=("rope", "nope"), absent=None, null=None) != "rope":
        del model["attention"]["rotary"]
    mamba = {"mixer": mixer(c, model["d_model"], mlp["activation"], model["norm"])}
    shared = mlp | {"d_ff": c.size("shared_intermediate_size", absent=1024)}
    if c.size("num_local_experts", absent=8, least=0):
        mlp = _mixture(c, mlp) | {"shared": shared}
    else:
        c.ignore("num_experts_per_tok")
        mlp = shared
    kinds = {kind: slots | {"mlp": mlp} for kind, slots in dict.fromkeys(ATTENTION, attention).items()}
    kinds |= {kind: slots | {"mlp": mlp} for kind, slots in dict.fromkeys(MAMBA, mamba).items()}
    return {**model, **slotted(kinds, _kinds(c, model["n_layers"]))}


ATTENTION, MAMBA = ("attention", "full_attention"), ("mamba", "linear_attention")
"""What Granite 4 calls its kinds of layer, in older and newer words."""


def _kinds(c: Config, n_layers: int) -> list[str]:
    kinds = c.raw("layer_types", "layers_block_type", absent=None, null=None)
    kinds = [MAMBA[0]] * n_layers if kinds is None else kinds
    if not isinstance(kinds, list) or len(kinds) != n_layers:
        raise c.refusal("layer_types", f"expected a list of {n_layers}, one a layer")
    for kind in kinds:
        if kind not in (*ATTENTION, *MAMBA):
            raise c.refusal("layer_types", f"{kind!r} is not known; there are {', '.join((*ATTENTION, *MAMBA))}")
    return kinds


def _mixture(c: Config, expert: Part) -> Part:
    return {
        "kind": "mixture",
        "n_experts": c.size("num_local_experts", absent=8),
        "n_experts_per_token": c.size("num_experts_per_tok", absent=2),
        "expert": expert,
    }


def jetmoe(c: Config) -> Part:
    """JetMoE (arXiv:2404.07413; modeling_jetmoe.py): a mixture of MLPs behind a mixture of attention heads."""
    n_experts = c.size("num_local_experts", absent=8)
    chosen = c.size("num_experts_per_tok", absent=2)
    n_kv_heads = c.size("num_key_value_heads", absent=16)
    d_head = c.size("kv_channels", "head_dim", absent=128)
    n_layers = c.layers(absent=12)
    d_ff = c.size("intermediate_size", absent=5632)
    c.only(moe_num_experts=n_experts, moe_top_k=chosen, num_attention_heads=n_kv_heads * chosen)
    c.only(num_layers=n_layers, ffn_hidden_size=d_ff, glu=True, bias=True, rotary_percent=1.0, attention_bias=False)
    c.ignore("aux_loss_coef")
    experts = {"n_experts": n_experts, "n_experts_per_token": chosen, "output_bias": True}
    attention = {"kind": "attention-mixture", "n_kv_heads": n_kv_heads, "d_head": d_head, **experts}
    expert = gated(d_ff, activation(c, "activation_function", absent="silu"))
    return dict(
        n_vocab=c.size("vocab_size", absent=32000),
        n_ctx=c.size("max_position_embeddings", absent=4096),
        d_model=c.size("hidden_size", absent=2048),
        n_layers=n_layers,
        attention=attention | {"rotary": rotary(c, d_head=d_head)},
        mlp={"kind": "mixture", "expert": expert, **experts},
        norm={"kind": "rms", "eps": 1e-6},
        final_norm={"kind": "rms", "eps": c.number("rms_norm_eps", absent=1e-6)},
        unembedding=tied(c, absent=True),
    )


READERS = {
    "granite": granite,
    "granite4_vision_text": granite,
    "granite_docling_text": granite_docling_text,
    "granitemoe": granitemoe,
    "granitemoeshared": granitemoeshared,
    "granitemoehybrid": granitemoehybrid,
    "granite_swa": granite_swa,
    "granitemoe_swa": granitemoe_swa,
    "jetmoe": jetmoe,
}
TABLES = {
    "granite": LLAMA,
    "granite4_vision_text": LLAMA,
    "granite_docling_text": LLAMA,
    "granitemoe": LLAMA + EXPERTS,
    "granitemoeshared": LLAMA + EXPERTS,
    "granitemoehybrid": HYBRID,
    "granite_swa": LLAMA + SINKS,
    "granitemoe_swa": renamed(LLAMA + EXPERTS, STACKED) + SINKS,
    "jetmoe": JETMOE,
}


DEFAULTS: Defaults = {
    "granite_docling_text": dict(
        vocab_size=133_800,
        hidden_size=1024,
        intermediate_size=2048,
        num_hidden_layers=28,
        rms_norm_eps=1e-5,
        num_attention_heads=16,
        num_key_value_heads=4,
        max_position_embeddings=32_768,
        tie_word_embeddings=True,
        embedding_multiplier=12.0,
        logits_scaling=4.0,
        residual_multiplier=0.263,
        attention_multiplier=0.015625,
    ),
    "granite_swa": dict(
        vocab_size=100_352,
        hidden_size=2560,
        intermediate_size=8192,
        num_hidden_layers=24,
        rms_norm_eps=1e-5,
        num_attention_heads=20,
        num_key_value_heads=4,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
