"""OpenELM (Apple 2024): later layers have more heads and a wider MLP."""

from __future__ import annotations

from typing import Any

from gptcount.architecture import Architecture
from gptcount.blocks.mlp import GatedMLP
from gptcount.families.common import Part, activation, gated, paired, plain, varied
from gptcount.families.config import Config

NAMES = """
embedding.token              transformer.token_embeddings            |, d_model
attention_norm               transformer.layers.{}.attn_norm         |
attention.query+key+value    transformer.layers.{}.attn.qkv_proj     |, d_model
attention.query_norm         transformer.layers.{}.attn.q_norm       |
attention.key_norm           transformer.layers.{}.attn.k_norm       |
attention.output             transformer.layers.{}.attn.out_proj     d_model, |
mlp_norm                     transformer.layers.{}.ffn_norm          |
mlp.gate+up                  transformer.layers.{}.ffn.proj_1        |, d_model
mlp.down                     transformer.layers.{}.ffn.proj_2        d_model, |
final_norm                   transformer.norm                        |
unembedding.token            lm_head                                 |, d_model
"""


def names(architecture: Architecture) -> str:
    """The names of a checkpoint, whose MLP may have no gate."""
    return NAMES if isinstance(architecture.mlp, GatedMLP) else NAMES.replace("gate+up", "up")


def openelm(c: Config) -> Part:
    """OpenELM (arXiv:2404.14619; modeling_openelm.py): heads and widths grow from the first layer to the last."""
    d_model, n_layers = c.size("model_dim", absent=2048), c.layers("num_transformer_layers", absent=12)
    d_head, n_groups = c.size("head_dim", absent=128), c.size("num_gqa_groups", absent=1)
    times = _multipliers(c, "qkv_multipliers", n_layers, absent=1.0)
    n_heads = [_divisible(d_model * each, d_head * n_groups) // d_head for each in times]
    c.only(num_query_heads=n_heads, num_kv_heads=[n // n_groups for n in n_heads])
    divisor = c.size("ffn_dim_divisor", absent=256)
    widths = [_divisible(each * d_model, divisor) for each in _multipliers(c, "ffn_multipliers", n_layers, absent=4.0)]
    norm: Part = {"kind": "rms", "eps": 1e-6}
    one: Part = {"kind": "multi-head", "d_head": paired(c, "head_dim", d_head)}
    one |= {"rotary": {"base": c.number("rope_freq_constant", absent=10_000)}}
    one |= {"query_key_norm": norm} if c.flag("normalize_qk_projections", absent=False) else {}
    attentions = {n: one | {"n_heads": n, "n_kv_heads": n // n_groups} for n in n_heads}
    act = activation(c, "activation_fn_name", absent="swish")
    two = gated if c.flag("ffn_with_glu", absent=True) else plain
    attention, by_heads = varied("attention", attentions, n_heads)
    mlp, by_width = varied("mlp", {width: two(width, act, False) for width in widths}, widths)
    c.only(normalization_layer_name="rms_norm", tie_word_embeddings=c.data.get("tie_word_embeddings"))
    c.ignore("rope_max_length")
    return dict(
        n_vocab=c.size("vocab_size", absent=32_000),
        n_ctx=c.size("max_context_length", absent=2048),
        d_model=d_model,
        n_layers=n_layers,
        attention=attention,
        mlp=mlp,
        norm=norm,
        variations=[*by_heads, *by_width],
        unembedding={"tied": c.flag("share_input_output_layers", absent=False)},
    )


def _multipliers(c: Config, key: str, n_layers: int, absent: float) -> list[float]:
    """A number for every layer: one for all, or the first and the last with even steps between, or a list."""
    said: Any = c.raw(key, absent=absent)
    listed = said if isinstance(said, list) else [said] * n_layers
    if not all(type(each) in (int, float) and 0 < each < 1e4 for each in listed):
        raise c.refusal(key, "expected a number, or a list of numbers")
    if isinstance(said, list) and len(said) == 2:
        step = (said[1] - said[0]) / max(n_layers - 1, 1)
        return [round(said[0] + step * index, 2) for index in range(n_layers)]
    if len(listed) != n_layers or (key == "qkv_multipliers" and isinstance(said, list)):
        raise c.refusal(key, f"expected a number, two, or one for each of {n_layers} layers")
    return listed


def _divisible(value: float, divisor: int) -> int:
    """The multiple of ``divisor`` that is closest to a size, and not below nine tenths of it."""
    size = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return size + divisor if size < 0.9 * value else size


READERS = {"openelm": openelm}
TABLES = {"openelm": names}
