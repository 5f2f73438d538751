"""Phi-1, 1.5 and 2 as their own code spelled them, before transformers had them: in OpenAI's words, the matrices of
attention fused, and first as one sequence of layers of which the embedding is number 0."""

from __future__ import annotations

from gptcount.architecture import Architecture
from gptcount.families.common import Part, activation, grouped, layer_norm, paired, plain, whole_heads
from gptcount.families.config import Config
from gptcount.families.gpt2 import sizes

NAMES = """
embedding.token              transformer.embd.wte             |, d_model
attention_norm               transformer.h.{}.ln              |
attention.query+key+value    transformer.h.{}.mixer.Wqkv      |, d_model
attention.output             transformer.h.{}.mixer.out_proj  d_model, |
mlp.up                       transformer.h.{}.mlp.fc1         |, d_model
mlp.down                     transformer.h.{}.mlp.fc2         d_model, |
final_norm                   lm_head.ln                       |
unembedding.token            lm_head.linear                   |, d_model
"""


def sequential(architecture: Architecture) -> str:
    """The names where all is one sequence: the embedding, the layers from 1 on, and what scores the tokens."""
    names = NAMES.replace("transformer.embd", "layers.0").replace("transformer.h.{}", "layers.{+1}")
    return names.replace("lm_head", f"layers.{architecture.n_layers + 1}")


def phi_msft(c: Config) -> Part:
    """Phi (arXiv:2306.11644, arXiv:2309.05463; modeling_mixformer_sequential.py, modeling_phi.py)."""
    model = sizes(c, n_vocab=50304, n_ctx=2048, d_model=1024, n_layers=20)
    d_model, step = model["d_model"], c.size("pad_vocab_size_multiple", absent=64)
    heads = whole_heads(c, d_model, "n_head", "num_attention_heads", absent=16)
    n_kv_heads = c.size("n_head_kv", absent=None, null=None)
    turned = paired(c, "rotary_dim", min(c.size("rotary_dim", absent=32), heads["d_head"]))
    c.only(embd_layer="default", tie_word_embeddings=False, img_processor=None)
    c.ignore("architecture", "flash_attn", "flash_rotary", "fused_dense", "rope_theta")
    if c.data.get("architecture") is not None:
        _usual(c)
    d_ff = c.size("n_inner", absent=4 * d_model, null=4 * d_model)
    return dict(
        **model | {"n_vocab": -(-model["n_vocab"] // step) * step},
        attention=heads
        | (grouped(c, "n_head_kv", heads["n_heads"], n_kv_heads) if n_kv_heads else {})
        | {"biases": ["query", "key", "value", "output"], "rotary": {"d_rotary": turned}},
        mlp=plain(d_ff, activation(c, "activation_function", absent="gelu_new")),
        norm=layer_norm(c, "layer_norm_epsilon"),
        residual="parallel-shared",
        unembedding={"tied": False, "bias": True},
    )


def _usual(c: Config) -> None:
    """Raises InputError where ``architecture`` asks for other blocks than the published models have."""
    said = c.table("architecture")
    assert said is not None
    said.only(block_cls="parallel", mixer={})
    if mlp := said.table("mlp", absent=None, null=None):
        mlp.word("mlp_cls", among=("mlp", "fused_mlp"), absent="mlp")
        mlp.finish()
    said.finish()


READERS = {"mixformer-sequential": phi_msft, "phi-msft": phi_msft}
TABLES = {"mixformer-sequential": sequential, "phi-msft": NAMES}
