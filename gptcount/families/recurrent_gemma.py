"""RecurrentGemma: two recurrent blocks for each attention in a window."""

from __future__ import annotations

import struct
from math import sqrt

from gptcount.families.common import Part, activation, biases, gated, heads, paired, rms, rotary, slotted
from gptcount.families.config import Config

NAMES = """
embedding.token       model.embed_tokens                                        |, d_model
attention_norm        model.layers.{}.temporal_pre_norm                         |
attention.query       model.layers.{}.temporal_block.q_proj                     |, d_model
attention.key         model.layers.{}.temporal_block.k_proj                     |, d_model
attention.value       model.layers.{}.temporal_block.v_proj                     |, d_model
attention.output      model.layers.{}.temporal_block.o_proj                     d_model, |
mixer_norm            model.layers.{}.temporal_pre_norm                         |
mixer.gate            model.layers.{}.temporal_block.linear_y                   |, d_model
mixer.input           model.layers.{}.temporal_block.linear_x                   |, d_model
mixer.convolution     model.layers.{}.temporal_block.conv_1d                    |, 1, n_taps
mixer.input_gate      model.layers.{}.temporal_block.rg_lru.input_gate[_weight|_bias]      n_blocks, d_block, |
mixer.decay_gate      model.layers.{}.temporal_block.rg_lru.recurrent_gate[_weight|_bias]  n_blocks, d_block, |
mixer.log_decay       model.layers.{}.temporal_block.rg_lru.recurrent_param[|]  |
mixer.output          model.layers.{}.temporal_block.linear_out                 d_model, |
mlp_norm              model.layers.{}.channel_pre_norm                          |
mlp.gate              model.layers.{}.mlp_block.gate_proj                       |, d_model
mlp.up                model.layers.{}.mlp_block.up_proj                         |, d_model
mlp.down              model.layers.{}.mlp_block.down_proj                       d_model, |
final_norm            model.final_norm                                          |
unembedding.token     lm_head                                                   |, d_model
"""


PARTIAL = "partial_rotary_factor"
"""Half of a head where it is absent, all of it where it is null."""


def recurrent_gemma(c: Config) -> Part:
    """RecurrentGemma (arXiv:2404.07839; modeling_recurrent_gemma.py): Griffin's recurrent block, and Gemma's norms."""
    c.spelled(attention_window_size="sliding_window")
    d_model, n_layers = c.size("hidden_size", absent=2560), c.layers(absent=26)
    attention, act = heads(c, d_model, n_heads=10), activation(c, "hidden_activation", absent="gelu_pytorch_tanh")
    on, d_head = c.flag("attention_bias", absent=False), attention["d_head"]
    turned: Part = rotary(c, base=10_000.0, d_head=d_head, partial=0.5 if c.data.get(PARTIAL, 0.5) else 1.0)
    if "scaling" in turned:
        raise c.refusal("rope_parameters", "rotary positions of this family are not scaled")
    paired(c, PARTIAL, turned.get("d_rotary") or d_head)
    attention |= {
        "biases": [*biases(on, "query", "key", "value"), "output"],
        "rotary": turned,
        "window": c.size("attention_window_size", absent=2048),
    }
    d_lru = c.size("lru_width", absent=d_model, null=d_model)
    if d_lru % attention["n_heads"]:
        raise c.refusal("lru_width", f"{d_lru} is not a multiple of num_attention_heads = {attention['n_heads']}")
    mixer = {
        "kind": "rg-lru",
        "n_blocks": attention["n_heads"],
        "d_block": d_lru // attention["n_heads"],
        "n_taps": c.size("conv1d_width", absent=4),
        "activation": act,
    }
    mlp = gated(c.size("intermediate_size", absent=7680, least=2) // 2, act, on=True)
    kinds = {"attention": {"attention": attention, "mlp": mlp}, "recurrent": {"mixer": mixer, "mlp": mlp}}
    c.ignore("w_init_variance_scale", "final_w_init_variance_scale", "embeddings_scale_by_sqrt_dim")
    return dict(
        n_vocab=c.size("vocab_size", absent=256_000),
        n_ctx=False,
        d_model=d_model,
        n_layers=n_layers,
        embedding={"scale": _rounded(sqrt(d_model))},
        **slotted(kinds, _kinds(c, n_layers)),
        norm={**rms(c), "plus_one": True},
        unembedding={
            "tied": c.flag("tie_word_embeddings", absent=True),
            "softcap": c.number("logits_soft_cap", absent=30.0),
        },
    )


def _kinds(c: Config, n_layers: int) -> list[str]:
    """The kind of each layer: a pattern that is repeated, as often as the class does."""
    pattern = c.raw("block_types", absent=["recurrent", "recurrent", "attention"])
    if not isinstance(pattern, list) or any(word not in ("recurrent", "attention") for word in pattern):
        raise c.refusal("block_types", "expected a list of recurrent and attention")
    c.only(_block_types=pattern)  # as older files say it, which the class does not read
    if 100 * len(pattern) < n_layers:
        raise c.refusal("block_types", f"repeated 100 times, it is shorter than {n_layers} layers")
    return [pattern[index % len(pattern)] for index in range(n_layers)]


def _rounded(value: float) -> float:
    """A number as bfloat16 has it, which the class keeps the scale of its embedding in."""
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    (rounded,) = struct.unpack("<f", struct.pack("<I", (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000))
    return float(rounded)


READERS = {"recurrent_gemma": recurrent_gemma}
TABLES = {"recurrent_gemma": NAMES}
