"""GPT-Neo, GPT-NeoX and GPT-NeoX-Japanese, of EleutherAI and after them."""

from __future__ import annotations

from typing import Any

from gptcount.families.common import (
    Part,
    activation,
    biases,
    layer_norm,
    plain,
    rotary,
    tied,
    varied,
    whole_heads,
)
from gptcount.families.config import Config

NAMES = """
embedding.token              gpt_neox.embed_in                                     |, d_model
attention_norm               gpt_neox.layers.{}.input_layernorm                    |
attention.query+key+value    gpt_neox.layers.{}.attention.query_key_value          n_heads*|, d_model
attention.output             gpt_neox.layers.{}.attention.dense                    d_model, |
mlp_norm                     gpt_neox.layers.{}.post_attention_layernorm           |
mlp.up                       gpt_neox.layers.{}.mlp.dense_h_to_4h                  |, d_model
mlp.down                     gpt_neox.layers.{}.mlp.dense_4h_to_h                  d_model, |
final_norm                   gpt_neox.final_layer_norm                             |
unembedding.token            embed_out                                             |, d_model
"""

JAPANESE = NAMES.replace("gpt_neox.", "gpt_neox_japanese.").replace("attention.dense", "attention.dense[.weight|_bias]")

NEO = """
embedding.token       transformer.wte                              |, d_model
embedding.position    transformer.wpe                              |, d_model
attention_norm        transformer.h.{}.ln_1                        |
attention.query       transformer.h.{}.attn.attention.q_proj       |, d_model
attention.key         transformer.h.{}.attn.attention.k_proj       |, d_model
attention.value       transformer.h.{}.attn.attention.v_proj       |, d_model
attention.output      transformer.h.{}.attn.attention.out_proj     d_model, |
mlp_norm              transformer.h.{}.ln_2                        |
mlp.up                transformer.h.{}.mlp.c_fc                    |, d_model
mlp.down              transformer.h.{}.mlp.c_proj                  d_model, |
final_norm            transformer.ln_f                             |
unembedding.token     lm_head                                      |, d_model
"""


def gpt_neox(c: Config) -> Part:
    """GPT-NeoX (arXiv:2204.06745; modeling_gpt_neox.py), Pythia among them: attention and MLP side by side."""
    model = sizes(c, n_vocab=50432, d_model=6144, n_layers=44)
    on = c.flag("attention_bias", absent=True)
    heads = whole_heads(c, model["d_model"], absent=64) | {"biases": biases(on, "query", "key", "value", "output")}
    c.ignore("num_steps")
    return dict(
        **model,
        attention=heads | {"rotary": turned(c, heads["d_head"], 0.25)},
        mlp=plain(c.size("intermediate_size", absent=24576), activation(c, absent="gelu")),
        norm=layer_norm(c, "layer_norm_eps"),
        residual="parallel" if c.flag("use_parallel_residual", absent=True) else "pre-norm",
        unembedding=tied(c, absent=False),
    )


def gpt_neox_japanese(c: Config) -> Part:
    """GPT-NeoX-Japanese (abeja 2022; modeling_gpt_neox_japanese.py): no biases but one, of the last attention."""
    model = sizes(c, n_vocab=32000, d_model=2560, n_layers=32)
    heads = whole_heads(c, model["d_model"], absent=32)
    heads |= {"rotary": turned(c, heads["d_head"], 1.0)}
    last = [index == model["n_layers"] - 1 for index in range(model["n_layers"])]
    attention, variations = varied("attention", {False: heads, True: heads | {"biases": ["output"]}}, last)
    d_ff = model["d_model"] * c.size("intermediate_multiple_size", absent=4)
    c.only(intermediate_size=d_ff)
    return dict(
        **model,
        attention=attention,
        variations=variations,
        mlp=plain(d_ff, activation(c, absent="gelu"), False),
        norm=layer_norm(c, "layer_norm_eps"),
        unembedding=tied(c, absent=True),
    )


def gpt_neo(c: Config) -> Part:
    """GPT-Neo (Black et al. 2021; modeling_gpt_neo.py): scores are not scaled, and layers see a window by turns."""
    model = sizes(c, "num_layers", "num_hidden_layers", n_vocab=50257, d_model=2048, n_layers=24)
    d_model, n_layers = model["d_model"], model["n_layers"]
    heads = whole_heads(c, d_model, "num_heads", "num_attention_heads", absent=16)
    heads |= {"scale": 1.0, "biases": ["output"]}
    local = heads | {"window": c.size("window_size", absent=256)}
    kinds = expanded(c, c.raw("attention_types", absent=[[["global", "local"], 12]], null=None), n_layers)
    c.only(attention_layers=kinds, is_causal=True)
    attention, variations = varied("attention", {"global": heads, "local": local}, kinds)
    d_ff = c.size("intermediate_size", absent=4 * d_model, null=4 * d_model)
    return dict(
        **model,
        embedding={"positions": {"kind": "learned"}},
        attention=attention,
        variations=variations,
        mlp=plain(d_ff, activation(c, "activation_function", absent="gelu_new")),
        norm=layer_norm(c, "layer_norm_epsilon"),
        unembedding=tied(c, absent=True),
    )


def sizes(c: Config, *layers: str, n_vocab: int, d_model: int, n_layers: int) -> Part:
    """The sizes; ``layers`` are the words for how many layers there are, the numbers what absent keys stand for."""
    return dict(
        n_vocab=c.size("vocab_size", absent=n_vocab),
        n_ctx=c.size("max_position_embeddings", absent=2048),
        d_model=c.size("hidden_size", absent=d_model),
        n_layers=c.layers(*layers, absent=n_layers),
    )


def turned(c: Config, d_head: int, partial: float) -> Part:
    """Rotary positions in the words of NeoX, ``rotary_emb_base`` and ``rotary_pct``, or in today's."""
    base = c.number("rope_theta", "rotary_emb_base", absent=10_000.0)
    partial = c.number("partial_rotary_factor", "rotary_pct", absent=partial)
    return rotary(c, base=base, d_head=d_head, partial=partial)


def expanded(c: Config, types: Any, n_layers: int) -> list[str]:
    """The kind of each layer: ``[[["global", "local"], 12]]`` stands for twelve times a global one and a local one."""
    kinds: list[str] = []
    try:
        for turn, times in types or [[["global", "local"], 12]]:
            room = n_layers - len(kinds)
            if type(times) is not int or not 0 < times * len(turn) <= room or {*turn} - {"global", "local"}:
                raise ValueError
            kinds += list(turn) * times
    except (TypeError, ValueError):
        raise c.refusal("attention_types", f"expected [[[kinds of layers], times], …] for {n_layers} layers") from None
    if len(kinds) != n_layers:
        raise c.refusal("attention_types", f"{len(kinds)} layers, and num_layers = {n_layers}")
    return kinds


READERS = {"gpt_neox": gpt_neox, "gpt_neox_japanese": gpt_neox_japanese, "gpt_neo": gpt_neo}
TABLES = {"gpt_neox": NAMES, "gpt_neox_japanese": JAPANESE, "gpt_neo": NEO}
