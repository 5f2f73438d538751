"""OPT, BioGPT and XGLM: decoders in the words of fairseq, whose positions begin at 2."""

from __future__ import annotations

from gptcount.families.common import Part, activation, biases, plain, tied, whole_heads
from gptcount.families.config import Config

NAMES = """
embedding.token           model.embed_tokens                         n_vocab, |
embedding.position        model.embed_positions                      |, d_model
embedding.projection      model.project_in                           d_model, |
attention_norm            model.layers.{}.self_attn_layer_norm       |
attention.query           model.layers.{}.self_attn.q_proj           |, d_model
attention.key             model.layers.{}.self_attn.k_proj           |, d_model
attention.value           model.layers.{}.self_attn.v_proj           |, d_model
attention.output          model.layers.{}.self_attn.out_proj         d_model, |
mlp_norm                  model.layers.{}.final_layer_norm           |
mlp.up                    model.layers.{}.fc1                        |, d_model
mlp.down                  model.layers.{}.fc2                        d_model, |
final_norm                model.layer_norm                           |
unembedding.projection    model.project_out                          |, d_model
unembedding.token         lm_head                                    n_vocab, |
"""

OPT = NAMES.replace("model.layer_norm", "model.final_layer_norm").replace("model.", "model.decoder.")
BIOGPT = NAMES.replace("model.", "biogpt.").replace("lm_head", "output_projection")

QKVO = ("query", "key", "value", "output")
NORM = {"kind": "layer", "bias": True, "eps": 1e-5}
"""The epsilon is fixed, whatever a file says."""


def opt(c: Config) -> Part:
    """OPT (arXiv:2205.01068; modeling_opt.py), and Galactica (arXiv:2211.09085)."""
    d_model = c.size("hidden_size", absent=768)
    n_ctx = c.size("max_position_embeddings", absent=2048)
    d_embedding = c.size("word_embed_proj_dim", absent=d_model, null=d_model)
    before = c.flag("do_layer_norm_before", absent=True)
    removed = c.flag("_remove_final_layer_norm", absent=False)
    on = c.flag("enable_bias", absent=True)
    learned = c.flag("layer_norm_elementwise_affine", absent=True)
    c.only(learned_embeddings=True, scale_embeddings=False)
    return dict(
        n_vocab=c.size("vocab_size", absent=50272),
        n_ctx=n_ctx,
        d_model=d_model,
        n_layers=c.layers(absent=12),
        embedding={"positions": {"kind": "learned", "n_positions": n_ctx + 2}}
        | ({"d_embedding": d_embedding} if d_embedding != d_model else {}),
        attention=whole_heads(c, d_model, absent=12) | {"biases": biases(on, *QKVO)},
        mlp=plain(c.size("ffn_dim", absent=3072), activation(c, "activation_function", absent="relu"), on),
        norm=NORM | {"gain": learned, "bias": learned},
        residual="pre-norm" if before else "post-norm",
        final_norm=before and not removed,
        unembedding=tied(c, absent=True),
    )


def biogpt(c: Config) -> Part:
    """BioGPT (arXiv:2210.10341; modeling_biogpt.py)."""
    d_model = c.size("hidden_size", absent=1024)
    n_ctx = c.size("max_position_embeddings", absent=1024)
    c.ignore("layer_norm_eps")
    return dict(
        n_vocab=c.size("vocab_size", absent=42384),
        n_ctx=n_ctx,
        d_model=d_model,
        n_layers=c.layers(absent=24),
        embedding=scaled(c) | {"positions": {"kind": "learned", "n_positions": n_ctx + 2}},
        attention=whole_heads(c, d_model, absent=16) | {"biases": QKVO},
        mlp=plain(c.size("intermediate_size", absent=4096), activation(c, absent="gelu")),
        norm=NORM,
        unembedding=tied(c, absent=True),
    )


def xglm(c: Config) -> Part:
    """XGLM (arXiv:2112.10668; modeling_xglm.py): sinusoidal positions."""
    d_model = c.size("d_model", "hidden_size", absent=1024)
    if c.flag("add_cross_attention", absent=False):
        raise c.refusal("add_cross_attention", "an encoder's attention is not counted")
    return dict(
        n_vocab=c.size("vocab_size", absent=256008),
        n_ctx=c.size("max_position_embeddings", absent=2048),
        d_model=d_model,
        n_layers=c.layers("num_layers", "num_hidden_layers", absent=24),
        embedding=scaled(c) | {"positions": {"kind": "sinusoidal", "offset": 2, "ends": True}},
        attention=whole_heads(c, d_model, "attention_heads", "num_attention_heads", absent=16) | {"biases": QKVO},
        mlp=plain(c.size("ffn_dim", absent=4096), activation(c, "activation_function", absent="gelu")),
        norm=NORM,
        unembedding=tied(c, absent=True),
    )


def scaled(c: Config) -> Part:
    """An embedding that is multiplied by the root of its width, unless the file says that it is not."""
    return {"scale": "sqrt(d_model)"} if c.flag("scale_embedding", absent=True) else {}


READERS = {"opt": opt, "biogpt": biogpt, "xglm": xglm}
TABLES = {"opt": OPT, "biogpt": BIOGPT, "xglm": NAMES}
