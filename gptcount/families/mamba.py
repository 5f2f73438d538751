"""Mamba, whose every layer is a mixer that keeps a state; Falcon Mamba; and Jamba, with attention and experts."""

from __future__ import annotations

from gptcount.families.common import (
    Part,
    activation,
    biases,
    gated,
    heads,
    renamed,
    rms,
    slotted,
    tied,
)
from gptcount.families.config import Config
from gptcount.families.llama import NAMES as LLAMA

MIXER = """
mixer_norm                  {layer}.norm                           |
mixer.input+gate            {layer}.{mixer}.in_proj                |, d_model
mixer.convolution           {layer}.{mixer}.conv1d                 |, 1, n_taps
mixer.time_step_down+b+c    {layer}.{mixer}.x_proj                 |, d_inner
mixer.time_step             {layer}.{mixer}.dt_proj                |, d_time_step
mixer.log_decay             {layer}.{mixer}.A_log[|]               |, d_state
mixer.skip                  {layer}.{mixer}.D[|]                   |
mixer.output                {layer}.{mixer}.out_proj               d_model, |
"""
"""The names of a mixer, in a layer and under a name of its own."""

NAMES = """
embedding.token             backbone.embeddings                    |, d_model
final_norm                  backbone.norm_f                        |
unembedding.token           lm_head                                |, d_model
""" + MIXER.replace("{layer}", "backbone.layers.{}").replace("{mixer}", "mixer")

JAMBA = renamed(
    LLAMA + MIXER.replace("{layer}", "model.layers.{}").replace("{mixer}", "mamba"),
    """
mixer_norm                  model.layers.{}.input_layernorm        |
mixer.time_step_norm        model.layers.{}.mamba.dt_layernorm     |
mixer.b_norm                model.layers.{}.mamba.b_layernorm      |
mixer.c_norm                model.layers.{}.mamba.c_layernorm      |
mlp_norm                    model.layers.{}.pre_ff_layernorm       |
mlp.gate                    model.layers.{}.feed_forward.gate_proj |, d_model
mlp.up                      model.layers.{}.feed_forward.up_proj   |, d_model
mlp.down                    model.layers.{}.feed_forward.down_proj d_model, |
mlp.router                  model.layers.{}.feed_forward.router    |, d_model
mlp.experts.gate            model.layers.{}.feed_forward.experts.{}.gate_proj  |, d_model
mlp.experts.up              model.layers.{}.feed_forward.experts.{}.up_proj    |, d_model
mlp.experts.down            model.layers.{}.feed_forward.experts.{}.down_proj  d_model, |
final_norm                  model.final_layernorm                  |
""",
)

OF_TRAINING = ("time_step_scale", "time_step_min", "time_step_max", "time_step_init_scheme", "time_step_floor")


def mamba(c: Config) -> Part:
    """Mamba (arXiv:2312.00752; modeling_mamba.py)."""
    return _mamba(c)


def falcon_mamba(c: Config) -> Part:
    """Falcon Mamba (arXiv:2410.05355; modeling_falcon_mamba.py): time step, B and C are normed, without gains."""
    c.ignore("use_falcon_mambapy")
    model = _mamba(c)
    norm = {"kind": "rms", "gain": False, "eps": c.number("mixer_rms_eps", absent=1e-6)}
    return {**model, "mixer": model["mixer"] | {"norm": norm}}


def _mamba(c: Config) -> Part:
    d_model = c.size("hidden_size", absent=768)
    norm = rms(c, absent=1e-5, key="layer_norm_epsilon")
    convolved, others = c.flag("use_conv_bias", absent=True), c.flag("use_bias", absent=False)
    expanded = int(c.number("expand", absent=2) * d_model)
    d_inner = c.size("intermediate_size", absent=expanded)
    c.only(d_model=d_model, rms_norm=True)
    c.ignore("residual_in_fp32", "rescale_prenorm_residual", "use_mambapy", "use_associative_scan", *OF_TRAINING)
    c.ignore("d_inner", "n_layer", "ssm_cfg", "fused_add_norm", "pad_vocab_size_multiple", "conv_channels")
    mixer = {
        "kind": "mamba",
        "d_inner": d_inner,
        "d_state": c.size("state_size", absent=16),
        "d_time_step": rank(c, "time_step_rank", d_model),
        "n_taps": c.size("conv_kernel", absent=4),
        "biases": biases(others, "input") + biases(convolved, "convolution") + biases(others, "output"),
        "activation": activation(c, absent="silu"),
    }
    return dict(
        n_vocab=c.size("vocab_size", absent=50280),
        n_ctx=False,
        d_model=d_model,
        n_layers=c.layers(absent=32),
        attention=False,
        mixer=mixer,
        mlp=False,
        norm=norm,
        unembedding=tied(c, absent=True),
    )


def rank(c: Config, key: str, d_model: int) -> int:
    """How many numbers a time step is made of: a sixteenth of the width, rounded up, where it is left to that."""
    auto = -(-d_model // 16)
    if c.data.get(key, "auto") == "auto":
        c.ignore(key)
        if key not in c.data:
            c.take_for(key, f"hidden_size / 16 = {auto}")
        return auto
    return c.size(key)


def jamba(c: Config) -> Part:
    """Jamba (arXiv:2403.19887; modeling_jamba.py): one layer in eight has attention, without positions; every other
    layer has experts."""
    d_model, n_layers = c.size("hidden_size", absent=4096), c.layers(absent=32)
    norm, act = rms(c), activation(c, absent="silu")
    attention = heads(c, d_model, n_heads=32, kv_absent=8)
    on = c.flag("mamba_proj_bias", absent=False)
    mixer = {
        "kind": "mamba",
        "d_inner": c.size("mamba_expand", absent=2) * d_model,
        "d_state": c.size("mamba_d_state", absent=16),
        "d_time_step": rank(c, "mamba_dt_rank", d_model),
        "n_taps": c.size("mamba_d_conv", absent=4),
        "biases": biases(on, "input")
        + biases(c.flag("mamba_conv_bias", absent=True), "convolution")
        + biases(on, "output"),
        "activation": act,
        "norm": norm,
    }
    mlp = gated(c.size("intermediate_size", absent=14336), act)
    n_experts = c.size("num_experts", "num_local_experts", absent=16)
    mixture = {
        "kind": "mixture",
        "n_experts": n_experts,
        "n_experts_per_token": c.size("num_experts_per_tok", absent=2),
        "expert": mlp,
        "normalize": False,
    }
    looks = _every(c, n_layers, "attn_layer_period", "attn_layer_offset", 8, 4)
    sparse = _every(c, n_layers, "expert_layer_period", "expert_layer_offset", 2, 1)
    usual = ["attention" if on else "mamba" for on in looks]
    c.only(layers_block_type=usual, sliding_window=None)
    c.ignore(
        "use_mamba_kernels",
        "use_mambapy",
        "use_associative_scan",
        "mamba_inner_layernorms",
        "calc_logits_for_entire_prompt",
        "n_ctx",  # of older files, beside max_position_embeddings
    )
    kinds = {
        (on, many): ({"attention": attention} if on else {"mixer": mixer}) | {"mlp": mixture if many else mlp}
        for on in (False, True)
        for many in (False, True)
    }
    which = [(on, many and n_experts > 1) for on, many in zip(looks, sparse, strict=True)]
    return dict(
        n_vocab=c.size("vocab_size", absent=65536),
        n_ctx=c.size("max_position_embeddings", absent=262_144),
        d_model=d_model,
        n_layers=n_layers,
        **slotted(kinds, which),
        norm=norm,
        unembedding=tied(c, absent=False),
    )


def _every(c: Config, n_layers: int, period: str, offset: str, usual: int, first: int) -> list[bool]:
    """Which layers are those that a period and an offset say."""
    every, at = c.size(period, absent=usual), c.size(offset, absent=first, least=0)
    if at >= every:
        raise c.refusal(offset, f"{at} is not less than {period} = {every}")
    return [index % every == at for index in range(n_layers)]


READERS = {"mamba": mamba, "falcon_mamba": falcon_mamba, "jamba": jamba}
TABLES = {"mamba": NAMES, "falcon_mamba": NAMES, "jamba": JAMBA}
