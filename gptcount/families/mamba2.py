"""Mamba-2: every layer is a mixer that keeps a state, and nothing else."""

from __future__ import annotations

from gptcount.families.common import Part, activation, biases, rms, tied
from gptcount.families.config import Config

MIXER = """
mixer_norm                                            {layer}.norm             |
mixer.gate+input+b+c+time_step                        {layer}.{mixer}.in_proj    |, d_model
mixer.convolution.input+convolution.b+convolution.c   {layer}.{mixer}.conv1d     |, 1, n_taps
mixer.time_step_bias                                  {layer}.{mixer}.dt_bias[|] |
mixer.log_decay                                       {layer}.{mixer}.A_log[|]   |
mixer.skip                                            {layer}.{mixer}.D[|]       |
mixer.norm                                            {layer}.{mixer}.norm       |
mixer.output                                          {layer}.{mixer}.out_proj   d_model, |
"""


def mixer_names(layer: str, mixer: str) -> str:
    """What checkpoints call the tensors of a mixer, in a layer and under a name of its own."""
    return MIXER.replace("{layer}", layer).replace("{mixer}", mixer)


NAMES = (
    mixer_names("backbone.layers.{}", "mixer")
    + """
embedding.token      backbone.embeddings                        |, d_model
final_norm           backbone.norm_f                            |
unembedding.token    lm_head                                    |, d_model
"""
)


def mamba2(c: Config) -> Part:
    """Mamba-2 (arXiv:2405.21060; modeling_mamba2.py)."""
    d_model, n_heads, d_head = (
        c.size("hidden_size", absent=4096),
        c.size("num_heads", absent=128),
        c.size("head_dim", absent=64),
    )
    expand = c.number("expand", absent=2)
    if d_model * expand != n_heads * d_head:
        raise c.refusal("expand", f"{expand:g} x hidden_size is not num_heads x head_dim = {n_heads * d_head}")
    norm = rms(c, absent=1e-5, key="layer_norm_epsilon")
    mixer = {
        "kind": "mamba2",
        "n_heads": n_heads,
        "d_head": d_head,
        "d_state": c.size("state_size", absent=128),
        "n_groups": c.size("n_groups", absent=8),
        "n_taps": c.size("conv_kernel", absent=4),
        "biases": _biases(c),
        "activation": activation(c, absent="silu"),
        "norm": norm,
        **time_steps(c),
    }
    c.ignore("chunk_size", "residual_in_fp32", "rescale_prenorm_residual", "intermediate_size", "time_step_rank")
    return dict(
        n_vocab=c.size("vocab_size", absent=32768),
        n_ctx=False,
        d_model=d_model,
        n_layers=c.layers(absent=64),
        attention=False,
        mixer=mixer,
        mlp=False,
        norm=norm,
        unembedding=tied(c, absent=False),
    )


def _biases(c: Config) -> list[str]:
    convolved, others = c.flag("use_conv_bias", absent=True), c.flag("use_bias", absent=False)
    return biases(others, "input") + biases(convolved, "convolution") + biases(others, "output")


def time_steps(c: Config) -> Part:
    """The least and the most that a time step may be."""
    c.ignore("time_step_min", "time_step_max", "time_step_floor")
    said = c.raw("time_step_limit", absent=[0.0, {"__float__": "Infinity"}])
    if not isinstance(said, list) or len(said) != 2:
        raise c.refusal("time_step_limit", "expected two numbers")
    least, most = map(c.bound, said)
    infinite = said[1] in ("inf", {"__float__": "Infinity"}) or (type(said[1]) in (int, float) and said[1] >= 1e30)
    if least is None or (most is None and not infinite):
        raise c.refusal("time_step_limit", f"{said!r}: expected a number, and a number or infinity")
    return ({"time_step_least": least} if least else {}) | ({} if most is None else {"time_step_most": most})


READERS = {"mamba2": mamba2}
TABLES = {"mamba2": NAMES}
