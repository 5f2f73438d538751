"""InternLM, 1 to 3: Llama with biases, which 2 stores in names of its own and fused by groups of heads."""

from __future__ import annotations

from gptcount.families.common import Part, biases
from gptcount.families.config import Config, Defaults
from gptcount.families.llama import NAMES, decoder, llama

INTERNLM2 = """
embedding.token              model.tok_embeddings                       |, d_model
attention_norm               model.layers.{}.attention_norm             |
attention.query+key+value    model.layers.{}.attention.wqkv             n_kv_heads*|, d_model
attention.output             model.layers.{}.attention.wo               d_model, |
mlp_norm                     model.layers.{}.ffn_norm                   |
mlp.gate                     model.layers.{}.feed_forward.w1            |, d_model
mlp.up                       model.layers.{}.feed_forward.w3            |, d_model
mlp.down                     model.layers.{}.feed_forward.w2            d_model, |
final_norm                   model.norm                                 |
unembedding.token            output                                     |, d_model
"""


def internlm(c: Config) -> Part:
    """InternLM (modeling_internlm.py): biases in attention. Its dynamic positions are plain within the context."""
    if said := c.table("rotary", absent=None, null=None):
        c.assume(rope_theta=said.number("base", absent=10_000))
        said.word("type", among=("dynamic", "origin"), absent="dynamic")
        said.ignore("scaling_factor")
        said.finish()
    n_heads = c.size("num_attention_heads", absent=32)
    c.only(num_key_value_heads=n_heads)
    return _biased(c, "attention_bias")


def internlm2(c: Config) -> Part:
    """InternLM2 (arXiv:2403.17297; modeling_internlm2.py)."""
    return _biased(c, "attention_bias")


def _biased(c: Config, *keys: str) -> Part:
    """Llama whose attention has biases where ``bias`` says so, and by default."""
    on = c.flag("bias", *keys, absent=True)
    c.only(mlp_bias=False, **dict.fromkeys(keys, on))
    model = decoder(c)
    d_model, attention = model["d_model"], model["attention"]
    if attention["n_heads"] * attention["d_head"] != d_model:
        raise c.refusal("head_dim", f"the heads are not as wide as hidden_size = {d_model}")
    return {**model, "attention": attention | {"biases": biases(on, "query", "key", "value", "output")}}


def internlm3(c: Config) -> Part:
    """InternLM3 (modeling_llama.py): Llama, its two biases both on or both off, by keys of their own."""
    on = c.flag("qkv_bias", "attention_bias", absent=False)
    if c.flag("bias", "mlp_bias", absent=False) != on:
        raise c.refusal("bias", f"{not on}, and qkv_bias is {on}: a model with one of them is not built")
    c.only(attention_bias=on, mlp_bias=on)
    return llama(c)


READERS = {"internlm": internlm, "internlm2": internlm2, "internlm3": internlm3}
TABLES = {"internlm": NAMES, "internlm2": INTERNLM2, "internlm3": NAMES}


DEFAULTS: Defaults = {
    "internlm": dict(vocab_size=103_168),
    "internlm2": dict(vocab_size=103_168),
    "internlm3": dict(
        vocab_size=128512,
        intermediate_size=10240,
        num_hidden_layers=48,
        num_key_value_heads=2,
        head_dim=128,
        max_position_embeddings=32768,
        rms_norm_eps=1e-5,
    ),
}
"""What absent keys stand for, by model type; where a key is not here, what its reader says."""
