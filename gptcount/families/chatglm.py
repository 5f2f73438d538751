"""ChatGLM 2 and 3 and GLM-4 as their own code spells them: GLM in the words of Megatron, its checkpoint keeping the
rotary frequencies too."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.families.common import Part, biases, gated, grouped, layer_norm, rms
from gptcount.families.config import Config

NAMES = """
embedding.token              transformer.embedding.word_embeddings                         |, d_model
embedding.frequencies        transformer.rotary_pos_emb.inv_freq[|]                        |
attention_norm               transformer.encoder.layers.{}.input_layernorm                 |
attention.query+key+value    transformer.encoder.layers.{}.self_attention.query_key_value  |, d_model
attention.output             transformer.encoder.layers.{}.self_attention.dense            d_model, |
mlp_norm                     transformer.encoder.layers.{}.post_attention_layernorm        |
mlp.gate+up                  transformer.encoder.layers.{}.mlp.dense_h_to_4h               |, d_model
mlp.down                     transformer.encoder.layers.{}.mlp.dense_4h_to_h               d_model, |
final_norm                   transformer.encoder.final_layernorm                           |
unembedding.token            transformer.output_layer                                      |, d_model
"""


def names(architecture: Architecture) -> str:
    """The names of a checkpoint. Where each head has a key of its own, its query, key and value lie together."""
    attention = architecture.attention
    shared = isinstance(attention, MultiHeadAttention) and attention.n_kv_heads
    return NAMES if shared else NAMES.replace("query_key_value  |", "query_key_value  n_heads*|")


def chatglm(c: Config) -> Part:
    """ChatGLM 2 and 3, GLM-4 (arXiv:2406.12793; modeling_chatglm.py): half of each head is turned, as neighbours."""
    if c.has("inner_hidden_size") or c.has("position_encoding_2d"):
        raise c.refusal(
            "position_encoding_2d", "ChatGLM-6B, the first of its name, is of another kind: not counted yet"
        )
    d_model, n_layers = c.size("hidden_size", absent=4096), c.layers("num_layers", absent=28)
    n_vocab = c.size("padded_vocab_size", absent=65024)
    c.only(vocab_size=n_vocab, num_hidden_layers=n_layers, tie_word_embeddings=False, pre_seq_len=None)
    c.only(prefix_projection=False, interleaved_qkv=False, rotary_percent=0.5)
    c.ignore("apply_query_key_layer_scaling", "fp32_residual_connection", "original_rope", "use_cache")
    attention, everywhere = _attention(c), c.flag("add_bias_linear", absent=False)
    norm = rms(c, 1e-5, "layernorm_epsilon") if c.flag("rmsnorm", absent=True) else layer_norm(c, "layernorm_epsilon")
    if c.size("quantization_bit", absent=0, null=0, least=0):
        c.notes.append("quantization_bit: how its matrices are packed is not counted, so less may be stored")
    normed = c.flag("apply_residual_connection_post_layernorm", absent=False)
    return dict(
        n_vocab=n_vocab,
        n_ctx=c.size("seq_length", absent=2048),
        d_model=d_model,
        n_layers=n_layers,
        embedding={"n_frequencies": attention["d_head"] // 4},
        attention=attention,
        mlp=gated(c.size("ffn_hidden_size", absent=13696), "silu", everywhere),
        norm=norm,
        residual="normed-residual" if normed else "pre-norm",
        final_norm=c.flag("post_layer_norm", absent=True),
        unembedding={"tied": False},
    )


def _attention(c: Config) -> Part:
    n_heads, d_head = c.size("num_attention_heads", absent=32), c.size("kv_channels", absent=128)
    if d_head % 4:
        raise c.refusal("kv_channels", f"{d_head} is not a multiple of 4, and half of a head is turned in pairs")
    n_kv_heads, each = c.size("multi_query_group_num", absent=1), not c.flag("multi_query_attention", absent=False)
    everywhere = c.flag("add_bias_linear", absent=False)
    inner = everywhere or c.flag("add_qkv_bias", absent=False)
    return {
        "kind": "multi-head",
        "n_heads": n_heads,
        **({} if each else grouped(c, "multi_query_group_num", n_heads, n_kv_heads)),
        "d_head": d_head,
        "biases": biases(inner, "query", "key", "value") + biases(everywhere, "output"),
        "rotary": {"d_rotary": d_head // 2, "interleaved": True} | _stretched(c),
    }


def _stretched(c: Config) -> Part:
    """``rope_ratio`` divides the positions of ChatGLM2 and multiplies the base of those after it."""
    ratio = c.number("rope_ratio", absent=1.0, null=1.0)
    if "chatglm2" in str(c.data.get("_name_or_path")).lower() and ratio != 1.0:
        return {"scaling": {"kind": "linear", "factor": ratio}}
    return {"base": 10_000.0 * ratio}


READERS = {"chatglm": chatglm}
TABLES = {"chatglm": names}
