"""Bamba and Falcon-H1: Mamba-2 in most layers and attention in some, or both side by side in each; and the words by
which they and Granite 4 speak of a Mamba-2 mixer."""

from __future__ import annotations

from math import sqrt

from gptcount.families.common import Part, activation, biases, gated, heads, renamed, rms, rotary, slotted, tied
from gptcount.families.config import Config
from gptcount.families.llama import NAMES as LLAMA
from gptcount.families.mamba2 import mixer_names, time_steps

MIXER = renamed(
    mixer_names("model.layers.{}", "mamba"),
    """
mixer_norm           model.layers.{}.input_layernorm                |
""",
)

NAMES = renamed(
    LLAMA + MIXER,
    """
mlp_norm             model.layers.{}.pre_ff_layernorm               |
mlp.gate             model.layers.{}.feed_forward.gate_proj         |, d_model
mlp.up               model.layers.{}.feed_forward.up_proj           |, d_model
mlp.down             model.layers.{}.feed_forward.down_proj         d_model, |
final_norm           model.final_layernorm                          |
""",
)


def mixer(c: Config, d_model: int, act: str, norm: Part, inner: int | None = None) -> Part:
    """A Mamba-2 mixer in these families' words; ``inner`` is the width of all its heads, where it is not the model's,
    stretched. Raises InputError where the heads are not as wide as that, as the class does."""
    inner = c.size("mamba_expand", absent=2) * d_model if inner is None else inner
    n_heads, d_head = c.size("mamba_n_heads", absent=128), c.raw("mamba_d_head", absent="auto")
    d_head = inner // n_heads if d_head == "auto" else c.size("mamba_d_head")
    if n_heads * d_head != inner:
        raise c.refusal(
            "mamba_n_heads", f"{n_heads} heads of {d_head} numbers do not make the mixer's width of {inner}"
        )
    on = c.flag("mamba_proj_bias", absent=False, null=False)
    convolved = c.flag("mamba_conv_bias", absent=True, null=False)
    c.ignore("mamba_chunk_size", "mamba_expand")
    return {
        "kind": "mamba2",
        "n_heads": n_heads,
        "d_head": d_head,
        "d_state": c.size("mamba_d_state", absent=256),
        "n_groups": c.size("mamba_n_groups", absent=1),
        "n_taps": c.size("mamba_d_conv", absent=4),
        "biases": biases(on, "input") + biases(convolved, "convolution") + biases(on, "output"),
        "activation": act,
        "norm": norm,
        **time_steps(c),
    }


def bamba(c: Config) -> Part:
    """Bamba (modeling_bamba.py): Mamba-2 in most layers, attention in those that are named, which turns half of each
    head."""
    d_model, n_layers = c.size("hidden_size", absent=4096), c.layers(absent=32)
    norm, act = rms(c, absent=1e-5), activation(c, absent="silu")
    c.ignore("partial_rotary_factor", "attn_rotary_emb", "num_logits_to_keep", "z_loss_coefficient")
    c.data = {key: value for key, value in c.data.items() if key != "partial_rotary_factor"}
    attention = _attention(c, d_model, partial=0.5)
    mlp = gated(c.size("intermediate_size", absent=14_336), act, c.flag("mlp_bias", absent=False))
    kinds = {
        "attention": {"attention": attention, "mlp": mlp},
        "mamba": {"mixer": mixer(c, d_model, act, norm), "mlp": mlp},
    }
    full = c.raw("attn_layer_indices", absent=None, null=None)
    if full is not None and (not isinstance(full, list) or any(type(index) is not int for index in full)):
        raise c.refusal("attn_layer_indices", "expected a list of layers")
    c.only(layer_types=None, layers_block_type=None)  # the class makes them of these numbers, and takes no others
    return dict(
        n_vocab=c.size("vocab_size", absent=128_000),
        n_ctx=c.size("max_position_embeddings", absent=262_144),
        d_model=d_model,
        n_layers=n_layers,
        **slotted(kinds, ["attention" if index in (full or ()) else "mamba" for index in range(n_layers)]),
        norm=norm,
        unembedding=tied(c, absent=False),
    )


def falcon_h1(c: Config) -> Part:
    """Falcon-H1 (arXiv:2507.22448; modeling_falcon_h1.py): attention and Mamba-2 side by side in every layer, and
    factors wherever a matrix stands."""
    d_model, act = c.size("hidden_size", absent=4096), activation(c, absent="silu")
    norm = rms(c, absent=1e-5)
    attention = _attention(c, d_model)
    attention |= {
        "scale": _factor(c, "key_multiplier") / sqrt(attention["d_head"]),
        "input_scale": _factor(c, "attention_in_multiplier"),
        "output_scale": _factor(c, "attention_out_multiplier"),
    }
    normed = c.flag("mamba_rms_norm", absent=False, null=False)
    before = c.flag("mamba_norm_before_gate", absent=True, null=False)
    gate, down = _factors(c, "mlp_multipliers", 2)
    mlp = gated(c.size("intermediate_size", absent=14_336), act, c.flag("mlp_bias", absent=False))
    c.only(layer_types=None, layers_block_type=None)
    c.ignore("num_logits_to_keep", "attn_layer_indices", "attn_rotary_emb", "mamba_use_mlp", "mlp_expansion_factor")
    return dict(
        n_vocab=c.size("vocab_size", absent=128_000),
        n_ctx=c.size("max_position_embeddings", absent=8192),
        d_model=d_model,
        n_layers=c.layers(absent=32),
        embedding={"scale": _factor(c, "embedding_multiplier")},
        attention=attention,
        mixer=_mixer(c, d_model, act, norm, normed) | ({"norm_before_gate": True} if normed and before else {}),
        mlp=mlp | {"gate_scale": gate, "output_scale": down},
        norm=norm,
        unembedding=tied(c, absent=False) | {"scale": _factor(c, "lm_head_multiplier")},
    )


def _mixer(c: Config, d_model: int, act: str, norm: Part, normed: bool) -> Part:
    """The mixer of Falcon-H1: its output matrix has a bias by a key of its own, and each part of the input a factor."""
    part = mixer(c, d_model, act, norm, c.size("mamba_d_ssm", absent=1024, null=None))
    others = [name for name in part["biases"] if name != "output"]
    parts = ("gate", "input", "b", "c", "time_step")
    return part | {
        "norm": norm if normed else None,
        "biases": others + biases(c.flag("projectors_bias", absent=False, null=False), "output"),
        "input_scale": _factor(c, "ssm_in_multiplier"),
        "output_scale": _factor(c, "ssm_out_multiplier"),
        "part_scales": dict(zip(parts, _factors(c, "ssm_multipliers", len(parts)), strict=True)),
    }


def _attention(c: Config, d_model: int, partial: float | None = None) -> Part:
    attention = heads(c, d_model, n_heads=32, kv_absent=8)
    on = c.flag("attention_bias", absent=False)
    return attention | {
        "biases": biases(on, "query", "key", "value", "output"),
        "rotary": rotary(c, d_head=attention["d_head"], partial=partial),
    }


def _factor(c: Config, key: str) -> float:
    return c.number(key, absent=1.0)


def _factors(c: Config, key: str, n: int) -> list[float]:
    """So many factors; absent, each is 1."""
    said = c.raw(key, absent=None, null=None)
    if said is None:
        return [1.0] * n
    if not isinstance(said, list) or len(said) != n or any(type(one) not in (int, float) for one in said):
        raise c.refusal(key, f"expected a list of {n} numbers")
    return [float(one) for one in said]


READERS = {"bamba": bamba, "falcon_h1": falcon_h1}
TABLES = {"bamba": NAMES, "falcon_h1": NAMES}
