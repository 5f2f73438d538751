"""Gemma 3n: Gemma 3 whose layers work on one of several streams, share keys and values, and have embeddings of their
own."""

from __future__ import annotations

from typing import Any

from gptcount.families.common import (
    Part,
    activation,
    biases,
    every,
    gated,
    heads,
    layer_types,
    rms,
    rotary,
    tables_of_kinds,
    tied,
    varied,
)
from gptcount.families.config import Config
from gptcount.families.gemma import NAMES as GEMMA
from gptcount.families.gemma import cap

PER_LAYER = """
per_layer_embedding.token             model.embed_tokens_per_layer                            n_vocab_per_layer, |
per_layer_embedding.projection        model.per_layer_model_projection                        |, d_model
per_layer_embedding.projection_norm   model.per_layer_projection_norm                         |
per_layer_embedding.gate              model.layers.{}.per_layer_input_gate                    |, d_model
per_layer_embedding.output            model.layers.{}.per_layer_projection                    d_model, |
per_layer_embedding.output_norm       model.layers.{}.post_per_layer_input_norm               |
"""

NAMES = f"""{GEMMA}{PER_LAYER}
streams.split          model.altup_projections.{{}}                       d_model', d_model
streams.join           model.altup_unembed_projections.{{}}               d_model', d_model
streams.router_norm    model.layers.{{}}.altup.router_norm                |
streams.router         model.layers.{{}}.altup.modality_router            |, d_model
streams.predict        model.layers.{{}}.altup.prediction_coefs           |, n_streams
streams.correct        model.layers.{{}}.altup.correction_coefs           |, n_streams
streams.scale          model.layers.{{}}.altup.correct_output_scale[|]    |
laurel.down            model.layers.{{}}.laurel.linear_left               |, d_model
laurel.up              model.layers.{{}}.laurel.linear_right              d_model, |
laurel.norm            model.layers.{{}}.laurel.post_laurel_norm          |
"""


def gemma3n(c: Config) -> Part:
    """Gemma 3n (the model card; modeling_gemma3n.py)."""
    d_model, n_layers = c.size("hidden_size", absent=2048), c.layers(absent=35)
    norm, act = rms(c), activation(c, "hidden_activation", absent="gelu_pytorch_tanh")
    attention = normed_heads(c, d_model, norm, n_kv_heads=2)
    if d_model % attention["n_heads"]:
        raise c.refusal("hidden_size", f"{d_model} is not a multiple of {attention['n_heads']} heads")
    sliding = attention | {"window": c.size("sliding_window", absent=512)}
    tables_of_kinds(c)
    sliding["rotary"] = rotary(
        c, d_head=attention["d_head"], kind="sliding_attention", theta="rope_local_base_freq", scaled=False
    )
    full = attention | {"rotary": rotary(c, base=1_000_000.0, d_head=attention["d_head"], kind="full_attention")}
    blocks = {"sliding_attention": sliding, "full_attention": full}
    kinds, which = shared(blocks, layer_types(c, n_layers, every(n_layers, 5)), c, 15)
    common, variations = varied("attention", kinds, which)
    mlp, of_mlp = varied("mlp", *mlps(c, n_layers, act))
    c.ignore("query_pre_attn_scalar", "altup_coef_clip", "altup_lr_multiplier")
    return dict(
        n_vocab=c.size("vocab_size", absent=262_400),
        n_ctx=c.size("max_position_embeddings", absent=32_768),
        d_model=d_model,
        n_layers=n_layers,
        embedding={"scale": "sqrt(d_model)"},
        per_layer_embedding=per_layer_embedding(c, norm, act),
        streams=altup(c, norm),
        laurel={"d_rank": c.size("laurel_rank", absent=64), "norm": norm},
        attention=common,
        mlp=mlp,
        norm=norm,
        residual="sandwich",
        variations=[*variations, *of_mlp],
        unembedding=tied(c, absent=True) | cap(c, "final_logit_softcapping", 30.0),
    )


def normed_heads(c: Config, d_model: int, norm: Part, n_kv_heads: int) -> Part:
    """Attention whose queries, keys and values are normed, so that scores need no scale."""
    c.not_null("num_key_value_heads")
    on = c.flag("attention_bias", absent=False)
    return {
        **heads(c, d_model, n_heads=8, kv_absent=n_kv_heads, head_absent=256),
        "biases": biases(on, "query", "key", "value", "output"),
        "query_key_norm": norm,
        "value_norm": {**norm, "gain": False},
        "scale": 1.0,
    }


def shared(blocks: dict[str, Part], types: list[str], c: Config, absent: int) -> tuple[dict[Any, Part], list[Any]]:
    """The attention of each kind of layer and what kind each is, where the last layers take keys and values from the
    last layer of their type before them."""
    first = len(types) - c.size("num_kv_shared_layers", absent=absent, least=0)
    if first < len(types) and (first < 0 or set(types[:first]) != set(types)):
        raise c.refusal("num_kv_shared_layers", "no earlier layer of the same type has keys and values to share")
    kinds = {(word, False): block for word, block in blocks.items()}
    kinds |= {(word, True): block | {"shares_kv": True} for word, block in blocks.items()}
    return kinds, [(word, index >= first) for index, word in enumerate(types)]


def mlps(c: Config, n_layers: int, act: str) -> tuple[dict[Any, Part], list[Any]]:
    """The MLP of each kind of layer, and what kind each is: its width, and what part of its gates is set to zero."""
    said = c.data.get("intermediate_size")
    widths = [c.size("intermediate_size", absent=16_384)] * n_layers if not isinstance(said, list) else said
    usual = [0.95 if index < 10 < n_layers else 0.0 for index in range(n_layers)]
    sparsity = c.raw("activation_sparsity_pattern", absent=usual, null=usual)
    c.ignore("intermediate_size")
    if len(widths) != n_layers or any(type(width) is not int for width in widths):
        raise c.refusal("intermediate_size", f"expected a width, or {n_layers}, one a layer")
    if not isinstance(sparsity, list) or len(sparsity) != n_layers:
        raise c.refusal("activation_sparsity_pattern", f"expected a list of {n_layers}, one a layer")
    if any(type(part) not in (int, float) or not 0 <= part < 1 for part in sparsity):
        raise c.refusal("activation_sparsity_pattern", "expected numbers from 0 to less than 1")
    kinds = list(zip(widths, sparsity, strict=True))
    return {kind: gated(kind[0], act) | ({"sparsity": kind[1]} if kind[1] else {}) for kind in kinds}, kinds


def altup(c: Config, norm: Part) -> Part:
    """The streams, of which one is active."""
    n_streams, active = c.size("altup_num_inputs", absent=4), c.size("altup_active_idx", absent=0, least=0)
    if active >= n_streams:
        raise c.refusal("altup_active_idx", f"{active} is none of the streams, which are {n_streams}")
    scaled = c.flag("altup_correct_scale", absent=True)
    return {"kind": "altup", "n_streams": n_streams, "active": active, "scaled": scaled, "norm": norm}


def per_layer_embedding(c: Config, norm: Part, act: str) -> Part:
    """The embeddings of every layer."""
    return {
        "d_per_layer": c.size("hidden_size_per_layer_input", absent=256),
        "n_vocab_per_layer": c.size("vocab_size_per_layer_input", absent=262_144),
        "activation": act,
        "norm": norm,
    }


READERS = {"gemma3n_text": gemma3n}
TABLES = {"gemma3n_text": NAMES}
